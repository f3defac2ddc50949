"""What made-up pictures are drawn with: smooth noise, grain, and lines with a width."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from shared.feedforward import FloatArray

Shape = tuple[int, int]
Points = Sequence[tuple[float, float]] | Sequence[npt.NDArray[np.floating]] | npt.NDArray[np.floating]
_Choice = TypeVar("_Choice")

GRAIN_SIDE = 1024  # grain is cut out of one square field of noise, at random places


def pick(random: np.random.Generator, *choices: _Choice) -> _Choice:
    """Choose one."""
    return choices[int(random.integers(len(choices)))]


def draw_clouds(random: np.random.Generator, shape: Shape, cells: tuple[float, float]) -> FloatArray:
    """Draw noise that is smooth over about `cells` (down, across) pixels: float32, mean 0, spread 0.5."""
    weights = [_blend(length, cell) for length, cell in zip(shape, cells, strict=True)]
    knots = random.normal(0, 0.7, [part.shape[1] for part in weights]).astype(np.float32)
    return np.asarray(weights[0] @ knots @ weights[1].T, np.float32)


def _blend(length: int, cell: float) -> FloatArray:
    """How much each knot has to say at each of `length` pixels: float32 (length, knots)."""
    place = np.arange(length, dtype=np.float32) / np.float32(cell)
    below = place.astype(np.intp)
    share = place - below
    share *= share * (3 - 2 * share)
    weights = np.zeros((length, int(below[-1]) + 2), np.float32)
    weights[np.arange(length), below] = 1 - share
    weights[np.arange(length), below + 1] = share
    return weights


def draw_grain(random: np.random.Generator, shape: Shape, coarseness: float = 0.0) -> FloatArray:
    """Cut grain, float32, mean 0, spread 1, read-only, from a field kept for each `coarseness` (pixels)."""
    field = _draw_grain_field(coarseness)
    top, left = (int(random.integers(GRAIN_SIDE - length + 1)) for length in shape)
    return field[top : top + shape[0], left : left + shape[1]]


@cache
def _draw_grain_field(coarseness: float) -> FloatArray:
    from scipy import ndimage

    field = np.random.default_rng(0).standard_normal((GRAIN_SIDE, GRAIN_SIDE), np.float32)
    if coarseness:
        field = ndimage.gaussian_filter(field, coarseness, mode="wrap")
    field /= field.std()
    field.flags.writeable = False
    return field


def measure_distance(points: Points, shape: Shape, reach: float) -> FloatArray:
    """How far each pixel is from the line through `points` (x, y): float32, and `reach` where further."""
    distance = np.full(shape, reach, np.float32)
    line = np.asarray(points, np.float32)
    for begin, end in pairwise(line):
        left, top = np.maximum(np.floor(np.minimum(begin, end) - reach), 0).astype(int)
        right, bottom = np.maximum(np.ceil(np.maximum(begin, end) + reach) + 1, 0).astype(int)
        part = distance[top:bottom, left:right]
        if not part.size:
            continue
        x = np.arange(left, left + part.shape[1], dtype=np.float32) - begin[0]
        y = np.arange(top, top + part.shape[0], dtype=np.float32)[:, np.newaxis] - begin[1]
        along = end - begin
        share = np.clip((x * along[0] + y * along[1]) / max(float(along @ along), 1e-9), 0, 1)
        np.minimum(part, np.hypot(x - share * along[0], y - share * along[1]), out=part)
    return distance


def bend(random: np.random.Generator, points: Points, wobble: float, steps: int = 12) -> FloatArray:
    """A smooth curve through `points` (x, y), each moved by about `wobble` pixels: float32 (count, 2)."""
    knots = np.asarray(points, np.float32) + random.normal(0, wobble, (len(points), 2))
    # Catmull and Rom's spline: through every knot, in the direction of its neighbours.
    around = np.concatenate((2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]))
    t = np.linspace(0, 1, steps, endpoint=False)[:, np.newaxis]
    parts = [
        b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        for a, b, c, d in zip(around, around[1:], around[2:], around[3:], strict=False)
    ]
    curve: FloatArray = np.concatenate((*parts, knots[-1:])).astype(np.float32)
    return curve


def paint(canvas: FloatArray, cover: FloatArray, tone: FloatArray | float) -> None:
    """Paint over a canvas, in place, where `cover` (0 to 1) says."""
    canvas += cover * (tone - canvas)
