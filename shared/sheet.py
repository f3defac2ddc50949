"""A sheet, a card or a sticky note with ink on it, as something to hold before a camera."""

from __future__ import annotations

import math

import numpy as np

from shared.backdrop import lay_finger
from shared.conditions import PAPERS, PENS, Conditions, Ruling
from shared.feedforward import FloatArray
from shared.layer import Layer, Place, project
from shared.pen import draw_strokes
from shared.texture import Shape, bend, draw_clouds, draw_grain, measure_distance, paint

WRITING_STEPS = 6  # in which a digit is written before the camera
VISIBLE_INK = 0.3  # what has less is not boxed
SHADOW = 14  # pixels around a card in which its shadow lies


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
    written = _write(ink, conditions, shape)
    layers, place = _make_layers([written], conditions, random, shape)
    return layers[0], place


def write_change(
    before: FloatArray | None,
    ink: FloatArray,
    conditions: Conditions,
    random: np.random.Generator,
    shape: Shape = (240, 320),
) -> tuple[list[Layer], Place]:
    """Write ink on a sheet bit by bit from one side on, where there was other ink `before`, or none.

    Returns
    -------
    the sheet after each step, and its place; the rest as in `write_sheet`
    """
    written = _write(ink, conditions, shape)
    old = np.zeros((1, 1), np.float32) if before is None else _write(before, conditions, shape)
    tall, wide = (max(one, other) for one, other in zip(written.shape, old.shape, strict=True))
    written, old = _centre(written, tall, wide), _centre(old, tall, wide)
    angle = random.uniform(0, 2 * math.pi)
    rows, columns = np.ogrid[-0.5 : 0.5 : tall * 1j, -0.5 : 0.5 : wide * 1j]
    along = rows * math.sin(angle) + columns * math.cos(angle)
    ends = np.quantile(along, np.arange(1, WRITING_STEPS) / WRITING_STEPS)
    pictures = [*(np.where(along < end, written, old) for end in ends), written]
    return _make_layers(pictures, conditions, random, shape)


def _write(ink: FloatArray, conditions: Conditions, shape: Shape) -> FloatArray:
    return draw_strokes(ink, max(8, round(conditions.size * shape[0])), conditions.stroke)


