"""Exposure and white balance: left to the camera until they have settled, then held.

A hand in front of the paper would otherwise change the paper's grey.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

log = logging.getLogger(__name__)

# What is held, by libcamera's names, and what is then no longer automatic.
HELD = ("ExposureTime", "AnalogueGain", "ColourGains")
AUTOMATIC = ("AeEnable", "AwbEnable")

# Settled is what has stayed within this share over so many frames; what never does is held after so many.
SETTLED_FRAMES, MOST_FRAMES = 12, 120
SETTLED_SHARE = 0.03

# A camera does what it is told some frames later, in whole lines of its sensor: then it is looked at again,
# and told again if it does otherwise.
OBEYING_FRAMES, MOST_TELLINGS = 8, 3
OBEYING_SHARE = 0.05

Controls = dict[str, Any]


class Exposure:
    """Watches the metadata of a camera's frames, and says when to set which controls.

    Parameters
    ----------
    controls : the names of those that the camera has; without any of `HELD` there is nothing to do
    """

    def __init__(self, controls: Sequence[str]) -> None:
        self._names = tuple(name for name in HELD if name in controls)
        self._automatic = {name: False for name in AUTOMATIC if name in controls}
        self._seen: deque[Controls] = deque(maxlen=SETTLED_FRAMES)
        self._frames = self._tellings = 0
        self._held: Controls = {}

    @property
    def is_held(self) -> bool:
        """Whether there is nothing more to do."""
        return not self._names

    def observe(self, metadata: Mapping[str, Any]) -> Controls:
        """Take a frame's metadata; returns the controls to set now, which are none for most frames."""
        self._frames += 1
        values = {name: metadata[name] for name in self._names if name in metadata}
        if self._held:
            return self._verify(values)
        self._seen.append(values)
        if not self._has_settled():
            if self._frames < MOST_FRAMES:
                return {}
            log.warning("camera: its exposure does not settle: held as it is")
        if not values:
            self._names = ()
            return {}
        self._held = values
        return self._tell()

    def _has_settled(self) -> bool:
        first = self._seen[0]
        return len(self._seen) == SETTLED_FRAMES and all(
            is_near(seen, first, SETTLED_SHARE) for seen in self._seen
        )

    def _verify(self, values: Controls) -> Controls:
        if self._frames < OBEYING_FRAMES:
            return {}
        if is_near(values, self._held, OBEYING_SHARE):
            log.info("camera: held at %s", self._held)
        elif self._tellings < MOST_TELLINGS:
            return self._tell()
        else:
            log.warning("camera: told to stay at %s, it is at %s", self._held, values)
        self._names = ()
        return {}

    def _tell(self) -> Controls:
        self._tellings += 1
        self._frames = 0
        return {**self._automatic, **self._held}


def is_near(values: Controls, others: Controls, share: float) -> bool:
    """Whether each value, or each part of one, is within this share of the other."""
    return values.keys() == others.keys() and all(
        abs(one - other) <= share * abs(other)
        for name in values
        for one, other in zip(_parts(values[name]), _parts(others[name]), strict=True)
    )


def _parts(value: Any) -> Sequence[float]:
    return value if isinstance(value, Sequence) else (value,)
