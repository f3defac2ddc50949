"""Ctrl-C as a wish to end well, rather than a blow."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ask_before_stopping() -> Iterator[Callable[[], bool]]:
    """Within the block, the first Ctrl-C is only noted, for the work to see; the second one interrupts.

    Yields
    ------
    a function that tells whether Ctrl-C was pressed
    """
    pressed = False

    def note(_signal: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
