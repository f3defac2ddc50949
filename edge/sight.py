"""Sight: tells when the camera cannot see, once that lasts."""

from __future__ import annotations

from edge.health import Health
from shared.digit_finder import NoDigit
from shared.reading import Reading

# For how long frames must agree on what is wrong, or on that nothing is: a hand over the lens is no problem.
LASTING_S = 3.0

WHAT_TO_DO = {
    NoDigit.TOO_DARK: "too dark: give it more light",
    NoDigit.BLOWN_OUT: "blown out: give it less light",
    NoDigit.BLURRED: "blurred: hold the digit further away, or clean and focus the lens",
}


class Sight:
    """Reports to health what keeps the camera from seeing, and that it is over, once either has lasted."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._problem: str | None = None
        self._since: float | None = None

    def observe(self, reading: Reading | NoDigit, time: float) -> None:
        """Take the reading of the frame taken at `time` (monotonic seconds)."""
        problem = WHAT_TO_DO.get(reading) if isinstance(reading, NoDigit) else None
        if problem != self._problem or self._since is None:
            self._problem, self._since = problem, time
        if time - self._since >= LASTING_S:
            self._health.report("sight", problem)
