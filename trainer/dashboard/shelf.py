"""The shelf: the library of own digits, as the page shows it and as it is labelled there."""

from __future__ import annotations

import base64
import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shared.reading import NEEDED_CONFIDENCE
from trainer.collector import Collector
from trainer.dashboard.devices import SeenDigit
from trainer.dashboard.errors import BadRequestError
from trainer.errors import LibraryError
from trainer.library import Library
from trainer.own_digits import NOTHING, OwnDigit
from trainer.words import Nonsense, Word

# So many digits are shown at once, and so many labels given can be taken back.
MOST_SHOWN, MOST_CHANGES = 200, 1000

# Who looks at a page does not wait longer than this for a program that writes to the library; what is heard
# meanwhile is tried again.
BUSY_TIMEOUT_S = 3.0

# Who says what digits are, in the library.
SOURCE = "page"

# With more doubt than this a reading would not be said.
DOUBTFUL = 1 - NEEDED_CONFIDENCE

STATES: dict[str, Callable[[OwnDigit], bool]] = {
    "unlabelled": lambda digit: digit.label is None,
    "labelled": lambda digit: digit.label is not None,
    "misread": lambda digit: digit.label is not None and digit.label != digit.digit,
    "doubtful": lambda digit: digit.doubt > DOUBTFUL,
    "all": lambda digit: True,
}
ORDERS: dict[str, Callable[[OwnDigit], Any]] = {
    "doubt": lambda digit: (-digit.doubt, digit.number),
    "newest": lambda digit: -digit.number,
}


