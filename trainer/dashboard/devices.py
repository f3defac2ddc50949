"""Devices, as the page shows them: the latest of all that each has said, and no more than fits."""

from __future__ import annotations

import itertools
import time
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from shared.errors import BadMessageError
from shared.messages import EventMessage, HealthMessage, InfoMessage, PredictionMessage, decode_image
from shared.printable import make_printable
from trainer.roster import LONGEST_PROBLEM, MOST_PROBLEMS, Device, Roster
from trainer.words import Nonsense, Word

# So many devices are shown; who makes names up cannot fill the page, or the memory.
MOST_DEVICES = 300

# So many readings of each are kept to be shown.
MOST_READINGS = 20

# No id of a device of ours is longer, nor what it calls its software.
LONGEST_ID, LONGEST_SOFTWARE = 100, 60
HASH_DIGITS = 12


@dataclass(frozen=True)
class SeenDigit:
    """A digit that a device read.

    Attributes
    ----------
    number : counts all that were seen here
    message : as the device said it, with nothing in it too long to be kept; the image is empty if it was none
    time : when it was heard
    """

    number: int
    message: EventMessage
    time: datetime

    def describe(self) -> dict[str, Any]:
        """Describe it for the page."""
        return {
            "number": self.number,
            "time": self.time.isoformat(),
            "digit": self.message.digit,
            "confidence": self.message.confidence,
            "outputs": self.message.outputs,
            "model": self.message.model,
            "image": self.message.image or None,
        }


@dataclass
class ShownDevice:
    """What the page shows of a device, beside what the roster knows of it.

    Attributes
    ----------
    outputs : of what is held up now; None if nothing is, or they were not said
    model : the network that it runs, the first twelve digits of its hash
    """

    outputs: tuple[float, ...] | None = None
    model: str = ""
    software: str = ""
    seen: deque[SeenDigit] = field(default_factory=lambda: deque(maxlen=MOST_READINGS))


class Devices:
    """All devices that have spoken; all of it is used in one thread."""

    def __init__(self) -> None:
        self._roster = Roster()
        self._shown: dict[str, ShownDevice] = {}
        # Higher than those that a server before this one gave, which a page may still know.
        self._numbers = itertools.count(time.time_ns() // 1_000_000)
        self._turned_away = 0

    @property
    def names(self) -> list[str]:
        """Who has spoken."""
        return list(self._shown)

    @property
    def complaint(self) -> str | None:
        """What was heard and is not shown, for the page; None if all is."""
        count = self._roster.nonsense
        if self._turned_away:
            return f"More than {MOST_DEVICES} devices have spoken: those that came later are not shown."
        last = self._roster.last_nonsense
        return f"{count:,} messages made no sense and were left out; the last: {last}" if count else None

    def note(self, word: Word | Nonsense) -> str | None:
        """Note what was said; returns the name of the device about which something is new."""
        if isinstance(word, Nonsense):
            self._roster.note(word)
            return None
        if word.device not in self._shown:
            if len(self._shown) >= MOST_DEVICES:
                self._turned_away += 1
                return None
            self._shown[word.device] = ShownDevice()
        shown, message = self._shown[word.device], word.message
        match message:
            case EventMessage():
                message = _shorten_event(message)
                shown.seen.append(SeenDigit(next(self._numbers), message, word.time))
            case PredictionMessage():
                shown.outputs = message.outputs
            case HealthMessage():
                message = _shorten_health(message)
            case InfoMessage():
                shown.software = make_printable(message.software, LONGEST_SOFTWARE)
                shown.model = make_printable(str(message.weights.get("sha256", ""))[:HASH_DIGITS])
        self._roster.note(replace(word, message=message, content={}))
        return word.device

    def forget_states(self) -> None:
        """The broker has gone: what holds until it is said otherwise may not hold any more."""
        self._roster.forget_states()
        for shown in self._shown.values():
            shown.outputs = None

    def find_seen(self, device: str, number: int) -> SeenDigit | None:
        """Find a digit by its number; None if it is no longer kept."""
        shown = self._shown.get(device)
        return None if shown is None else next((one for one in shown.seen if one.number == number), None)

    def describe(self, name: str, after: int = 0) -> dict[str, Any]:
        """Describe a device for the page, with the digits that it read after that number."""
        shown = self._shown[name]
        known = self._roster.devices.get(name) or Device(name)
        return {
            "name": name,
            "online": known.online,
            "since": known.since.isoformat() if known.since is not None and known.since_then else None,
            "digit": known.digit,
            "confidence": known.confidence,
            "outputs": shown.outputs if known.digit is not None else None,
            "events": known.events,
            "model": shown.model,
            "software": shown.software,
            "problems": known.problems,
            "health": _describe_health(known.health),
            "seen": [one.describe() for one in shown.seen if one.number > after],
        }


def _describe_health(health: HealthMessage | None) -> dict[str, Any] | None:
    if health is None:
        return None
    names = ("uptime_s", "frames_per_s", "frame_ms", "memory_mb", "queued", "dropped", "temperature_c")
    return {name: getattr(health, name) for name in names}


def _shorten_event(event: EventMessage) -> EventMessage:
    """Keep nothing that is longer than any device of ours makes it."""
    return replace(
        event,
        id=event.id if len(event.id) <= LONGEST_ID else "",
        model=make_printable(event.model[:HASH_DIGITS]),
        image=event.image if _is_image(event.image) else "",
        ts=None if event.ts is None else event.ts[:LONGEST_ID],
    )


def _shorten_health(health: HealthMessage) -> HealthMessage:
    kept = [problem[: LONGEST_PROBLEM + 1] for problem in health.problems[:MOST_PROBLEMS]]
    left = len(health.problems) - len(kept)
    return replace(
        health,
        camera=health.camera[:LONGEST_PROBLEM],
        leds=health.leds[:LONGEST_PROBLEM],
        problems=(*kept, f"and {left} more") if left else tuple(kept),
    )


def _is_image(text: str) -> bool:
    try:
        decode_image(text)
    except BadMessageError:
        return False
    return True
