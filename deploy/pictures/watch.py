"""Take the README's pictures of `watch` and `view` anew:  python -m deploy.pictures.watch  (a minute)."""

from __future__ import annotations

import io
import re
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from deploy.pictures.devices import READS, Devices, start_devices
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

# The view is of the one that reads, when it has read so many digits.
SHOWN = 5

# Fonts that rich would have a browser fetch from elsewhere: it has one of its own.
FONT_TO_FETCH = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    """Take both pictures."""
    with start_devices() as devices:
        settings = BrokerSettings("localhost", devices.port)
        with Broker(settings) as watcher:
            watcher.subscribe(*list_topics())
            take_pictures(settings, watcher, devices)


def take_pictures(settings: BrokerSettings, watcher: Broker, devices: Devices) -> None:
    """Watch for a while, look once, and draw what there is to see at the end."""
    roster, begin = Roster(), time.monotonic()
    while (seconds := time.monotonic() - begin) < WATCHED_S or roster.devices[READS].digit is None:
        if seconds > 0.8 * WATCHED_S:
            devices.silence()
        for word in watcher.hear(0.25):
            roster.note(word)
            is_read = isinstance(word, Word) and (word.device, word.kind) == (READS, "event")
            if is_read and roster.devices[READS].events == SHOWN:
                with Broker(settings) as viewer:
                    (picture,) = look(viewer, READS, 0.0)
                write_atomically(FOLDER / "view.jpg", picture)
    console = Console(width=WIDTH, height=30, record=True, file=io.StringIO(), force_terminal=True)
    console.print(LiveTable(roster, "localhost:1883", None, connected=True, now=datetime.now(UTC), hint=""))
    table = console.export_svg(title="inkling-trainer watch", unique_id="watch")
    write_atomically(FOLDER / "watch.svg", FONT_TO_FETCH.sub("", table).encode())


if __name__ == "__main__":
    main()
