"""Runs the daemon, with a mark before and after each step of a day's work.

`daemon_instructions` starts this on the emulated Pi, in a folder that holds `edge`, `shared`, paho-mqtt, the
configuration and the frames, and reads what it prints: a line before each mark, and the counter's line at it.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import edge.camera
import edge.service
from edge.camera import Camera, Frame, Report
from edge.config import CameraSettings
from shared.ink import Bytes

MARK = 0x494E4B00  # as in deploy/emulated_pi/instruction_counter.c

# How long nothing happens: long enough for two of the pings to the broker.
IDLE_S = 10.0

# How long the connection to the broker has for what there is to tell.
TELLING_S = 0.5

PACE_S = 0.1


def mark(name: str) -> None:
    print(f"mark\t{name}", flush=True)
    with suppress(OSError):
        os.close(MARK)


@contextmanager
def counted(name: str) -> Iterator[None]:
    mark("")
    yield
    mark(name)


class Steps:
    """A camera that shows what is to be counted, one after the other."""

    def __init__(self, settings: CameraSettings) -> None:
        import numpy as np

        frames = np.load(Path(sys.argv[1]) / "frames.npz")
        self._digits, self._places, self._still = frames["digits"], frames["places"], frames["still"]
        self._time, self._pace_s = time.monotonic(), PACE_S

    def frames(self, stop: Event, report: Report) -> Iterator[Frame]:
        yield self._take(self._places[0])  # after this the daemon is ready
        yield from self._hold_up()  # what is done for the first time costs more
        for _ in range(int(sys.argv[2])):
            with counted("idle"):
                time.sleep(IDLE_S)
            for digit in self._digits:  # each another one, so that none settles
                with counted("digit"):
                    yield self._take(digit)
            for place in self._places:
                with counted("nothing"):
                    yield self._take(place)
            for frame in [*self._still] * 2:
                yield self._take(frame)
            for frame in self._still:
                with counted("unchanged"):
                    yield self._take(frame)
            yield from self._hold_up()
            with counted("told"):
                yield from self._hold_up()
            # Frames that are no later than the one before are read, and no more.
            self._pace_s = 0.0
            with counted("not told"):
                yield from self._hold_up()
            self._pace_s = PACE_S

    def _hold_up(self) -> Iterator[Frame]:
        """Hold a digit up and take it away, twice, because every other empty frame is looked at otherwise."""
        for _ in range(2):
            for frames in (self._still, self._places):
                for frame in [*frames] * 3:
                    yield self._take(frame)
                time.sleep(TELLING_S)

    def _take(self, pixels: Bytes) -> Frame:
        self._time += self._pace_s
        return Frame(pixels, self._time)

    def close(self) -> None:
        pass


def open_steps(settings: CameraSettings) -> Camera:
    return Steps(settings)


def notify(state: str, told: list[str] = []) -> None:  # noqa: B006 (the first time is another than the next)
    if state.startswith("READY") and not told:
        told.append(state)
        mark("ready")


def main() -> None:
    edge.camera.open_camera = open_steps
    edge.service.notify = notify
    folder = sys.argv[1]
    from edge.cli import main as run

    raise SystemExit(run(["run", "--config", f"{folder}/edge.toml"]))


if __name__ == "__main__":
    main()
