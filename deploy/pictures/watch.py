"""Take the README's pictures of `watch` and `view` anew:  python -m deploy.pictures.watch  (a minute)."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console

from deploy.broker import find_free_port, start_broker
from shared.atomic_file import write_atomically
from trainer.broker import Broker
from trainer.broker_settings import BrokerSettings
from trainer.live_table import LiveTable
from trainer.roster import Roster
from trainer.view import look
from trainer.words import Word, list_topics

FOLDER = Path(__file__).parent

WIDTH = 80
WATCHED_S = 50.0

# Three devices: two read, of which one falls silent; the third is in the dark.
CAMERAS = {
    "desk": "kind = 'simulated'\nsimulated = { scenes = 'hard', seed = 12, gap_s = 0.7 }\n",
    "hall": "kind = 'simulated'\nsimulated = { seed = 5, gap_s = 2.0 }\n",
    "kitchen": "kind = 'folder'\nfolder.path = 'dark'\n",
}
FALLS_SILENT = "hall"

# Of this device is the view, when it has read so many digits.
SHOWS, SHOWN = "desk", 5

CONFIGURATION = """\
[device]
name = "{name}"
[mqtt]
port = {port}
[health]
interval_s = 5
[camera]
{camera}
"""

# Fonts that rich would have a browser fetch from elsewhere: it has one of its own.
FONT_TO_FETCH = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    """Take both pictures."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), find_free_port()
        (folder / "dark").mkdir()
        Image.fromarray(np.full((240, 320), 6, np.uint8)).save(folder / "dark" / "night.png")
        broker = start_broker(folder, port)
        stack.callback(broker.wait)
        stack.callback(broker.terminate)
        devices = {name: start_device(folder, port, name) for name in CAMERAS}
        for device in devices.values():
            stack.callback(device.wait)
            stack.callback(device.kill)
        settings = BrokerSettings("localhost", port)
        with Broker(settings) as watcher:
            watcher.subscribe(*list_topics())
            take_pictures(settings, watcher, devices[FALLS_SILENT])


def start_device(folder: Path, port: int, name: str) -> subprocess.Popen[bytes]:
    """Start a daemon."""
    configuration = folder / f"{name}.toml"
    configuration.write_text(CONFIGURATION.format(name=name, port=port, camera=CAMERAS[name]))
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "edge", "run", "--config", str(configuration)],
            env={**os.environ, "GPIOZERO_PIN_FACTORY": "mock"},
            stdout=log,
            stderr=log,
        )


def take_pictures(settings: BrokerSettings, watcher: Broker, falls_silent: subprocess.Popen[bytes]) -> None:
    """Watch for a while, look once, and draw what there is to see at the end."""
    roster, begin = Roster(), time.monotonic()
    while (seconds := time.monotonic() - begin) < WATCHED_S or roster.devices[SHOWS].digit is None:
        if seconds > 0.8 * WATCHED_S:
            falls_silent.kill()
        for word in watcher.hear(0.25):
            roster.note(word)
            is_read = isinstance(word, Word) and (word.device, word.kind) == (SHOWS, "event")
            if is_read and roster.devices[SHOWS].events == SHOWN:
                with Broker(settings) as viewer:
                    (picture,) = look(viewer, SHOWS, 0.0)
                write_atomically(FOLDER / "view.jpg", picture)
    console = Console(width=WIDTH, height=30, record=True, file=io.StringIO(), force_terminal=True)
    console.print(LiveTable(roster, "localhost:1883", None, connected=True, now=datetime.now(UTC), hint=""))
    table = console.export_svg(title="inkling-trainer watch", unique_id="watch")
    write_atomically(FOLDER / "watch.svg", FONT_TO_FETCH.sub("", table).encode())


if __name__ == "__main__":
    main()
