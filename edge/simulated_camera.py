"""A simulated scene: sheets of paper with a digit are held up, move a little, and go.

The digits are MNIST's test images where MNIST is there, and drawn from strokes where it is not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from threading import Event

import numpy as np
import numpy.typing as npt

from edge.camera import Frame, Report
from edge.config import CameraSettings
from shared.errors import MissingDataError
from shared.feedforward import FloatArray
from shared.idx import TEST_IMAGES, TEST_LABELS, read_digits
from shared.strokes import draw_digit

PAPER, INK = 190.0, 45.0
SENSOR_NOISE = 2.5

# Fields of noise made once; showing them in turn costs nothing a frame.
NOISE_FIELDS = 8

# How long a sheet takes to be moved into view, and out of it again.
MOVE_S = 0.25

# A digit's 28x28 picture spans this share of the frame's height.
SPAN = 0.75

# How far the hand that holds the sheet trembles, as a share of the frame's height.
TREMBLE = 0.012


class SimulatedCamera:
    """Holds up the digits that the configuration lists, once; or, if it lists none, random ones for ever.

    Raises
    ------
    MissingDataError : if the configuration names a folder without MNIST in it
    """

    def __init__(self, settings: CameraSettings) -> None:
        self._settings = settings
        self._random = np.random.default_rng(settings.simulated.seed)
        self._mnist = _load_mnist(settings.simulated.mnist)
        size = (settings.height, settings.width)
        slope = np.add.outer(np.linspace(0, 8, size[0]), np.linspace(12, 0, size[1]))
        self._paper = PAPER + slope.astype(np.float32)
        self._noise = self._random.normal(0, SENSOR_NOISE, (NOISE_FIELDS, *size)).astype(np.float32)

    def frames(self, stop: Event, report: Report) -> Iterator[Frame]:
        """Yield the scene as time goes by; `Camera` has the rest."""
        simulated = self._settings.simulated
        digits: Iterator[int] = (
            iter(simulated.digits)
            if simulated.digits
            else (int(self._random.integers(10)) for _ in repeat(None))
        )
        for digit in chain(digits, [None]):
            begin = time.monotonic()
            while (now := time.monotonic()) < begin + simulated.gap_s:
                yield Frame(self._look(None, 0, 0), now)
                if stop.wait(1 / self._settings.frames_per_second):
                    return
            if digit is None:
                return
            sheet = self._write(digit)
            begin = time.monotonic()
            while (now := time.monotonic()) < begin + simulated.hold_s:
                down, right = self._place(now - begin, simulated.hold_s)
                yield Frame(self._look(sheet, down, right), now, str(digit))
                if stop.wait(1 / self._settings.frames_per_second):
                    return

    def close(self) -> None:
        """Nothing to let go of."""

    def _write(self, digit: int) -> FloatArray:
        """Write a digit large enough for the scene: its ink, 0 to 1, (side, side)."""
        from scipy import ndimage  # slow to import on a Pi, where this is a rare guest

        images, labels = self._mnist or ([], [])
        choices = np.flatnonzero(np.equal(labels, digit))
        if not len(choices):
            picture = draw_digit(digit, self._random)
        else:
            picture = images[self._random.choice(choices)].astype(np.float32) / 255
        scale = SPAN * self._settings.height / len(picture)
        large: FloatArray = ndimage.zoom(picture, scale, order=3, prefilter=False)
        return np.clip(large, 0, 1)

    def _place(self, held: float, hold_s: float) -> tuple[int, int]:
        """Tell how far from the middle the sheet is, in pixels down and right."""
        height = self._settings.height
        moved = min(1.0, held / MOVE_S, max(0.0, hold_s - held) / MOVE_S)
        tremble = TREMBLE * height
        down = (1 - moved) * height + tremble * np.sin(5.1 * held) + self._random.normal(0, tremble / 4)
        right = tremble * np.cos(3.7 * held) + self._random.normal(0, tremble / 4)
        return round(down), round(right)

    def _look(self, sheet: FloatArray | None, down: int, right: int) -> npt.NDArray[np.uint8]:
        """Take a picture of the scene."""
        light = self._paper + self._noise[self._random.integers(NOISE_FIELDS)]
        if sheet is not None:
            height, width = light.shape
            top, left = (height - len(sheet)) // 2 + down, (width - len(sheet)) // 2 + right
            # Cut off what sticks out of the frame.
            ink = sheet[max(-top, 0) : max(height - top, 0), max(-left, 0) : max(width - left, 0)]
            part = light[max(top, 0) :, max(left, 0) :][: ink.shape[0], : ink.shape[1]]
            part += ink * (INK - part)
        picture: npt.NDArray[np.uint8] = np.clip(light, 0, 255).astype(np.uint8)
        return picture


def _load_mnist(chosen: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]] | None:
    """Load MNIST's test images and labels; None where there are none and none were asked for."""
    # Where 'inkling-trainer fetch' puts them, unless told otherwise.
    data_home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    folder = Path(chosen or os.environ.get("INKLING_DATA") or Path(data_home) / "inkling")
    try:
        return read_digits(folder / TEST_IMAGES, folder / TEST_LABELS)
    except MissingDataError:
        if chosen:
            raise
        return None
