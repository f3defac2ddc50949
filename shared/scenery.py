"""Made-up scenes as a camera sees them: a backdrop, a sheet with a digit before it, light, lens and sensor.

Both halves look at them: the edge's simulated camera, and the trainer. Everything is drawn from the random
generator that is handed in, so the same seed gives the same pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.backdrop import draw_backdrop
from shared.conditions import Conditions, Light
from shared.digit_finder import Box
from shared.feedforward import FloatArray
from shared.layer import Layer, Place
from shared.sheet import write_sheet
from shared.texture import Shape, draw_clouds, draw_grain, measure_distance

Bytes = npt.NDArray[np.uint8]
Held = Sequence[tuple[Layer, Place]]

FRAME: Shape = (240, 320)


class View(NamedTuple):
    """What the camera saw: a uint8 frame (H, W), and the digit's box in it, cut off at the frame's edge."""

    frame: Bytes
    box: Box


def hold_up(ink: FloatArray, random: np.random.Generator, conditions: Conditions | None = None) -> View:
    """Hold a digit up once, before a new backdrop.

    Parameters
    ----------
    ink : float32 (H, W), of any size, 0.0 = paper, 1.0 = full ink
    conditions : drawn at random where none are given
    """
    conditions = conditions or Conditions.draw(random)
    sheet, place = write_sheet(ink, conditions, random, FRAME)
    frame = Scene(random, conditions).look(random, [(sheet, place)])
    return View(frame, cut_box(sheet.find_box(place, FRAME), FRAME))


def cut_box(sides: tuple[float, float, float, float], shape: Shape) -> Box:
    """The part in the frame of a box given as (left, top, right, bottom)."""
    left, right = (min(max(round(side), 0), shape[1]) for side in sides[::2])
    top, bottom = (min(max(round(side), 0), shape[0]) for side in sides[1::2])
    return Box(left, top, right - left, bottom - top)


class Scene:
    """A backdrop, its light, and the camera before it: looks at whatever is held up.

    Parameters
    ----------
    conditions : clutter, light, exposure and noise are theirs
    backdrop : float32, 0.0 = black, 1.0 = white; drawn where none is given
    """

    def __init__(
        self, random: np.random.Generator, conditions: Conditions, backdrop: FloatArray | None = None
    ) -> None:
        if backdrop is None:
            backdrop = draw_backdrop(random, FRAME, conditions.clutter)
        self.backdrop = backdrop
        self.shape: Shape = (self.backdrop.shape[0], self.backdrop.shape[1])
        self._light = draw_light(random, conditions.light, self.shape) * np.float32(255 * conditions.exposure)
        self._noise = np.float32(conditions.noise)

    def look(self, random: np.random.Generator, held: Held = (), light: FloatArray | float = 1.0) -> Bytes:
        """Take a picture: uint8 (H, W), with fresh noise.

        Parameters
        ----------
        held : what is held up where, the furthest first
        light : how much there is of what was drawn, over the whole frame or for each pixel
        """
        return self.expose(random, self.see(held), light)

    def see(self, held: Held) -> FloatArray:
        """What is before the camera, without light: float32 (H, W), 1.0 = white."""
        seen = self.backdrop.copy()
        for layer, place in held:
            layer.show(seen, place)
        return seen

    def expose(self, random: np.random.Generator, seen: FloatArray, light: FloatArray | float = 1.0) -> Bytes:
        """Take a picture of what is seen: uint8 (H, W)."""
        picture = seen * self._light
        picture *= light
        picture += self._noise * draw_grain(random, self.shape)
        return np.clip(picture, 0, 255, out=picture).astype(np.uint8)


def draw_light(random: np.random.Generator, kind: Light, shape: Shape = FRAME) -> FloatArray:
    """Draw how much light falls where: float32, 1.0 = full light."""
    height, width = shape
    angle = random.uniform(0, 2 * math.pi)
    rows, columns = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    across = (columns * math.cos(angle) + rows * math.sin(angle)).astype(np.float32)
    light = np.ones(shape, np.float32)
    if kind != "even":
        light -= random.uniform(0, 0.1) * (1 + across)
    if kind == "slope":
        light *= 1 - random.uniform(0.15, 0.3) * (1 + across)
    elif kind == "vignette":
        off_x, off_y = random.uniform(-0.3, 0.3, 2)
        from_middle = ((columns - off_x) ** 2 + (rows - off_y) ** 2).astype(np.float32)
        light *= 1 - random.uniform(0.15, 0.35) * from_middle
    elif kind in ("soft shadow", "hard shadow"):
        soft = random.uniform(25, 80) if kind == "soft shadow" else random.uniform(0.7, 4)
        depth = random.uniform(0.25, 0.6)
        light *= 1 - depth * np.clip(_measure_shade(random, across, shape, soft) / soft + 0.5, 0, 1)
    return np.maximum(light, 0.05)


def _measure_shade(random: np.random.Generator, across: FloatArray, shape: Shape, soft: float) -> FloatArray:
    """How far inside a shadow each pixel is, in pixels: of an edge, a bar, a head or an arm, or of leaves."""
    height, width = shape
    kind = random.integers(4 if soft > 20 else 3)  # leaves are too far away for a hard shadow
    edge = across * min(shape) / 2 + random.uniform(-60, 60)
    if kind == 0:
        return edge + random.uniform(0, 12) * draw_clouds(random, shape, (60, 60))
    if kind == 1:
        return np.asarray(random.uniform(12, 60) - np.abs(edge), np.float32)
    if kind == 2:
        tip = random.uniform(0, width), random.uniform(0, height)
        line = [tip, (random.uniform(0, width), height * 1.5)]
        return random.uniform(15, 60) - measure_distance(line, shape, 150)
    return draw_clouds(random, shape, (70, 70)) * 50