class Shelf:
    """Shows and labels a library, which stays open; all of it is used in one thread.

    Parameters
    ----------
    path : of the library, which is made if it is missing
    tell : is told whenever something in it has changed, with what is in it now; in that thread
    """

    def __init__(self, path: Path, tell: Callable[[dict[str, Any]], None]) -> None:
        self._path = path
        self._tell = tell
        self._changes: OrderedDict[int, tuple[OwnDigit, int | None]] = OrderedDict()
        self._numbers = itertools.count(1)
        self._library: Library | None = None

    def count(self) -> dict[str, Any]:
        """Count what is in the library, for the page."""
        with self._open() as library:
            return self._describe(library)

    def show(self, wishes: dict[str, str]) -> dict[str, Any]:
        """Show those digits that a page wishes to see.

        Parameters
        ----------
        wishes : device; digit, what it is or was read as, "none" for no digit; state, one of `STATES`;
            order, one of `ORDERS`; from, how many to leave out

        Raises
        ------
        BadRequestError : if that makes no sense
        LibraryError : if the library cannot be read
        """
        state, order = wishes.get("state", "unlabelled"), wishes.get("order", "doubt")
        digit, start = wishes.get("digit", ""), wishes.get("from", "0")
        if state not in STATES or order not in ORDERS or not (start.isascii() and start.isdigit()):
            raise BadRequestError("no such state or order of digits")
        wanted = {"": None, "none": NOTHING}.get(digit, int(digit) if digit in tuple("0123456789") else -2)
        if wanted == -2:
            raise BadRequestError("no such digit")
        with self._open() as library:
            everything = library.take_all()
            count = self._describe(library)
        devices = sorted({one.device for one in everything})
        chosen = [
            one
            for one in everything
            if STATES[state](one)
            and wishes.get("device", "") in ("", one.device)
            and (wanted is None or wanted == (one.digit if one.label is None else one.label))
        ]
        chosen.sort(key=ORDERS[order])
        begin = min(int(start[:9]), len(chosen))
        shown = chosen[begin : begin + MOST_SHOWN]
        return {
            **count,
            "devices": devices,
            "matching": len(chosen),
            "digits": [_describe_digit(one) for one in shown],
        }

    def label(self, number: int, label: int | None) -> dict[str, Any]:
        """Say what a digit is; None takes a label back.

        Returns
        -------
        the digit, and the number by which `undo` takes it back

        Raises
        ------
        UnknownDigitError : if there is no such digit
        LibraryError : if it cannot be kept
        """
        with self._open() as library:
            before = library.take(number)
            library.label([(number, label)], SOURCE)
            return self._report(library, number, self._remember(before, label))

    def correct(self, device: str, seen: SeenDigit, label: int | None) -> dict[str, Any]:
        """Say what a digit that was seen is; it is put into the library if it is not there yet.

        Raises
        ------
        BadRequestError : if it cannot be kept
        LibraryError : if it cannot be kept now
        """
        with self._open() as library:
            said = list(Collector(library).keep([Word(device, "event", seen.message, time=seen.time)]))
            number = library.find(seen.message.id, device)
            if number is None:
                why = next((one.why for one in said if isinstance(one, Nonsense)), "it is no longer there")
                raise BadRequestError(f"it cannot be kept: {why}")
        return self.label(number, label)

    def undo(self, change: int) -> dict[str, Any]:
        """Take back what was said.

        Raises
        ------
        BadRequestError : if it is too long ago, or somebody has said something else since
        LibraryError : if it cannot be kept
        """
        before, label = self._changes.pop(change, (None, None))
        if before is None:
            raise BadRequestError("that is too long ago to be taken back")
        with self._open() as library:
            if library.take(before.number).label != label:
                raise BadRequestError("somebody has labelled it otherwise since")
            library.restore(before)
            return self._report(library, before.number, None)

    def keep(self, words: Sequence[Word]) -> None:
        """Put what was heard into the library; with nothing, only see whether that can be done.

        Raises
        ------
        LibraryError : if it cannot be kept
        """
        with self._open() as library:
            collector = Collector(library)
            with library.together():
                for _ in collector.keep(words):
                    pass  # nonsense is told of where it is heard
            if collector.added or collector.corrected or not words:
                self._tell(self._describe(library))

    def close(self) -> None:
        """Close the library; it is opened again when it is needed."""
        if self._library is not None:
            self._library.__exit__(None, None, None)
            self._library = None

    @contextmanager
    def _open(self) -> Iterator[Library]:
        """Open the library, unless it is open; after a fault it is opened anew."""
        if self._library is None or not self._path.exists():
            self.close()
            self._library = Library(self._path, busy_timeout_s=BUSY_TIMEOUT_S)
        try:
            yield self._library
        except LibraryError:
            self.close()
            raise

    def _remember(self, before: OwnDigit, label: int | None) -> int:
        change = next(self._numbers)
        self._changes[change] = before, label
        if len(self._changes) > MOST_CHANGES:
            self._changes.popitem(last=False)
        return change

    def _report(self, library: Library, number: int, change: int | None) -> dict[str, Any]:
        count = self._describe(library)
        self._tell(count)
        return {**count, "digit": _describe_digit(library.take(number)), "change": change}

    def _describe(self, library: Library) -> dict[str, Any]:
        count, labelled = library.count()
        return {"path": str(self._path), "count": count, "labelled": labelled}


def read_label(value: object) -> int | None:
    """Read a label as a page sends it: 0 to 9, "none" for no digit, null to take it back.

    Raises
    ------
    BadRequestError : if it is anything else
    """
    if value is None or (type(value) is int and 0 <= value <= 9):
        return value
    if value == "none":
        return NOTHING
    raise BadRequestError("no label: use 0 to 9, or none")


def _describe_digit(digit: OwnDigit) -> dict[str, Any]:
    return {
        "number": digit.number,
        "device": digit.device,
        "time": digit.time.isoformat(),
        "image": base64.b64encode(digit.image.tobytes()).decode(),
        "digit": digit.digit,
        "confidence": digit.confidence,
        "outputs": digit.outputs,
        "label": "none" if digit.label == NOTHING else digit.label,
        "source": digit.label_source,
    }