def _centre(written: FloatArray, tall: int, wide: int) -> FloatArray:
    """Put paper around a digit, up to a height and a width."""
    down, right = tall - written.shape[0], wide - written.shape[1]
    return np.pad(written, ((down // 2, down - down // 2), (right // 2, right - right // 2)))


def draw_cover(conditions: Conditions, random: np.random.Generator, tall: float, wide: float) -> Layer:
    """Cut a blank sheet of a height and a width in pixels, to be held before another."""
    tone = np.pad(draw_paper(conditions, (round(tall), round(wide)), random), 1)
    passing = np.pad(np.zeros((round(tall), round(wide)), np.float32), 1, constant_values=1)
    corners = np.array([(x, y) for x in (-wide / 2, wide / 2) for y in (-tall / 2, tall / 2)], np.float32)
    return Layer(tone, passing, (tone.shape[1] / 2, tone.shape[0] / 2), corners)


def draw_hand(random: np.random.Generator, shape: Shape = (240, 320)) -> Layer:
    """A hand to pass before everything: its origin is between its fingers, its arm goes down and out."""
    side = 2 * max(shape)
    tone, passing = np.zeros((side, side), np.float32), np.ones((side, side), np.float32)
    middle, size, skin = side / 2, random.uniform(0.15, 0.25) * shape[0], random.uniform(0.2, 0.85)
    wrist = (middle, middle + 1.6 * size)
    arm = bend(random, (wrist, (middle, middle + 3 * size), (middle + random.uniform(-80, 80), side)), 4)
    parts = [(arm, 0.8 * size), (np.array((wrist, (middle, middle + 0.8 * size)), np.float32), 0.95 * size)]
    for turn in np.linspace(-0.5, 0.5, 4) + random.normal(0, 0.05, 4):
        root = (middle + 1.3 * size * turn, middle + 0.5 * size)
        tip = (middle + 2.2 * size * turn, middle - size * random.uniform(0.5, 1.1))
        parts.append((bend(random, (root, tip), 2, 4), 0.24 * size))
    for line, radius in parts:
        _hide(passing, line, radius)
        lay_finger(random, tone, line, radius, skin)
    corners = np.array(((-size, -size), (size, -size), (size, size), (-size, size)), np.float32)
    return Layer(tone, passing, (middle, middle), corners)


def _make_layers(
    pictures: list[FloatArray], conditions: Conditions, random: np.random.Generator, shape: Shape
) -> tuple[list[Layer], Place]:
    """Make a sheet, once with each picture of ink on it; they have one size, and the last one is boxed."""
    tall, wide = pictures[-1].shape
    outline = _draw_outline(pictures[-1])
    lean_axis = float(random.uniform(0, 2 * math.pi))
    place = _place(conditions, outline, lean_axis, shape)
    around = _draw_margins(conditions, place, max(tall, wide), shape, random)
    top, bottom, left, right = around
    sheet = draw_paper(conditions, (tall + top + bottom, wide + left + right), random)
    # Around the sheet there is room for its shadow, and on one side for the hand that holds it.
    side = int(random.integers(1, 4)) if conditions.hand else None
    room = [SHADOW if number != side else max(shape) for number in range(4)]
    pads = (room[0], room[1]), (room[2], room[3])
    tone = np.pad(sheet, pads)
    down, across = (_ramp(length, pad) for length, pad in zip(sheet.shape, pads, strict=True))
    shadow = np.roll(down[:, np.newaxis] * across, (3, 3), (0, 1))
    passing = 1 - np.float32(random.uniform(0.1, 0.6)) * shadow
    passing[room[0] : -room[1], room[2] : -room[3]] = 0
    if side:
        _hold(random, tone, passing, room, side, around[side])
    passing = _blur(passing, conditions.blur, 1)
    pressure = _draw_pressure(conditions, (tall, wide), random)
    digit = slice(room[0] + top, room[0] + top + tall), slice(room[2] + left, room[2] + left + wide)
    origin = (room[2] + left + wide / 2, room[0] + top + tall / 2)
    layers = []
    for picture in pictures:
        inked = tone.copy()
        paint(inked[digit], picture * pressure, 1.0 if PAPERS[conditions.paper].dark else 0.0)
        layers.append(Layer(_blur(inked, conditions.blur, 0), passing, origin, outline, lean_axis))
    return layers, place


def _blur(part: FloatArray, blur: float, outside: float) -> FloatArray:
    """Put a layer out of focus; its outermost pixels stay what is outside."""
    from scipy import ndimage

    blurred: FloatArray = ndimage.gaussian_filter(part, blur) if blur else part
    blurred[[0, -1]], blurred[:, [0, -1]] = outside, outside
    return blurred


def _draw_pressure(conditions: Conditions, shape: Shape, random: np.random.Generator) -> FloatArray:
    """How much ink the pen leaves: less of it where it does not reach the paper's tooth."""
    tooth = draw_grain(random, shape, 0.6) + 0.5 * draw_clouds(random, shape, (9, 9))
    reached = np.clip(1 - PENS[conditions.pen].grain * np.maximum(tooth, 0), 0, 1)
    return np.asarray(conditions.depth * reached, np.float32)


def _draw_outline(written: FloatArray) -> FloatArray:
    """Points (x, y) on the outline of a digit, from its middle."""
    from scipy import ndimage

    solid = np.pad(written > VISIBLE_INK, 1)
    rows, columns = np.nonzero(solid & ~ndimage.binary_erosion(solid))
    tall, wide = written.shape
    return np.stack((columns - wide / 2 - 0.5, rows - tall / 2 - 0.5), axis=1).astype(np.float32)


def _place(conditions: Conditions, outline: FloatArray, lean_axis: float, shape: Shape) -> Place:
    """Where the digit is: at 1 or -1 it touches the frame's edge."""
    place = Place(0, 0, conditions.tilt, 1.0, conditions.lean)
    seen = project(outline, place, lean_axis, shape[0])
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


def draw_paper(conditions: Conditions, shape: Shape, random: np.random.Generator) -> FloatArray:
    """Draw a sheet without ink: its texture, ruling, folds and crumples; float32, 0.0 = black."""
    paper = PAPERS[conditions.paper]
    tone, rough = (np.float32(random.uniform(*span)) for span in (paper.tone, (0, paper.rough)))
    sheet = 1 + rough * draw_grain(random, shape, 0.8)
    sheet += np.float32(0.03) * draw_clouds(random, shape, (70, 70))
    if paper.dark:  # what was wiped off a board
        sheet += 2 * rough * draw_clouds(random, shape, (12, 40))
    sheet *= tone
    if conditions.ruling != "none":
        _rule(conditions.ruling, sheet, random)
    if conditions.crumple:
        sheet *= _crumple(conditions.crumple, shape, random)
    return np.clip(sheet, 0, 1, out=sheet)


def _rule(ruling: Ruling, sheet: FloatArray, random: np.random.Generator) -> None:
    """Print lines, squares or dots."""
    pitch, width, depth = random.uniform(12, 60), random.uniform(0.7, 1.8), random.uniform(0.06, 0.35)
    down, across = (
        np.clip(width / 2 + 0.5 - np.abs((np.arange(length) + shift) % pitch - pitch / 2), 0, 1)
        for length, shift in zip(sheet.shape, random.uniform(0, pitch, 2), strict=True)
    )
    if ruling == "ruled":
        sheet *= (1 - depth * down[:, np.newaxis]).astype(np.float32)
    elif ruling == "squared":
        sheet *= (1 - depth * np.maximum.outer(down, across)).astype(np.float32)
    else:
        sheet *= (1 - 1.5 * depth * np.minimum.outer(down, across)).astype(np.float32)


def _crumple(strength: float, shape: Shape, random: np.random.Generator) -> FloatArray:
    """How the light falls on paper that was folded or crumpled: facets between creases."""
    coarse = (-(-shape[0] // 2), -(-shape[1] // 2))
    rows, columns = np.ogrid[: coarse[0], : coarse[1]]
    light = np.ones(coarse, np.float32)
    warp = draw_clouds(random, coarse, (25, 25)) * np.float32(8 * strength)
    for _ in range(random.integers(1, 4) if strength < 0.4 else random.integers(5, 13)):
        angle = random.uniform(0, 2 * math.pi)
        across = (rows * math.sin(angle) + columns * math.cos(angle)).astype(np.float32)
        across += warp - across.flat[int(random.integers(across.size))]
        step = np.clip(across / random.uniform(1, 3), -1, 1)
        fade = np.exp(-((across / random.uniform(15, 80)) ** 2))
        light += strength * random.uniform(0.04, 0.16) * step * fade
        light += strength * random.choice((-0.2, 0.12)) * np.clip(1 - np.abs(across), 0, 1)
    return light.repeat(2, axis=0).repeat(2, axis=1)[: shape[0], : shape[1]]


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
        _hide(passing, points, radius)
        along += 2.2 * radius / (width if side == 1 else height - room[0] - room[1])


def _hide(passing: FloatArray, points: FloatArray, radius: float) -> None:
    """Let nothing pass where a finger is, and less beside it."""
    distance = measure_distance(points, (passing.shape[0], passing.shape[1]), 1.7 * radius)
    passing *= np.clip(distance - radius + 0.5, 0, 1)
    passing *= 1 - 0.3 * np.clip(1.7 - distance / radius, 0, 0.7)
