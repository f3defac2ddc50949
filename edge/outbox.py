"""The outbox: what waits to be published, in front of the MQTT library's own queue.

Of a state only the latest is worth sending, and of events only so many can be kept.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """A message to publish with quality of service 1.

    Attributes
    ----------
    topic, payload : as they go out
    retain : whether the broker keeps it for later subscribers
    expiry_s : after how many seconds the broker forgets it, or None for never
    """

    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None


class Outbox:
    """Messages in the order in which they are to go out.

    Parameters
    ----------
    most_events : how many events are kept; one more, and the oldest is dropped and counted
    """

    def __init__(self, most_events: int) -> None:
        self._most_events = most_events
        self._waiting: OrderedDict[object, Message] = OrderedDict()
        self._events = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def events(self) -> int:
        """How many events wait."""
        return self._events

    def put_state(self, message: Message) -> None:
        """Queue a state behind all else, in place of an earlier one for the same topic."""
        self._waiting.pop(message.topic, None)
        self._waiting[message.topic] = message

    def put_state_first(self, message: Message) -> None:
        """Queue a state before all else, in place of an earlier one for the same topic."""
        self.put_state(message)
        self._waiting.move_to_end(message.topic, last=False)

    def put_event(self, message: Message) -> None:
        """Queue an event behind all else; events never replace each other."""
        self._waiting[object()] = message
        self._events += 1
        if self._events > self._most_events:
            oldest = next(key for key in self._waiting if not isinstance(key, str))
            del self._waiting[oldest]
            self._events -= 1
            self.dropped += 1

    def take(self) -> Message | None:
        """Take the next message, or None when nothing waits."""
        if not self._waiting:
            return None
        key, message = self._waiting.popitem(last=False)
        self._events -= not isinstance(key, str)
        return message
