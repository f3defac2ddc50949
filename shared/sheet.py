"""A sheet, a card or a sticky note with ink on it, as something to hold before a camera."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.backdrop import lay_finger
from shared.conditions import PAPERS, PENS, Conditions
from shared.digit_image import crop, measure_stroke
from shared.feedforward import FloatArray
from shared.texture import Shape, bend, draw_clouds, draw_grain, measure_distance, paint

FINEST_INK = 160  # pixels of a digit's longer side at which its stroke's width is changed
SHADOW = 14  # pixels around a card in which its shadow lies
LENS = 4.0  # frame heights from the sheet to the eye, for the perspective
STROKE_SIDE = 0.35  # of a picture's full ink: where the sides of its strokes are
MUCH_THINNER = 0.75  # of a stroke's width: a pen this thin follows the stroke's middle, not its sides
AROUND = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))

Mask = npt.NDArray[np.bool_]


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
        corners = np.array(((-x, -y), (width - x, -y), (width - x, height - y), (-x, height - y)), np.float32)
        matrix = _map(place, self.lean_axis, canvas.shape[0])
        seen = _project(corners, matrix)
        left, top = np.maximum(np.floor(seen.min(axis=0)), 0).astype(int)
        right, bottom = np.maximum(np.ceil(seen.max(axis=0)) + 1, 0).astype(int)
        part = canvas[top:bottom, left:right]
        if not part.size:
            return
        columns = np.arange(left, left + part.shape[1])
        rows = np.arange(top, top + part.shape[0])[:, np.newaxis]
        across, down, depth = (
            (columns * a + rows * b + c).astype(np.float32) for a, b, c in np.linalg.inv(matrix)
        )
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
        seen = _project(self.outline, _map(place, self.lean_axis, shape[0]))
        (left, top), (right, bottom) = seen.min(axis=0).tolist(), seen.max(axis=0).tolist()
        return left, top, right, bottom


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


def _project(points: FloatArray, matrix: FloatArray) -> FloatArray:
    seen = points @ matrix[:, :2].T + matrix[:, 2]
    projected: FloatArray = seen[:, :2] / seen[:, 2:]
    return projected


def _sample(texture: FloatArray, index: FloatArray, right: FloatArray, down: FloatArray) -> FloatArray:
    """Interpolate between the four pixels from each `index` on."""
    flat, width = texture.ravel(), texture.shape[1]
    upper, lower = flat.take(index), flat.take(index + width)
    upper += right * (flat[1:].take(index) - upper)
    lower += right * (flat[1:].take(index + width) - lower)
    upper += down * (lower - upper)
    return upper


def draw_strokes(ink: FloatArray, height: int, stroke: float) -> FloatArray:
    """Write a digit anew: its longer side `height` pixels, its strokes `stroke` of that wide.

    An enlarged small picture is a blur; here the sides of its strokes are sharp.

    Parameters
    ----------
    ink : float32 (H, W), 0.0 = paper, 1.0 = full ink

    Returns
    -------
    float32 array, longer side about `height`
    """
    from scipy import ndimage

    ink = crop(ink)
    size = min(height, FINEST_INK)
    margin = math.ceil(stroke * size / 2) + 2
    large = ndimage.zoom(np.pad(ink, 2), max(size - 2 * margin, 4) / max(ink.shape), order=3, prefilter=False)
    solid = np.pad(large > STROKE_SIDE * large.max(), margin)
    wanted = max(stroke * size, 1.0) / 2
    half = measure_stroke(solid.astype(np.float32)) / 2
    if wanted < MUCH_THINNER * half:
        to_side = wanted - ndimage.distance_transform_edt(~thin(solid))
    else:
        inside, outside = (ndimage.distance_transform_edt(mask) for mask in (solid, ~solid))
        to_side = inside - outside + wanted - half
    if size < height:
        to_side = ndimage.zoom(to_side, height / size, order=1) * (height / size)
    return crop(np.clip(to_side + 0.5, 0, 1).astype(np.float32))


def thin(mask: Mask) -> Mask:
    """Thin strokes to lines of one pixel in their middle; what hangs together stays so.

    Source: Zhang, Suen, "A fast parallel algorithm for thinning digital patterns", 1984.
    """
    mask = np.pad(mask, 1)
    while True:
        before = np.count_nonzero(mask)
        for first in (True, False):
            # The eight neighbours, clockwise from the one above.
            p = [np.roll(mask, shift, (0, 1)) for shift in AROUND]
            count = sum(one.astype(np.int8) for one in p)
            turns = sum((~one & other).astype(np.int8) for one, other in zip(p, p[1:] + p[:1], strict=True))
            up, right, down, left = p[::2]
            side = ~(up & right & down) & ~(right & down & left)
            if not first:
                side = ~(up & right & left) & ~(up & down & left)
            mask = mask & ~((count >= 2) & (count <= 6) & (turns == 1) & side)
        if np.count_nonzero(mask) == before:
            return mask[1:-1, 1:-1]


def write_sheet(
    ink: FloatArray, conditions: Conditions, random: np.random.Generator, shape: Shape = (240, 320)
) -> tuple[Layer, Place]:
    """Write ink on a sheet as the conditions say.

    Parameters
    ----------
    ink : float32 (H, W), of any size, 0.0 = paper, 1.0 = full ink: a digit, or whatever else
    shape : rows and columns of the frame that it is for

    Returns
    -------
    the sheet, and the place in which the conditions want it
    """
    from scipy import ndimage

    pen, paper = PENS[conditions.pen], PAPERS[conditions.paper]
    written = draw_strokes(ink, max(8, round(conditions.size * shape[0])), conditions.stroke)
    tall, wide = written.shape
    solid = np.pad(written > 0.3, 1)
    rows, columns = np.nonzero(solid & ~ndimage.binary_erosion(solid))
    outline = np.stack((columns - wide / 2 - 0.5, rows - tall / 2 - 0.5), axis=1).astype(np.float32)
    lean_axis = float(random.uniform(0, 2 * math.pi))
    place = _place(conditions, outline, lean_axis, shape)
    around = _draw_margins(conditions, place, max(tall, wide), shape, random)
    top, bottom, left, right = around
    sheet = _draw_paper(conditions, (tall + top + bottom, wide + left + right), random)
    tooth = draw_grain(random, written.shape, 0.6) + 0.5 * draw_clouds(random, written.shape, (9, 9))
    pressure = np.clip(1 - pen.grain * np.maximum(tooth, 0), 0, 1)
    digit = sheet[top : top + tall, left : left + wide]
    full = digit * (1 - conditions.depth) if not paper.dark else digit + conditions.depth * (1 - digit)
    paint(digit, written * pressure, full)

    # Around the sheet there is room for its shadow, and on one side for the hand that holds it.
    side = int(random.integers(1, 4)) if conditions.hand else None
    room = [SHADOW if number != side else max(shape) for number in range(4)]
    pads = (room[0], room[1]), (room[2], room[3])
    tone = np.pad(sheet, pads)
    down, across = (_ramp(length, pad) for length, pad in zip(sheet.shape, pads, strict=True))
    passing = 1 - float(random.uniform(0.1, 0.6)) * np.roll(down[:, np.newaxis] * across, (3, 3), (0, 1))
    passing[room[0] : -room[1], room[2] : -room[3]] = 0
    if side:
        _hold(random, tone, passing, room, side, around[side])
    if conditions.blur:
        tone, passing = (ndimage.gaussian_filter(part, conditions.blur) for part in (tone, passing))
    passing[[0, -1]], passing[:, [0, -1]] = 1, 1
    tone[[0, -1]], tone[:, [0, -1]] = 0, 0
    origin = (room[2] + left + wide / 2, room[0] + top + tall / 2)
    return Layer(tone, passing, origin, outline, lean_axis), place


def _place(conditions: Conditions, outline: FloatArray, lean_axis: float, shape: Shape) -> Place:
    """Where the digit is: at 1 or -1 it touches the frame's edge."""
    place = Place(0, 0, conditions.tilt, 1.0, conditions.lean)
    seen = _project(outline, _map(place, lean_axis, shape[0]))
    room = np.array(shape[::-1]) - (seen.max(axis=0) - seen.min(axis=0))
    share = (np.array((conditions.x, conditions.y)) + 1) / 2
    x, y = (np.maximum(room, 0) * share + np.minimum(room, 0) / 2 - seen.min(axis=0)).tolist()
    return place._replace(x=x, y=y)


