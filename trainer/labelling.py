"""Labelling: somebody looks at one digit after another and says what it is."""

from __future__ import annotations

import sys
import termios
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.text import Text

from shared.printable import make_printable
from shared.reading import show_confidence
from trainer.errors import BadSettingError
from trainer.half_blocks import draw_half_blocks, draw_shades
from trainer.library import Library
from trainer.own_digits import NOTHING, OwnDigit

HELP = "0-9 what it is  n no digit  s skip  u undo  q quit"

# A terminal of so many columns and lines has room for pictures of twice the size.
WIDE, HIGH = 60, 34


def label_one_by_one(
    library: Library, digits: Sequence[OwnDigit], read_key: Callable[[], str], console: Console
) -> int:
    """Show digits, and keep what is said of each at once; returns how many were labelled.

    Parameters
    ----------
    read_key : waits for a key: 0 to 9, n, s, u or q; an empty one ends, too
    """
    before: list[tuple[OwnDigit, bool]] = []
    place = 0
    while place < len(digits):
        digit = digits[place]
        _show(digit, place, len(digits), console)
        key = ""
        while key not in (*"0123456789", "n", "s", "u", "q"):
            key = read_key().lower()
            if not key:
                key = "q"
        if key == "q":
            break
        if key == "u":
            if before:
                digit, was_labelled = before.pop()
                if was_labelled:
                    library.restore(digit)
                place -= 1
            continue
        before.append((digit, key != "s"))
        if key != "s":
            library.label([(digit.number, NOTHING if key == "n" else int(key))], "label")
        place += 1
    return sum(was_labelled for _, was_labelled in before)


def _show(digit: OwnDigit, place: int, count: int, console: Console) -> None:
    if console.color_system is None:
        picture = draw_shades(digit.image)
    else:
        fits = console.width >= WIDE and console.height >= HIGH
        picture = draw_half_blocks(digit.image, larger=2 if fits else 1)
    known = "" if digit.label is None else f", said to be {digit.meaning}"
    console.clear()
    console.print(
        Group(
            Text(
                f"{place + 1} of {count}: number {digit.number}, {make_printable(digit.device)}, "
                f"{digit.time.astimezone():%d %b %H:%M}"
            ),
            picture,
            Text(f"read as {digit.digit} ({show_confidence(digit.confidence)}){known}"),
            Text(HELP, style="dim"),
        )
    )


@contextmanager
def read_keys() -> Iterator[Callable[[], str]]:
    """Within the block keys come as they are pressed, without Enter; gives what waits for one.

    Raises
    ------
    BadSettingError : if there is no keyboard
    """
    if not sys.stdin.isatty():
        raise BadSettingError("no terminal to ask at: use --set NUMBER=DIGIT, and --sheet or --list to look")
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        yield lambda: sys.stdin.read(1)
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
