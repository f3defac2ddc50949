"""The collector: what devices read, and what they are told it truly is, goes into the library."""

from __future__ import annotations

import fcntl
import hashlib
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from shared.errors import BadMessageError
from shared.messages import Digit, EventMessage, ResponseMessage, decode_image
from shared.records import RecordError, read_record
from shared.topics import EVERY_DEVICE
from trainer.errors import LibraryError
from trainer.library import Library
from trainer.own_digits import NOTHING, Sight
from trainer.words import Nonsense, Word

# What a device answers to who corrects it; it is said to all, and so the collector is told.
CORRECTION = "response/correct"

TOPICS = (f"{EVERY_DEVICE}/event", f"{EVERY_DEVICE}/{CORRECTION}")

# Longer ids, and names of networks, are not of our devices.
LONGEST_ID = 100


@dataclass(frozen=True)
class Correction:
    """What a device was told.

    Attributes
    ----------
    id : of the event
    label : what the digit truly is, or None if it is no digit at all
    """

    id: str
    label: Digit


@dataclass(frozen=True)
class Kept:
    """Something that was heard and is now in the library.

    Attributes
    ----------
    device : who said it
    number : what the library calls the digit
    digit, confidence : what was read
    label : what it truly is; None if nobody said
    is_correction : whether this is what was said now, and not that it was read
    """

    device: str
    number: int
    digit: int
    confidence: float
    label: int | None
    is_correction: bool


class Collector:
    """Puts what is heard into a library.

    Attributes
    ----------
    added : digits that were not there before
    repeated : digits that were there already
    corrected : corrections
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self.added = self.repeated = self.corrected = 0

    def keep(self, words: Sequence[Word | Nonsense]) -> Iterator[Kept | Nonsense]:
        """Keep what was heard, in order; yields what is new in the library, and what makes no sense.

        Raises
        ------
        LibraryError : if it cannot be kept
        """
        for word in words:
            if isinstance(word, Nonsense):
                yield word
            elif isinstance(word.message, EventMessage):
                yield from self._keep_event(word, word.message)
            elif isinstance(word.message, ResponseMessage) and word.kind == CORRECTION:
                yield from self._keep_correction(word, word.message)

    def _keep_event(self, word: Word, event: EventMessage) -> Iterator[Kept | Nonsense]:
        try:
            sight = _see(word, event)
        except BadMessageError as error:
            yield Nonsense(f"inkling/{word.device}/{word.kind}", str(error))
            return
        if not self._library.add([sight]):
            self.repeated += 1
            return
        self.added += 1
        number = self._library.find(event.id, word.device)
        assert number is not None
        yield Kept(word.device, number, sight.digit, sight.confidence, None, is_correction=False)

    def _keep_correction(self, word: Word, response: ResponseMessage) -> Iterator[Kept | Nonsense]:
        if response.status == "error":
            return  # the device knows no such event, and who asked is told so
        try:
            correction = read_record(Correction, response.data or {}, allow_unknown=True)
        except RecordError as error:
            yield Nonsense(f"inkling/{word.device}/{word.kind}", str(error))
            return
        number = self._library.find(correction.id, word.device) if _is_fit(correction.id) else None
        if number is None:
            why = f"a correction of event {correction.id}, which was not collected"
            yield Nonsense(f"inkling/{word.device}/{word.kind}", why)
            return
        label = NOTHING if correction.label is None else correction.label
        self._library.label([(number, label)], "correction")
        self.corrected += 1
        digit = self._library.take(number)
        yield Kept(word.device, number, digit.digit, digit.confidence, label, is_correction=True)


def name_session(library: Library) -> str:
    """What a broker knows this library's collector by: no other's name, not even that of a copy elsewhere."""
    what = f"{library.identity} {platform.node()} {library.path.resolve()}"
    return f"inkling-collect-{hashlib.sha256(what.encode(errors='surrogateescape')).hexdigest()[:12]}"


@contextmanager
def collect_alone(library: Path) -> Iterator[None]:
    """Let nobody else collect into a library within the block: two would throw each other off the broker.

    Raises
    ------
    LibraryError : if somebody does already
    """
    lock = library.with_name(f"{library.name}.collecting")
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LibraryError(
                f"{library}: another 'collect' fills it already: end that one, or name another file with "
                "--library"
            ) from error
        yield


def _see(word: Word, event: EventMessage) -> Sight:
    if not _is_fit(event.id) or not _is_fit(event.model):
        raise BadMessageError(f"an id or a model of more than {LONGEST_ID} characters, or none that is text")
    image = np.rint(decode_image(event.image) * 255).astype(np.uint8)
    return Sight(
        word.device,
        event.id,
        _read_time(event.ts) or word.time,
        image,
        event.digit,
        event.confidence,
        event.outputs,
        event.model,
    )


def _is_fit(text: str) -> bool:
    """Whether text can be kept: half a character, which JSON allows, cannot."""
    try:
        return 0 < len(text) <= LONGEST_ID and bool(text.encode())
    except UnicodeEncodeError:
        return False


def _read_time(text: str | None) -> datetime | None:
    """When the device says that it was; None if its clock was not set, or it says what is no time."""
    try:
        time = datetime.fromisoformat(text or "")
        time = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    # Beyond these it was not set, and could not be shown by every clock.
    return time if 2000 <= time.year < 9000 else None