def _draw_margins(
    conditions: Conditions, place: Place, size: int, shape: Shape, random: np.random.Generator
) -> tuple[int, ...]:
    """How far the sheet goes on above, below, left and right of the digit, in pixels."""
    if not conditions.fills:
        return tuple(int(size * random.uniform(0.2, 0.9)) + 6 for _ in range(4))
    # Turned and leaning it still fills the frame.
    spare = max(shape) * (0.7 * abs(math.sin(math.radians(place.angle))) + 0.1 * (place.lean != 0)) + 24
    sides = (place.y, shape[0] - place.y, place.x, shape[1] - place.x)
    return tuple(int(side + spare) for side in sides)


def _draw_paper(conditions: Conditions, shape: Shape, random: np.random.Generator) -> FloatArray:
    """Draw a sheet without ink: its texture, ruling, folds and crumples."""
    paper = PAPERS[conditions.paper]
    tone = random.uniform(*paper.tone)
    rough = random.uniform(0, paper.rough)
    sheet = tone * (1 + rough * draw_grain(random, shape, 0.8) + 0.03 * draw_clouds(random, shape, (70, 70)))
    if paper.dark:  # what was wiped off a board
        sheet += tone * 2 * rough * draw_clouds(random, shape, (12, 40))
    _rule(conditions, sheet, random)
    if conditions.crumple:
        sheet *= _crumple(conditions.crumple, shape, random)
    clipped: FloatArray = np.clip(sheet, 0, 1).astype(np.float32)
    return clipped


