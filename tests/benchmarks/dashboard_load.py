"""A hundred devices at one event a second on the dashboard, with two pages open: what that costs its server.

    python -m tests.benchmarks.dashboard_load [--devices N] [--rate EVENTS] [--seconds S] [--no-collect]

Each event is an event with a picture and two predictions, held up and gone, with quality of service 1. Pages
are open in a real Chromium, whose own processor time is not counted. Latency is from the moment a device
hands an event to its socket until the page shows it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from rich.progress import track

from deploy.broker import ANYBODY, find_free_port, start_broker
from shared.messages import Availability, EventMessage, PredictionMessage, encode, encode_image
from shared.strokes import draw_digit
from tests.benchmarks.broker_load import measure_cpu_s
from tests.dashboard import Dashboard, find_chromium

PAGES = 2
SAMPLES = 6

# Waits in the page until the device shows this number of events, and tells when.
WATCH = """() => {
  const list = document.querySelector(".history");
  window.shown = [];
  new MutationObserver(() => {
    const number = list.firstElementChild?.dataset.number;
    if (number && number !== window.shown.at(-1)?.[0]) window.shown.push([number, Date.now() / 1000]);
  }).observe(list, { childList: true });
}"""


class Devices:
    """All the devices, who take turns; the last of them is timed."""

    def __init__(self, port: int, count: int, rate: float) -> None:
        random = np.random.default_rng(0)
        self._pictures = [[encode_image(draw_digit(d, random)) for _ in range(20)] for d in range(10)]
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.max_inflight_messages_set(1000)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._names = [f"load-{number:03}" for number in range(count - 1)] + ["a-timed-one"]
        self._rate = rate
        self._stopped = threading.Event()
        self.sent = 0
        self.timed: list[float] = []
        for name in self._names:
            self._say(name, "availability", encode(Availability("online")))
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begin to read digits."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        started = time.monotonic()
        while not self._stopped.wait(max(0.0, started + self.sent / self._rate_of_all - time.monotonic())):
            seq, place = divmod(self.sent, len(self._names))
            self._read(self._names[place], seq)
            self.sent += 1

    @property
    def _rate_of_all(self) -> float:
        return self._rate * len(self._names)

    def _read(self, name: str, seq: int) -> None:
        digit = seq % 10
        outputs = tuple(0.99 if place == digit else 0.01 for place in range(10))
        event = EventMessage(
            digit=digit,
            confidence=0.97,
            outputs=outputs,
            id=f"{name}-{seq}",
            model="0123456789ab",
            seq=seq + 1,
            latency_ms=10.0,
            image=self._pictures[digit][seq // 10 % 20],
        )
        self._say(name, "prediction", encode(PredictionMessage(None)))
        self._say(name, "event", encode(event))
        if name == self._names[-1]:
            self.timed.append(time.time())
        self._say(name, "prediction", encode(PredictionMessage(digit, 0.97, outputs, event.id)))

    def _say(self, name: str, kind: str, payload: bytes) -> None:
        self._client.publish(f"inkling/{name}/{kind}", payload, 1, retain=kind != "event")


def measure_memory_mb(pid: int) -> float:
    """Memory that a process has resident, in units of 10^6 bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) * 1024 / 1e6


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Let devices read and pages show it; returns the figures."""
    from playwright.sync_api import sync_playwright

    port = find_free_port()
    broker = start_broker(folder, port, f"{ANYBODY}max_inflight_messages 100\nmax_queued_messages 10000\n")
    dashboard = Dashboard(folder, port, *(["--no-collect"] if options.no_collect else []))
    devices = Devices(port, options.devices, options.rate)
    memory: list[float] = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
            pages = [browser.new_page() for _ in range(PAGES)]
            for page in pages:
                page.goto(dashboard.link)
                page.locator("#device-name").filter(has_text="a-timed-one").wait_for()
            pages[0].evaluate(WATCH)
            devices.start()
            began, before_s = time.monotonic(), measure_cpu_s(dashboard.pid)
            for _ in track(range(SAMPLES), "events"):
                pages[0].wait_for_timeout(1000 * options.seconds / SAMPLES)
                memory.append(measure_memory_mb(dashboard.pid))
            took_s, used_s = time.monotonic() - began, measure_cpu_s(dashboard.pid) - before_s
            devices.stop()
            pages[0].wait_for_timeout(2000)
            shown = [when for _, when in pages[0].evaluate("window.shown")]
            kept = dashboard.ask_json("/digits")["count"]
            browser.close()
    finally:
        dashboard.stop()
        broker.terminate()
        broker.wait()
    latencies = 1000 * (np.array(shown) - np.array(devices.timed[: len(shown)]))
    return {
        "events_per_s": round(devices.sent / took_s, 1),
        "share_of_a_core": round(used_s / took_s, 3),
        "memory_mb": [round(one, 1) for one in memory],
        "timed": {"said": len(devices.timed), "shown": len(shown)},
        "latency_ms": {f"p{p}": round(float(np.percentile(latencies, p)), 1) for p in (50, 95, 100)},
        "pictures_kept": kept,
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--rate", type=float, default=1.0, help="events a second of each")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--no-collect", action="store_true", help="keep nothing in the library")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(options, Path(folder)), indent=2))


if __name__ == "__main__":
    main()
