"""The outbox: what waits to be published, the only queue there is between the daemon and the broker.

Of a state only the latest is worth sending, of events only so many can be kept, and what is said in
passing, an answer or a picture, is not worth keeping for longer than a connection lasts.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from threading import Lock

# So much waits that was said in passing; one more, and the oldest is forgotten.
MOST_PASSING = 32


class Kind(Enum):
    """What becomes of a message that cannot go out yet."""

    STATE = "only the latest of its topic is kept"
    EVENT = "each is kept, up to a bound, and none is forgotten uncounted"
    PASSING = "each is kept while there is a connection, up to a bound"


@dataclass(frozen=True)
class Message:
    """A message to publish with quality of service 1.

    Attributes
    ----------
    topic, payload : as they go out
    kind : what becomes of it while it cannot go out
    retain : whether the broker keeps it for later subscribers
    expiry_s : after how many seconds the broker forgets it, or None for never
    """

    topic: str
    payload: bytes
    kind: Kind
    retain: bool = False
    expiry_s: int | None = None


class Outbox:
    """Messages in the order in which they are to go out; any thread may put and take.

    Parameters
    ----------
    most_events : how many events are kept; one more, and the oldest is dropped and counted
    """

    def __init__(self, most_events: int) -> None:
        self._most = {Kind.EVENT: most_events, Kind.PASSING: MOST_PASSING}
        self._waiting: OrderedDict[object, Message] = OrderedDict()
        self._counts = {Kind.EVENT: 0, Kind.PASSING: 0, Kind.STATE: 0}
        self._lock = Lock()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def events(self) -> int:
        """How many events wait."""
        return self._counts[Kind.EVENT]

    def put(self, message: Message) -> None:
        """Queue a message behind all else; a state takes the place of an earlier one for its topic."""
        with self._lock:
            self._put(message)
            self._shorten(message.kind)

    def put_first(self, messages: Iterable[Message]) -> None:
        """Queue messages, in this order, before all else; a state that waits already was said later."""
        with self._lock:
            for message in reversed(list(messages)):
                key = message.topic if message.topic in self._waiting else self._put(message)
                self._waiting.move_to_end(key, last=False)
            self._shorten(Kind.EVENT)

    def take(self) -> Message | None:
        """Take the next message, or None when nothing waits."""
        with self._lock:
            if not self._waiting:
                return None
            _, message = self._waiting.popitem(last=False)
            self._counts[message.kind] -= 1
            return message

    def forget_passing(self) -> None:
        """Forget what was said in passing: who asked for it has gone."""
        with self._lock:
            for key in [key for key, message in self._waiting.items() if message.kind is Kind.PASSING]:
                self._remove(key)

    def _put(self, message: Message) -> object:
        key: object = message.topic if message.kind is Kind.STATE else object()
        if key in self._waiting:
            self._remove(key)
        self._waiting[key] = message
        self._counts[message.kind] += 1
        return key

    def _shorten(self, kind: Kind) -> None:
        while self._counts[kind] > self._most.get(kind, self._counts[kind]):
            self._remove(next(key for key, message in self._waiting.items() if message.kind is kind))
            self.dropped += kind is Kind.EVENT

    def _remove(self, key: object) -> None:
        self._counts[self._waiting.pop(key).kind] -= 1