def _rule(conditions: Conditions, sheet: FloatArray, random: np.random.Generator) -> None:
    """Print lines, squares or dots."""
    if conditions.ruling == "none":
        return
    pitch, width = random.uniform(12, 60), random.uniform(0.7, 1.8)
    depth = random.uniform(0.06, 0.35)
    shift_y, shift_x = random.uniform(0, pitch, 2)
    down, across = (
        np.clip(width / 2 + 0.5 - np.abs((np.arange(length)[:, None] + shift) % pitch - pitch / 2), 0, 1)
        for length, shift in zip(sheet.shape, (shift_y, shift_x), strict=True)
    )
    cover = {
        "ruled": np.broadcast_to(down, sheet.shape),
        "squared": np.maximum(down, across.T),
        "dotted": np.minimum(down, across.T),
    }[conditions.ruling]
    if conditions.ruling == "dotted":
        depth *= 1.5
    sheet *= (1 - depth * cover).astype(np.float32)


def _crumple(strength: float, shape: Shape, random: np.random.Generator) -> FloatArray:
    """How the light falls on paper that was folded or crumpled: facets between creases."""
    coarse = (-(-shape[0] // 2), -(-shape[1] // 2))
    rows, columns = np.ogrid[: coarse[0], : coarse[1]]
    light = np.ones(coarse, np.float32)
    warp = draw_clouds(random, coarse, (25, 25)) * 8 * strength
    for _ in range(random.integers(1, 4) if strength < 0.4 else random.integers(5, 13)):
        angle = random.uniform(0, 2 * math.pi)
        across = rows * np.float32(math.sin(angle)) + columns * np.float32(math.cos(angle))
        across = across - across.flat[int(random.integers(across.size))] + warp
        step = np.clip(across / random.uniform(1, 3), -1, 1)
        fade = np.exp(-((across / random.uniform(15, 80)) ** 2))
        light += strength * random.uniform(0.04, 0.16) * step * fade
        light += strength * random.choice((-0.2, 0.12)) * np.clip(1 - np.abs(across), 0, 1)
    fine: FloatArray = light.repeat(2, axis=0).repeat(2, axis=1)[: shape[0], : shape[1]]
    return fine


def _ramp(length: int, pads: tuple[int, int]) -> FloatArray:
    """From 0 up to 1 where a sheet's side begins, and down again from where it ends."""
    place = np.arange(-pads[0], length + pads[1])
    ramp: FloatArray = np.clip(1 - np.maximum(-place, place - length) / SHADOW, 0, 1).astype(np.float32)
    return ramp


def _hold(
    random: np.random.Generator,
    tone: FloatArray,
    passing: FloatArray,
    room: list[int],
    side: int,
    margin: int,
) -> None:
    """Hold the sheet with a finger or two over its edge: from below (1), the left (2) or the right (3)."""
    height, width = tone.shape
    skin, radius = random.uniform(0.2, 0.85), random.uniform(9, 22)
    over = random.uniform(0.2, 0.85) * margin - radius  # onto the sheet, short of the digit
    along = random.uniform(0.2, 0.7)
    for _ in range(random.integers(1, 3)):
        if side == 1:
            x = room[2] + along * (width - room[2] - room[3])
            tip, far = (x, height - room[1] - over), (x + random.uniform(-60, 60), height + radius)
        else:
            y = room[0] + along * (height - room[0] - room[1])
            tip, far = (room[2] + over, y), (-radius, y + random.uniform(0, 90))
            if side == 3:
                tip, far = (width - room[3] - over, y), (width + radius, far[1])
        points = bend(random, (far, ((tip[0] + far[0]) / 2, (tip[1] + far[1]) / 2), tip), 4, 5)
        lay_finger(random, tone, points, radius, skin)
        _lay_shape(passing, points, radius)
        along += 2.2 * radius / (width if side == 1 else height - room[0] - room[1])


def _lay_shape(passing: FloatArray, points: FloatArray, radius: float) -> None:
    """Let nothing pass where a finger is, and less beside it."""
    distance = measure_distance(points, (passing.shape[0], passing.shape[1]), 1.7 * radius)
    passing *= np.clip(distance - radius + 0.5, 0, 1)
    passing *= 1 - 0.3 * np.clip(1.7 - distance / radius, 0, 0.7)
