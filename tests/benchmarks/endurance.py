"""A day of the daemon in minutes: frames as fast as they go, with LEDs on mock pins and a real Mosquitto.

A simulated hour is 36,000 frames, as ten a second would be, and a line: memory, threads, open files, digits
heard. At the end memory must be within a megabyte of the first hour's, with no thread and no file more,
every digit heard, and systemd's watchdog (simulated, too) never kept waiting.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import numpy as np
from gpiozero import Device

import edge.daemon
from deploy.broker import find_free_port, start_broker
from edge.camera import Frame, Report
from edge.config import CameraSettings, load_configuration
from edge.health import measure_memory_mb
from edge.live_settings import LiveSettings
from shared.backdrop import draw_backdrop
from shared.conditions import Conditions
from shared.scenery import FRAME, Scene
from shared.sheet import write_sheet
from shared.strokes import draw_digit
from shared.weights import load_weights
from tests.subscriber import Subscriber

FRAMES_PER_S = 10
FRAMES_AN_HOUR = 3600 * FRAMES_PER_S
DAY = 24 * FRAMES_AN_HOUR

# A digit is held up for 3 s of every 30; in the rest there is something else to see every 3 s. Each picture
# is there several times, with the sensor's noise new.
HELD, AWAY, LOOKS = 30, 270, 8
PLACES = 5

MOST_GROWTH_MB = 1.0
WATCHDOG_S = 20.0  # as in the unit

CONFIGURATION = """\
[device]
name = "bench"
[mqtt]
host = "127.0.0.1"
port = {port}
[leds]
kind = "seven-segment"
pins = [2, 3, 4, 5, 6, 7, 8]
status_pin = 9
[health]
interval_s = 5.0
"""


class Day:
    """A camera that shows digit after digit, in its own time."""

    def __init__(self, count: int) -> None:
        random = np.random.default_rng(0)
        scene = Scene(random, Conditions(), draw_backdrop(random, FRAME, 4))
        sheets = [write_sheet(draw_digit(digit, random), Conditions(), random, FRAME) for digit in range(10)]
        self._digits = [[scene.look(random, [sheet]) for _ in range(LOOKS)] for sheet in sheets]
        places = [Scene(random, Conditions(), draw_backdrop(random, FRAME, 4)) for _ in range(PLACES)]
        self._empty = [[place.look(random) for _ in range(LOOKS)] for place in places]
        self._count = count

    def frames(self, stop: Event, report: Report) -> Iterator[Frame]:
        start = time.monotonic()
        for number in range(self._count):
            if stop.is_set():
                return
            showing, step = divmod(number, HELD + AWAY)
            empty = self._empty[step // HELD % PLACES]
            looks = self._digits[showing % 10] if step < HELD else empty
            report(None)
            yield Frame(looks[number % LOOKS], start + number / FRAMES_PER_S)
            if (number + 1) % FRAMES_AN_HOUR == 0:
                print(json.dumps(take_stock(number + 1)), flush=True)

    def close(self) -> None:
        pass


def take_stock(frames: int) -> dict[str, float]:
    if Device.pin_factory is not None:
        for pin in Device.pin_factory.pins.values():
            pin.clear_states()  # a mock pin keeps all that it ever was
    gc.collect()
    return {
        "frames": frames,
        "memory_mb": round(measure_memory_mb(), 2),
        "threads": threading.active_count(),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "cpu_s": round(time.process_time(), 1),
    }


def run_device(path: Path, frames: int) -> None:
    """Be the device; tells how it is every simulated hour, before the start and after the end."""

    def open_day(settings: CameraSettings) -> Day:
        return Day(frames)

    edge.daemon.open_camera = open_day  # type: ignore[attr-defined]
    live = LiveSettings(load_configuration(path), path.parent)
    print(json.dumps(take_stock(0)), flush=True)
    edge.daemon.run_daemon(live, load_weights(), Event(), show=False, as_json=False)
    print(json.dumps(take_stock(-1)), flush=True)


class Watchdog(threading.Thread):
    """Hears the daemon's signs of life, as systemd would; `longest_s` is the longest that it waited."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.longest_s = 0.0
        self._last: float | None = None

    def run(self) -> None:
        while "STOPPING=1" not in (said := self.socket.recv(1000).decode()):
            now = time.monotonic()
            if "WATCHDOG=1" in said:
                self.longest_s = max(self.longest_s, now - (self._last or now))
                self._last = now


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=DAY, metavar="N", help=f"default: {DAY}, a day")
    parser.add_argument("--device", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.device:
        run_device(options.device, options.frames)
        return
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), find_free_port()
        broker = start_broker(folder, port)
        (folder / "edge.toml").write_text(CONFIGURATION.format(port=port))
        subscriber, watchdog = Subscriber(port), Watchdog(folder / "notify")
        watchdog.start()
        command = [sys.executable, "-m", "tests.benchmarks.endurance", "--device", str(folder / "edge.toml")]
        device = subprocess.Popen(
            [*command, "--frames", str(options.frames)],
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "GPIOZERO_PIN_FACTORY": "mock",
                "GPIOZERO_MOCK_PIN_CLASS": "mockpwmpin",
                "NOTIFY_SOCKET": str(folder / "notify"),
            },
        )
        assert device.stdout is not None
        hours = []
        print(f"{'hour':>5}{'memory MB':>11}{'threads':>9}{'files':>7}{'CPU s':>9}{'heard':>9}")
        for line in device.stdout:
            stock = json.loads(line)
            hours.append(stock)
            hour = {0: "start", -1: "end"}.get(stock["frames"], f"{stock['frames'] / FRAMES_AN_HOUR:.0f}")
            print(
                f"{hour:>5}{stock['memory_mb']:11.2f}{stock['threads']:9}{stock['files']:7}{stock['cpu_s']:9.1f}"
                f"{len(subscriber.events):9}",
                flush=True,
            )
        status = device.wait()
        watchdog.join(timeout=5)
        time.sleep(1)
        heard = [event.digit for event in subscriber.events]
        subscriber.close()
        broker.terminate()
        broker.wait()
    start, *between, end = hours
    shown = [showing % 10 for showing in range(-(-options.frames // (HELD + AWAY)))]
    findings = {
        "the device ended by itself": status == 0,
        f"all of {len(shown)} digits were heard, each once, in order": heard == shown,
        f"the watchdog waited {watchdog.longest_s:.1f} s at the longest": watchdog.longest_s < WATCHDOG_S,
        f"threads before and after: {start['threads']}, {end['threads']}": end["threads"] == start["threads"],
        f"files before and after: {start['files']}, {end['files']}": end["files"] <= start["files"],
    }
    if between:
        first, last = between[0], between[-1]
        grown_mb = last["memory_mb"] - first["memory_mb"]
        findings[f"memory grew by {grown_mb:+.2f} MB since the first hour"] = grown_mb <= MOST_GROWTH_MB
        for name in ("threads", "files"):
            findings[f"{name} in the first hour and the last: {first[name]}, {last[name]}"] = (
                last[name] <= first[name]
            )
    for finding, holds in findings.items():
        print(f"{'ok  ' if holds else 'FAIL'} {finding}")
    sys.exit(not all(findings.values()))


if __name__ == "__main__":
    main()
