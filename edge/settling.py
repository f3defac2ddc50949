"""Settling: a stream of readings becomes predictions that can be relied on.

A digit is announced once when it is held still, and withdrawn when it goes. What the network says of a
single frame is only a vote.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, replace

from edge.config import SettlingSettings
from shared.digit_finder import NoDigit
from shared.reading import LIKELY, Reading

# Fewer frames than this are a flicker, however long the hold time and however slow the camera.
FEWEST_VOTES = 3

# The share of the votes within the hold time that must be for the digit: at 10 frames a second all four.
NEEDED_SHARE = 0.9

# Frames do not come to the millisecond: as many as fill the hold time must do when one is a little early.
EARLY_S = 0.02

# After a longer gap, as when a camera stalls, what was seen before it is no evidence. The slowest camera
# takes a picture every two seconds, or a little more.
STALE_S = 5.0

# How far a side of its box may be from where it is now, as a share of the box's longer side. What moves or
# grows faster may be on its way to be something else, and what it looked like before is no evidence.
STEADY = 0.25


@dataclass(frozen=True, eq=False)
class Prediction:
    """A digit that was settled.

    Attributes
    ----------
    reading : of the frame that settled it, with the mean confidence of the frames that agreed
    id : of this announcement, unlike any other's, also after a restart
    seq : counts announcements from 1
    time : monotonic seconds when the settling frame was taken
    """

    reading: Reading
    id: str
    seq: int
    time: float


@dataclass(frozen=True)
class Withdrawal:
    """What was predicted is not held up any more."""


class Settling:
    """Turns readings into predictions; its `settings` may be changed between two of them.

    A digit is settled when the readings of the last `hold_s` seconds reach back that far, are at least
    three, and nine in ten of them find this digit likely and about where it is now, the latest among them,
    with the needed confidence on the mean: a frame's noise makes no digit, and keeps none back. It is
    withdrawn when no reading finds it likely for `release_s` seconds, or another digit settles.
    """

    def __init__(self, settings: SettlingSettings) -> None:
        self.settings = settings
        self._votes: deque[tuple[float, Reading | None]] = deque()
        self._current: int | None = None
        self._last_seen = 0.0
        self._run = os.urandom(4).hex()
        self._seq = 0

    def observe(self, reading: Reading | NoDigit, time: float) -> Prediction | Withdrawal | None:
        """Take the reading of the frame taken at `time` (monotonic seconds); return what it changes."""
        vote = (
            reading
            if isinstance(reading, Reading) and reading.confidence >= min(LIKELY, self.settings.confidence)
            else None
        )
        if self._votes and time <= self._votes[-1][0]:
            return None  # the same frame again is no second witness
        if self._votes and time - self._votes[-1][0] > STALE_S:
            self._votes.clear()
        self._votes.append((time, vote))
        # A slow camera's votes reach back further than the hold time, or they would never be enough.
        begin = time - self.settings.hold_s + EARLY_S
        while len(self._votes) > FEWEST_VOTES and self._votes[1][0] <= begin:
            self._votes.popleft()
        if vote is not None and vote.digit == self._current:
            self._last_seen = time
        elif vote is not None and (weight := self._weigh(vote, begin)) >= self.settings.confidence:
            self._current, self._last_seen = vote.digit, time
            self._seq += 1
            settled = replace(vote, confidence=weight)
            return Prediction(settled, f"{self._run}-{self._seq}", self._seq, time)
        elif self._current is not None and time - self._last_seen >= self.settings.release_s:
            self._current = None
            return Withdrawal()
        return None

    def _weigh(self, latest: Reading, begin: float) -> float:
        """The mean confidence of the votes for what the latest one says; 0 if they are too few."""
        count = len(self._votes)
        agreeing = [vote.confidence for _, vote in self._votes if vote is not None and _agree(vote, latest)]
        if max(FEWEST_VOTES, NEEDED_SHARE * count) > len(agreeing) or self._votes[0][0] > begin:
            return 0.0
        return sum(agreeing) / len(agreeing)


def _agree(vote: Reading, latest: Reading) -> bool:
    """Whether both say the same digit, in about the same place and size."""
    (x, y, width, height), now = vote.box, latest.box
    moved = (x - now.x, y - now.y, x + width - now.x - now.width, y + height - now.y - now.height)
    return vote.digit == latest.digit and max(map(abs, moved)) <= STEADY * max(width, height, *now[2:])
