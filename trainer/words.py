"""Words: what devices say, checked and decoded, each event once."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.errors import BadMessageError
from shared.messages import CHANNELS, REQUESTS, EventMessage, ResponseMessage, decode
from shared.topics import DEVICE_NAME, EVERY_DEVICE, Topics

# What can be said, by what follows the device in the topic. A view is a picture, all else is one of these.
KINDS: dict[str, type] = {channel.topic: kind for kind, channel in CHANNELS.items()}
RESPONSES = tuple(f"response/{verb}" for verb in REQUESTS)
VIEW = "view"

# Of so many events a device's ids are remembered. Of those that it repeats there are at most as many as a
# connection can have unconfirmed, which is far less.
MOST_REMEMBERED = 200

# More devices than these are not listened to: somebody makes their names up.
MOST_DEVICES = 10_000


@dataclass(frozen=True)
class Word:
    """Something that a device said.

    Attributes
    ----------
    device : its name
    kind : what follows its name in the topic, such as "event" or "response/correct"
    message : one of `shared.messages`, or the bytes of a view
    content : what was said as it came, with keys that we do not know, too; empty for a view
    retained : whether the broker had kept it: it was said before we listened
    time : when we heard it
    """

    device: str
    kind: str
    message: object
    content: dict[str, Any] = field(default_factory=dict)
    retained: bool = False
    time: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Nonsense:
    """Something that no device of ours says.

    Attributes
    ----------
    topic : where it was said
    why : what is wrong with it; like the topic, it may hold anything
    """

    topic: str
    why: str


class Interpreter:
    """Makes words of messages, and remembers events, because quality of service 1 may repeat them."""

    def __init__(self) -> None:
        self._recent: dict[str, deque[int]] = {}

    def interpret(self, topic: str, payload: bytes | bytearray, *, retained: bool) -> Word | Nonsense | None:
        """Make a word of a message, or nonsense; None of an event that was heard before."""
        base, _, rest = topic.partition("/")
        device, _, kind = rest.partition("/")
        if base != "inkling" or not DEVICE_NAME.fullmatch(device) or kind not in (*KINDS, *RESPONSES, VIEW):
            return Nonsense(topic, "no topic of a device")
        if device not in self._recent:
            if len(self._recent) >= MOST_DEVICES:
                return Nonsense(topic, f"more than {MOST_DEVICES:,} devices: it is not listened to")
            self._recent[device] = deque(maxlen=MOST_REMEMBERED)
        if kind == VIEW:
            return Word(device, kind, bytes(payload), retained=retained)
        try:
            message: object = decode(KINDS.get(kind, ResponseMessage), payload)
        except BadMessageError as error:
            return Nonsense(topic, str(error))
        if isinstance(message, EventMessage):
            # Hashed, because an id may be as long as a message.
            if (mark := hash(message.id)) in self._recent[device]:
                return None
            self._recent[device].append(mark)
        return Word(device, kind, message, json.loads(payload), retained)


def list_topics(device: str = "+") -> list[str]:
    """Where a device says what can be a word, but for its view; by default, where every device does."""
    base = EVERY_DEVICE if device == "+" else Topics(device).base
    return [f"{base}/{kind}" for kind in KINDS]
