"""The allowance: how often others may have something done, lest a flood keeps the device from reading."""

from __future__ import annotations

import time
from collections.abc import Callable

# So much is done in a row, and so much a second in the long run.
MOST_AT_ONCE = 20
MOST_A_SECOND = 5.0


class Allowance:
    """Counts what is done.

    Parameters
    ----------
    clock : monotonic seconds
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left, self._counted = float(MOST_AT_ONCE), clock()

    def take(self) -> bool:
        """Use it once; tells whether there was something left of it."""
        now = self._clock()
        earned = (now - self._counted) * MOST_A_SECOND
        self._left, self._counted = min(MOST_AT_ONCE, self._left + earned), now
        if self._left < 1:
            return False
        self._left -= 1
        return True
