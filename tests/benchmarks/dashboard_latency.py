"""From the camera's frame to the page: how long until a digit that settled is shown.

    python -m tests.benchmarks.dashboard_latency [--digits N]

A daemon with the simulated camera, Mosquitto, the dashboard and a real Chromium, all on this machine. The
clock starts when the frame that settled the digit was taken, and stops when the page's large digit has
changed. A digit is settled only after the hold time, which comes before that and is the same without a page.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from deploy.broker import find_free_port, start_broker
from edge.config import SettlingSettings
from shared.messages import EventMessage, decode
from tests.dashboard import Dashboard, find_chromium
from tests.subscriber import TOPICS, Subscriber

HOLD_S, GAP_S = 2.0, 1.0

# Notes when the digit that is held up is shown: in ink, and not pale as one that was read before.
WATCH = """() => {
  window.shown = [];
  const digit = document.querySelector("#device .answer-digit");
  const note = () => {
    const text = digit.classList.contains("past") ? "" : digit.textContent;
    if (text !== window.last && text) window.shown.push(Date.now() / 1000);
    window.last = text;
  };
  new MutationObserver(note).observe(digit, { childList: true, subtree: true, attributes: true });
}"""

CONFIGURATION = """\
[device]
name = "bench"
[camera]
kind = "simulated"
[camera.simulated]
digits = {digits}
hold_s = {hold_s}
gap_s = {gap_s}
[mqtt]
host = "127.0.0.1"
port = {port}
"""


def measure(count: int, folder: Path) -> dict[str, object]:
    """Hold digits up before the daemon's camera; returns the figures."""
    from playwright.sync_api import sync_playwright

    port = find_free_port()
    broker = start_broker(folder, port)
    subscriber = Subscriber(port)
    taken: list[float] = []

    def note(_client: Any, _data: Any, message: Any) -> None:
        if message.topic == TOPICS.event:
            event = decode(EventMessage, message.payload)
            taken.append(time.time() - event.latency_ms / 1000)

    subscriber._client.on_message = note
    dashboard = Dashboard(folder, port)
    digits = [place % 10 for place in range(count)]
    configuration = folder / "edge.toml"
    configuration.write_text(CONFIGURATION.format(digits=digits, hold_s=HOLD_S, gap_s=GAP_S, port=port))
    device = None
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(dashboard.link)
            subscriber.publish(TOPICS.availability, b'{"state":"offline"}')
            page.locator("#device-name").filter(has_text="bench").wait_for()
            page.evaluate(WATCH)
            command = [sys.executable, "-m", "edge", "run", "--config", str(configuration)]
            device = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            page.wait_for_timeout(1000 * ((HOLD_S + GAP_S) * count + 6))
            shown = np.array(page.evaluate("window.shown"))
            browser.close()
    finally:
        if device is not None:
            device.terminate()
            device.wait()
        dashboard.stop()
        subscriber.close()
        broker.terminate()
        broker.wait()
    if len(shown) != len(taken):
        raise SystemExit(f"{len(taken)} digits settled, and {len(shown)} were shown")
    latencies = 1000 * (shown - np.array(taken))
    return {
        "settled": len(taken),
        "shown": len(shown),
        "frame_to_page_ms": {f"p{p}": round(float(np.percentile(latencies, p)), 1) for p in (50, 95, 100)},
        "hold_time_before_that_ms": round(1000 * SettlingSettings().hold_s),
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--digits", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(options.digits, Path(folder)), indent=2))


if __name__ == "__main__":
    main()
