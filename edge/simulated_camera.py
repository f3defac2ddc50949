"""A simulated scene: sheets of paper with a digit are held up, move a little, and go.

The digits are MNIST's test images where MNIST is there, and drawn from strokes where it is not. In a plain
scene they are held before nothing but paper; in hard ones before whatever may be in view, in any light.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from threading import Event

import numpy as np
import numpy.typing as npt

from edge.camera import Frame, Report
from edge.config import CameraSettings
from shared import acts
from shared.acts import Act
from shared.conditions import Conditions
from shared.digit_image import IMAGE_SIZE
from shared.errors import MissingDataError
from shared.feedforward import FloatArray
from shared.idx import TEST_IMAGES, TEST_LABELS, read_digits
from shared.layer import Layer, Place
from shared.scenery import Scene
from shared.strokes import draw_digit
from shared.texture import pick

# A plain scene: the paper's and the ink's grey of 255, and how much brighter the paper is to one side.
PAPER, INK = 190, 45
SLOPE = 20
SENSOR_NOISE = 2.5

# How long a sheet takes to be moved into view, and out of it again.
MOVE_S = 0.25

# A digit's 28x28 picture spans this share of the frame's height.
SPAN = 0.75

# How far the hand that holds the sheet trembles, as a share of the frame's height.
TREMBLE = 0.012

# What may happen to a digit in a hard scene: all but its swapping for one that was not asked for.
HARD_KINDS = tuple(kind for kind in acts.KINDS if kind != "swapping")


class SimulatedCamera:
    """Holds up the digits that the configuration lists, once; or, if it lists none, random ones for ever.

    Raises
    ------
    MissingDataError : if the configuration names a folder without MNIST in it
    """

    def __init__(self, settings: CameraSettings) -> None:
        self._settings = settings
        self._shape = settings.height, settings.width
        self._random = np.random.default_rng(settings.simulated.seed)
        self._mnist = _load_mnist(settings.simulated.mnist)

    def frames(self, stop: Event, report: Report) -> Iterator[Frame]:
        """Yield the scene as time goes by; `Camera` has the rest."""
        return self.perform(time.monotonic, stop.wait)

    def perform(self, clock: Callable[[], float], pause: Callable[[float], object]) -> Iterator[Frame]:
        """Yield the scene by any clock; with one that does not wait, an hour is over when it is drawn.

        Parameters
        ----------
        clock : tells the time in seconds
        pause : lets that many seconds go by, and tells whether to end
        """
        for number, drawn in enumerate(self._draw_acts()):
            # How many pictures are taken is the clock's doing; what the next act is may not depend on it.
            noise = np.random.default_rng((self._settings.simulated.seed, number))
            act, begin = replace(drawn, random=noise), clock()
            while (now := clock()) < begin + act.length_s:
                digit = act.find_digit(now - begin)
                yield Frame(act.look(now - begin), now, None if digit is None else str(digit))
                if pause(1 / self._settings.frames_per_second):
                    return

    def close(self) -> None:
        """Nothing to let go of."""

    def _draw_acts(self) -> Iterator[Act]:
        """Draw one act after the other: nothing and a digit, nothing and a digit, nothing."""
        simulated = self._settings.simulated
        draw = self._draw_hard_act if simulated.scenes == "hard" else self._draw_plain_act
        for digit in simulated.digits or (int(self._random.integers(10)) for _ in repeat(None)):
            yield draw(digit)
        yield draw(None)

    def _draw_hard_act(self, digit: int | None) -> Act:
        simulated, random = self._settings.simulated, self._random
        conditions = Conditions.draw(random)
        if digit is None:
            return acts.draw_empty_act(random, "empty", conditions, simulated.gap_s, shape=self._shape)
        ink, other = (
            acts.Ink(number, self._draw_ink(number)) for number in (digit, int(random.integers(10)))
        )
        return acts.draw_act(
            random,
            pick(random, *HARD_KINDS),
            ink,
            other,
            conditions,
            shape=self._shape,
            lead_s=simulated.gap_s,
            hold_s=simulated.hold_s,
            gap_s=0,
        )

    def _draw_plain_act(self, digit: int | None) -> Act:
        simulated, random = self._settings.simulated, self._random
        height, width = self._shape
        slope = np.add.outer(np.linspace(0, 0.4 * SLOPE, height), np.linspace(0.6 * SLOPE, 0, width))
        paper = ((PAPER + slope) / 255).astype(np.float32)
        scene = Scene(random, Conditions(exposure=1, noise=SENSOR_NOISE), paper)
        begin, end = simulated.gap_s, simulated.gap_s + simulated.hold_s
        if digit is None:
            return Act(scene, random, begin, lambda time: acts.Stage())
        there = Place(width / 2, height / 2)
        below = there._replace(y=1.5 * height)
        tremble = acts.Tremble.draw(random, TREMBLE * height, 0)
        path = acts.Path(below, there, below, begin, begin + MOVE_S, end - MOVE_S, end, tremble)
        hold = acts.Hold([self._write(digit)], path, 0, digit)
        showing = acts.Showing(digit, begin, begin + MOVE_S, end)
        return Act(scene, random, end, lambda time: acts.Stage(hold(time)), (showing,))

    def _write(self, digit: int) -> Layer:
        """Write a digit large enough for the scene, on nothing."""
        from scipy import ndimage  # slow to import on a Pi, where this is a rare guest

        picture = np.pad(self._draw_ink(digit), 1)
        scale = SPAN * self._settings.height / IMAGE_SIZE
        ink = np.clip(ndimage.zoom(picture, scale, order=3, prefilter=False), 0, 1)
        tall, wide = ink.shape
        corners = np.array(((-wide / 2, -tall / 2), (wide / 2, tall / 2)), np.float32)
        return Layer(np.float32(INK / 255) * ink, 1 - ink, (wide / 2, tall / 2), corners)

    def _draw_ink(self, digit: int) -> FloatArray:
        """Choose how a digit is written: float32 (28, 28), 1.0 = ink."""
        images, labels = self._mnist or ([], [])
        choices = np.flatnonzero(np.equal(labels, digit))
        if not len(choices):
            return draw_digit(digit, self._random)
        return np.asarray(images[self._random.choice(choices)] / 255, np.float32)


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
