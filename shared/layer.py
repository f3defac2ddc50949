"""What is held before a backdrop: a picture that lets part of what is behind it through, and where it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.feedforward import FloatArray
from shared.texture import Shape

LENS = 4.0  # frame heights from the sheet to the eye, for the perspective


class Place(NamedTuple):
    """Where a layer is: its origin at `x`, `y` in pixels, turned by `angle` and leant by `lean` degrees."""

    x: float
    y: float
    angle: float = 0.0
    scale: float = 1.0
    lean: float = 0.0

    def blend(self, other: Place, share: float) -> Place:
        """The place on the way to another: `share` 0 is here, 1 is there."""
        return Place(*(here + share * (there - here) for here, there in zip(self, other, strict=True)))


@dataclass(frozen=True, eq=False)
class Layer:
    """Something before the backdrop, prepared once to be shown in many places.

    Attributes
    ----------
    tone : float32 (H, W), the grey that it adds; 0 where it is not
    passing : float32 (H, W), how much passes of what is behind it: 0 opaque, 1 not there
    origin : (x, y) in its pixels of what its place says; a digit's middle
    outline : float32 (N, 2), points (x, y) from the origin on the outline of what is to be boxed
    lean_axis : direction in radians along which one side of it comes nearer as it leans
    """

    tone: FloatArray
    passing: FloatArray
    origin: tuple[float, float]
    outline: FloatArray
    lean_axis: float = 0.0

    def show(self, canvas: FloatArray, place: Place) -> None:
        """Put it before what is on the canvas, in place."""
        height, width = self.tone.shape
        x, y = self.origin
        matrix = _map(place, self.lean_axis, canvas.shape[0])
        corners = np.array(((-x, -y), (width - x, -y), (width - x, height - y), (-x, height - y)), np.float32)
        seen = _transform(corners, matrix)
        left, top = np.maximum(np.floor(seen.min(axis=0)), 0).astype(int)
        right, bottom = np.maximum(np.ceil(seen.max(axis=0)) + 1, 0).astype(int)
        part = canvas[top:bottom, left:right]
        if not part.size:
            return
        columns = np.arange(left, left + part.shape[1])
        rows = np.arange(top, top + part.shape[0])[:, np.newaxis]
        across, down, depth = ((columns * a + rows * b + c).astype(np.float32) for a, b, c in _invert(matrix))
        # Outside there is nothing: the outermost pixels let everything pass.
        u = np.clip(across / depth + np.float32(x), 0, width - 1.001)
        v = np.clip(down / depth + np.float32(y), 0, height - 1.001)
        u_below, v_below = u.astype(np.int32), v.astype(np.int32)
        u -= u_below
        v -= v_below
        index = v_below * np.int32(width) + u_below
        part *= _sample(self.passing, index, u, v)
        part += _sample(self.tone, index, u, v)

    def find_box(self, place: Place, shape: Shape) -> tuple[float, float, float, float]:
        """The (left, top, right, bottom) of the outlined part in a frame, whether or not it is in sight."""
        seen = project(self.outline, place, self.lean_axis, shape[0])
        (left, top), (right, bottom) = seen.min(axis=0).tolist(), seen.max(axis=0).tolist()
        return left, top, right, bottom


def project(points: FloatArray, place: Place, lean_axis: float, frame_height: int) -> FloatArray:
    """Where points (x, y) about a layer's origin are in a frame: float32 (N, 2)."""
    return _transform(points, _map(place, lean_axis, frame_height))


def _transform(points: FloatArray, matrix: FloatArray) -> FloatArray:
    seen = points @ matrix[:, :2].T + matrix[:, 2]
    return seen[:, :2] / seen[:, 2:]


def _map(place: Place, lean_axis: float, frame_height: int) -> FloatArray:
    """The homography from a layer's pixels about its origin to the frame's."""
    turn = math.radians(place.angle)
    cosine, sine = place.scale * math.cos(turn), place.scale * math.sin(turn)
    lean = math.sin(math.radians(place.lean)) * place.scale / (LENS * frame_height)
    a, b = lean * math.cos(lean_axis), lean * math.sin(lean_axis)
    # The origin stays where it is, whichever side comes nearer.
    return np.array(
        (
            (cosine + place.x * a, -sine + place.x * b, place.x),
            (sine + place.y * a, cosine + place.y * b, place.y),
            (a, b, 1),
        ),
        np.float32,
    )


def _invert(matrix: FloatArray) -> npt.NDArray[np.float64]:
    return np.linalg.inv(matrix.astype(np.float64))


def _sample(
    texture: FloatArray, index: npt.NDArray[np.int32], right: FloatArray, down: FloatArray
) -> FloatArray:
    """Interpolate between the four pixels from each `index` on."""
    flat, width = texture.ravel(), texture.shape[1]
    upper, lower = flat.take(index), flat.take(index + width)
    upper += right * (flat[1:].take(index) - upper)
    lower += right * (flat[1:].take(index + width) - lower)
    upper += down * (lower - upper)
    return upper
