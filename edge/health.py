"""Health: how the device is, and everything that wants attention."""

from __future__ import annotations

import logging
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Literal

from shared.messages import HealthMessage

log = logging.getLogger(__name__)

_TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")
_RESIDENT = "/proc/{}/statm"


class Health:
    """Collects problems, one for each part, and counts frames.

    A part without a problem is "ok". `on_change` is called, with the parts that have one, whenever a
    problem comes or goes. Any thread may report.
    """

    def __init__(self, on_change: Callable[[list[str]], None] = lambda _: None) -> None:
        self._problems: dict[str, str] = {}
        self._on_change = on_change
        self._lock = Lock()
        self._started = self._counting_since = time.monotonic()
        self._frames = 0
        self._busy_s = 0.0

    def report(self, part: str, problem: str | None, level: int = logging.WARNING) -> None:
        """Note what is wrong with a part, or None when nothing is any more; it is logged at this level."""
        with self._lock:
            if self._problems.get(part) == problem:
                return
            # Replaced as a whole, because other threads read it.
            rest = {other: known for other, known in self._problems.items() if other != part or problem}
            self._problems = rest if problem is None else {**rest, part: problem}
            if problem is None:
                log.info("%s: ok", part)
            else:
                log.log(level, "%s: %s", part, problem)
            self._on_change(list(self._problems))

    def state_of(self, part: str) -> str:
        """Tell a part's problem, or "ok"."""
        return self._problems.get(part, "ok")

    @property
    def problems(self) -> tuple[str, ...]:
        """Every problem, led by the name of its part."""
        return tuple(f"{part}: {problem}" for part, problem in self._problems.items())

    def count_frame(self, busy_s: float) -> None:
        """Count a frame that took this many seconds to be read and told."""
        self._frames += 1
        self._busy_s += busy_s

    def take_frame_rate(self) -> tuple[float, float]:
        """Tell frames a second and milliseconds a frame since the last call."""
        now = time.monotonic()
        elapsed = max(now - self._counting_since, 1e-3)
        figures = self._frames / elapsed, 1000 * self._busy_s / max(self._frames, 1)
        self._counting_since, self._frames, self._busy_s = now, 0, 0.0
        return figures

    def describe(self, queued: int, dropped: int) -> HealthMessage:
        """Tell how the device is, and how many events wait for the broker and were given up."""
        frames_per_s, frame_ms = self.take_frame_rate()
        temperature_c = measure_temperature_c()
        return HealthMessage(
            uptime_s=round(self.uptime_s, 1),
            frames_per_s=round(frames_per_s, 2),
            frame_ms=round(frame_ms, 2),
            memory_mb=round(measure_memory_mb(), 1),
            queued=queued,
            dropped=dropped,
            camera=self.state_of("camera"),
            leds=self.state_of("leds"),
            problems=self.problems,
            temperature_c=None if temperature_c is None else round(temperature_c, 1),
        )

    @property
    def uptime_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started


def measure_memory_mb(process: int | Literal["self"] = "self") -> float:
    """Resident memory of a process, in megabytes of 10^6 bytes."""
    try:
        pages = int(Path(_RESIDENT.format(process)).read_text().split()[1])
    except OSError:  # no /proc: the peak is the next best thing
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure_temperature_c() -> float | None:
    """Temperature of the processor, or None where it cannot be read."""
    try:
        return int(_TEMPERATURE.read_text()) / 1000
    except (OSError, ValueError):
        return None
