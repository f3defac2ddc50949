"""The roster: what is known of each device, from what it said."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from shared.messages import Availability, EventMessage, HealthMessage, PredictionMessage
from shared.printable import make_printable
from shared.reading import show_confidence
from trainer.words import Nonsense, Word

# So many digits of a device are kept to be shown.
MOST_DIGITS = 60

# So many of a device's problems are shown, and so many characters of each.
MOST_PROBLEMS = 8
LONGEST_PROBLEM = 300


@dataclass
class Device:
    """What is known of a device.

    Attributes
    ----------
    online : None while it is not known
    since : since when it is, at the latest
    since_then : whether it came or went just then; else it may be so for longer
    digit, confidence : what is held up, or None
    digits : the last ones, the latest last
    events : how many were heard
    told : the hash of the last one's id
    health : how it was when it last told
    """

    name: str
    online: bool | None = None
    since: datetime | None = None
    since_then: bool = False
    digit: int | None = None
    confidence: float | None = None
    digits: deque[int] = field(default_factory=lambda: deque(maxlen=MOST_DIGITS))
    events: int = 0
    told: int | None = None
    health: HealthMessage | None = None

    @property
    def problems(self) -> list[str]:
        """What is wrong with it, fit to be shown."""
        if self.health is None or self.online is False:
            return []
        shown = [make_printable(problem, LONGEST_PROBLEM) for problem in self.health.problems[:MOST_PROBLEMS]]
        left = len(self.health.problems) - len(shown)
        return [*shown, f"and {left} more"] if left else shown


class Roster:
    """All devices that have spoken, by their names."""

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}
        self.nonsense = 0
        self.last_nonsense = ""

    def note(self, word: Word | Nonsense) -> list[str]:
        """Note what was said; returns what has changed by it, in words."""
        if isinstance(word, Nonsense):
            self.nonsense += 1
            self.last_nonsense = describe_nonsense(word)
            return [self.last_nonsense]
        device = self.devices.setdefault(word.device, Device(word.device))
        match word.message:
            case Availability():
                changes = _note_availability(device, word, online=word.message.state == "online")
            case PredictionMessage():
                changes = _note_prediction(device, word.message)
            case EventMessage():
                device.events += 1
                device.digits.append(word.message.digit)
                device.told = hash(word.message.id)
                # What is held up now a prediction tells: an event may have waited for an hour.
                changes = [f"{word.message.digit} ({show_confidence(word.message.confidence)})"]
            case HealthMessage():
                changes = _note_health(device, word.message)
            case _:
                changes = []
        return [f"{device.name}: {change}" for change in changes]

    def forget_states(self) -> None:
        """The broker has gone: what holds until it is said otherwise may not hold any more."""
        for device in self.devices.values():
            device.online = device.since = device.digit = device.confidence = device.told = None


def describe_nonsense(nonsense: Nonsense) -> str:
    """Say what was heard that makes no sense, on one line that is fit to be shown."""
    return f"{make_printable(nonsense.topic, 80)}: {make_printable(nonsense.why, 160)}"


def _note_availability(device: Device, word: Word, *, online: bool) -> list[str]:
    if device.online == online:
        return []
    device.online, device.since, device.since_then = online, word.time, not word.retained
    if not online:
        # The broker may still keep what it held up.
        device.digit = device.confidence = None
    return ["online" if online else "offline"]


def _note_prediction(device: Device, prediction: PredictionMessage) -> list[str]:
    changed = device.digit != prediction.digit
    device.digit, device.confidence = prediction.digit, prediction.confidence
    if not changed or (prediction.id is not None and hash(prediction.id) == device.told):
        return []
    if device.digit is None:
        return ["nothing is held up"]
    sure = "" if device.confidence is None else f" ({show_confidence(device.confidence)})"
    return [f"{device.digit}{sure} is held up"]


def _note_health(device: Device, health: HealthMessage) -> list[str]:
    before = device.problems
    device.health = health
    if device.problems == before:
        return []
    return [f"problem: {problem}" for problem in device.problems] or ["all is well again"]
