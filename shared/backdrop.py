"""Backdrops: what a camera sees where no digit is held up, made up: a desk, a shelf, a hand, a face."""

from __future__ import annotations

import math

import numpy as np

from shared.feedforward import FloatArray
from shared.texture import Points, Shape, bend, draw_clouds, draw_grain, measure_distance, paint, pick

Random = np.random.Generator


def draw_backdrop(random: Random, shape: Shape = (240, 320), things: int = 2) -> FloatArray:
    """Draw a place without a digit.

    Parameters
    ----------
    shape : rows and columns in pixels
    things : how many things are in it, one before the other; 0: an empty place

    Returns
    -------
    float32 array of that shape, 0.0 = black, 1.0 = white, before it is lit
    """
    from scipy import ndimage

    lying = random.random() < 0.3  # the camera, on its side
    canvas = pick(random, *SURFACES)(random, shape[::-1] if lying else shape)
    canvas = np.ascontiguousarray(canvas.T if lying else canvas)
    for _ in range(things):
        pick(random, *THINGS)(random, canvas)
    blur = pick(random, 0.0, 0.6, 1.2, 2.5, 5.0)
    if blur:
        canvas = ndimage.gaussian_filter(canvas, blur)
    return np.clip(canvas, 0, 1, out=canvas)


# Surfaces fill the frame.


def draw_wall(random: Random, shape: Shape) -> FloatArray:
    """A wall, or a desk of plastic: one tone, a little uneven."""
    tone, rough = random.uniform(0.15, 0.95), random.uniform(0, 0.02)
    canvas = np.float32(tone) + 0.04 * draw_clouds(random, shape, (90, 120))
    return canvas + rough * draw_grain(random, shape, 1.0)


def draw_wood(random: Random, shape: Shape) -> FloatArray:
    """Wood: wavy grain along the boards, gaps between them."""
    tone, period = random.uniform(0.25, 0.75), random.uniform(5, 16)
    rows = np.arange(shape[0], dtype=np.float32)[:, np.newaxis]
    waves = rows / period + 2.5 * draw_clouds(random, shape, (60, 200))
    waves += 0.3 * draw_clouds(random, shape, (4, 60))
    waves = np.sin(2 * math.pi * waves)
    canvas = np.asarray(tone * (1 + random.uniform(0.03, 0.2) * waves), np.float32)
    canvas += 0.03 * draw_clouds(random, shape, (2, 30))
    if random.random() < 0.5:
        boards = random.uniform(50, 130)
        canvas[(rows[:, 0] + random.uniform(0, boards)) % boards < random.uniform(1, 4)] *= 0.4
    return canvas


def draw_textile(random: Random, shape: Shape) -> FloatArray:
    """Cloth: a weave, perhaps a pattern of stripes, and soft folds."""
    tone, weave = random.uniform(0.2, 0.9), random.uniform(0, 0.06)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    threads = np.sin(rows * random.uniform(0.8, 2.5)) * np.sin(columns * random.uniform(0.8, 2.5))
    canvas = np.asarray(tone + weave * threads, np.float32)
    if random.random() < 0.4:
        stripe = random.uniform(8, 40)
        slant = random.uniform(-1, 1)
        canvas += random.uniform(-0.3, 0.3) * ((rows * slant + columns) % stripe < stripe / 2)
    canvas += 0.02 * draw_grain(random, shape)
    for _ in range(random.integers(1, 6)):
        _fold(random, canvas, random.uniform(6, 40), random.uniform(0.05, 0.25))
    return canvas


def draw_tiles(random: Random, shape: Shape) -> FloatArray:
    """Bricks or tiles with joints, or a keyboard: a grid of rounded fields."""
    tall, wide = random.uniform(14, 60), random.uniform(14, 90)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    shift = pick(random, 0, 0.5) * wide * (rows // tall % 2)
    from_joint = np.minimum(rows % tall, (columns + shift) % wide)
    numbers = (rows // tall * 57 + (columns + shift) // wide).astype(np.intp)
    tones = random.uniform(0.15, 0.85) + random.uniform(0, 0.12) * random.standard_normal(997)
    canvas = tones[numbers % 997].astype(np.float32)
    joint = from_joint < random.uniform(1, 6)
    canvas[joint] = random.uniform(0.1, 0.8)
    if random.random() < 0.5:  # a keyboard has a mark on each key
        inside = (rows % tall > tall * 0.3) & (rows % tall < tall * 0.6)
        inside = inside & ((columns + shift) % wide > wide * 0.3) & ((columns + shift) % wide < wide * 0.55)
        marks = inside & (draw_grain(random, shape, 1.0) > 0.3)
        canvas[marks] += pick(random, -0.3, 0.5)
    return canvas + 0.02 * draw_grain(random, shape)


def draw_shelf(random: Random, shape: Shape) -> FloatArray:
    """A shelf of books, or a blind: upright stripes, some with a label."""
    height, width = shape
    canvas = np.zeros(shape, np.float32)
    left = 0
    while left < width:
        right = left + int(random.integers(5, 45))
        canvas[:, left:right] = random.uniform(0.08, 0.95)
        canvas[:, left : left + 2] *= 0.6
        if random.random() < 0.5:
            top = int(random.integers(height))
            canvas[top : top + int(random.integers(4, 60)), left + 3 : right - 3] = random.uniform(0.1, 0.95)
        left = right
    for _ in range(random.integers(0, 3)):
        top = int(random.integers(height))
        canvas[top : top + int(random.integers(4, 14))] = random.uniform(0.2, 0.8)
    return canvas + 0.02 * draw_grain(random, shape, 1.0)


# Things lie on a surface; each paints over the canvas in place, and returns it.


def _lay_line(canvas: FloatArray, points: Points, radius: float, tone: float, round_: float = 0.0) -> None:
    """Lay a rounded line: darker towards its sides by `round_`."""
    distance = measure_distance(points, (canvas.shape[0], canvas.shape[1]), radius + 1)
    cover = np.clip(radius + 0.5 - distance, 0, 1)
    paint(canvas, cover, tone * (1 - round_ * np.minimum(distance / radius, 1) ** 2))


def _cast_shadow(canvas: FloatArray, points: Points, radius: float, depth: float, softness: float) -> None:
    distance = measure_distance(points, (canvas.shape[0], canvas.shape[1]), radius + softness)
    canvas *= 1 - depth * np.clip((radius + softness - distance) / softness, 0, 1)


def _fold(random: Random, canvas: FloatArray, width: float, depth: float) -> None:
    """A fold: bright on one side, dark on the other."""
    height, across = canvas.shape
    angle = random.uniform(0, math.pi)
    rows, columns = np.ogrid[:height, :across]
    side = (rows - random.uniform(0, height)) * math.cos(angle)
    side = side + (columns - random.uniform(0, across)) * math.sin(angle)
    side = (side + width * draw_clouds(random, canvas.shape, (60, 60))) / width
    canvas *= (1 + depth * 1.6 * side * np.exp(-(side**2))).astype(np.float32)


def _ellipse(
    canvas: FloatArray, x: float, y: float, wide: float, tall: float, angle: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """The part of a canvas around an ellipse, and how far inside each pixel is: 1 its middle, 0 outline."""
    reach = max(wide, tall) * 1.2
    top, left = max(int(y - reach), 0), max(int(x - reach), 0)
    part = canvas[top : max(int(y + reach) + 1, 0), left : max(int(x + reach) + 1, 0)]
    rows, columns = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
    cosine, sine = math.cos(angle), math.sin(angle)
    along, down = (columns - x) * cosine + (rows - y) * sine, (rows - y) * cosine - (columns - x) * sine
    return part, 1 - np.hypot(along / wide, down / tall).astype(np.float32)


def _spot(random: Random, canvas: FloatArray, margin: float = 0.0) -> tuple[float, float]:
    height, width = canvas.shape
    return random.uniform(-margin, 1 + margin) * width, random.uniform(-margin, 1 + margin) * height


def lay_cable(random: Random, canvas: FloatArray) -> FloatArray:
    """A cable that comes from outside the frame and leaves it again, and its shadow."""
    height, width = canvas.shape
    middle = [_spot(random, canvas) for _ in range(random.integers(1, 4))]
    ends = [(-30.0, random.uniform(0, height)), (width + 30.0, random.uniform(0, height))]
    if random.random() < 0.5:
        ends = [(random.uniform(0, width), -30.0), (random.uniform(0, width), height + 30.0)]
    curve = bend(random, [ends[0], *middle, ends[1]], 5)
    radius = random.uniform(0.8, 5)
    _cast_shadow(canvas, curve + radius, radius, random.uniform(0, 0.5), random.uniform(2, 8))
    _lay_line(canvas, curve, radius, random.uniform(0.02, 0.95), 0.4)
    return canvas


def lay_pen(random: Random, canvas: FloatArray) -> FloatArray:
    """A pen that comes from outside the frame: a long body with a tip and a ring in other tones.

    One that lies free on a plain desk is a 1 to whoever sees no more of it than its outline.
    """
    x, y = _spot(random, canvas, -0.1)
    angle, radius = random.uniform(0, 2 * math.pi), random.uniform(3, 8)
    along = np.array((math.cos(angle), math.sin(angle)))
    end = np.array((x, y))
    begin = end - along * math.hypot(*canvas.shape)
    _cast_shadow(canvas, np.stack((begin, end)) + radius, radius, random.uniform(0.1, 0.5), 5)
    _lay_line(canvas, (begin, end), radius, random.uniform(0.05, 0.9), 0.5)
    _lay_line(canvas, (end, end + along * 3 * radius), radius * 0.45, random.uniform(0.05, 0.9), 0.5)
    ring = end - along * random.uniform(10, 60)
    _lay_line(canvas, (ring, ring - along * radius), radius, random.uniform(0.05, 0.9), 0.5)
    return canvas


def lay_finger(random: Random, canvas: FloatArray, line: Points, radius: float, tone: float) -> None:
    """A finger or an arm along a line: rounded, with a shadow, creases, and at times a nail at its end."""
    points = np.asarray(line, np.float32)
    _cast_shadow(canvas, points + radius * 0.3, radius, random.uniform(0.05, 0.4), radius * 0.7)
    _lay_line(canvas, points, radius, tone, random.uniform(0.2, 0.5))
    for share in (0.35, 0.65):
        at = points[int(share * (len(points) - 1))]
        along = points[-1] - points[0]
        across = np.array((-along[1], along[0])) / max(float(np.hypot(*along)), 1.0) * radius * 0.7
        distance = measure_distance((at - across, at + across), canvas.shape, 2.0)
        canvas *= 1 - 0.25 * np.clip(1.5 - distance, 0, 1)
    if random.random() < 0.4:
        x, y = points[-1].tolist()
        part, inside = _ellipse(canvas, x, y, radius * 0.6, radius * 0.6)
        paint(part, np.clip(inside * radius * 0.6, 0, 1), min(tone * 1.1, 1.0))


def lay_hand(random: Random, canvas: FloatArray) -> FloatArray:
    """A hand or a fist, with an arm that comes from outside the frame."""
    height, width = canvas.shape
    x, y = _spot(random, canvas, -0.15)
    angle, size, tone = random.uniform(0, 2 * math.pi), random.uniform(22, 60), random.uniform(0.2, 0.85)
    back = np.array((x - math.cos(angle) * (height + width), y - math.sin(angle) * (height + width)))
    lay_finger(random, canvas, np.linspace(back, (x, y), 8), size * 0.75, tone)
    part, palm = _ellipse(canvas, x, y, size * 1.1, size * 0.95, angle)
    paint(part, np.clip(palm * size, 0, 1), tone * (0.75 + 0.25 * np.clip(palm, 0, 1) ** 0.5))
    for spread in np.linspace(-0.75, 0.75, 4)[: random.integers(0, 5)]:
        turn = angle + spread + random.normal(0, 0.06)
        root = np.array((x + math.cos(turn) * size * 0.8, y + math.sin(turn) * size * 0.8))
        reach = np.array((math.cos(turn), math.sin(turn))) * size * random.uniform(0.6, 1.7)
        line = bend(random, (root, root + reach / 2, root + reach), 2, 4)
        lay_finger(random, canvas, line, size * 0.22, tone)
    if random.random() < 0.6:
        turn = angle + pick(random, -1, 1) * random.uniform(1.0, 1.6)
        root = np.array((x, y))
        reach = np.array((math.cos(turn), math.sin(turn))) * size * random.uniform(1.2, 1.8)
        line = bend(random, (root, root + reach * 0.6, root + reach), 3, 4)
        lay_finger(random, canvas, line, size * 0.25, tone)
    return canvas


def lay_face(random: Random, canvas: FloatArray) -> FloatArray:
    """A face: hair, brows, eyes, nose, mouth, shoulders."""
    x, y = _spot(random, canvas, -0.2)
    tall, tone, hair = random.uniform(40, 130), random.uniform(0.25, 0.85), random.uniform(0.03, 0.6)
    wide = tall * random.uniform(0.65, 0.8)

    def dab(right: float, down: float, w: float, h: float, shade: float, soft: float = 3.0) -> None:
        part, inside = _ellipse(canvas, x + right * wide, y + down * tall, w * wide, h * tall)
        paint(part, np.clip(inside * min(w * wide, h * tall) / soft, 0, 1), shade)

    dab(0, 1.9, 2.0, 0.95, random.uniform(0.05, 0.9))
    dab(0, -0.2, 1.15, 1.1, hair)
    dab(0, 0, 1, 1, tone, 8)
    dab(random.uniform(-0.5, 0.5), 0, 0.6, 0.8, tone * random.uniform(0.9, 1.1), 20)
    for side in (-0.4, 0.4):
        dab(side, -0.3, 0.24, 0.05, hair * 0.7)
        dab(side, -0.12, 0.19, 0.08, min(tone * 1.2, 0.95))
        dab(side, -0.12, 0.09, 0.08, 0.1)
    dab(0.05, 0.2, 0.14, 0.22, tone * 0.8, 12)
    dab(0, 0.52, 0.35, 0.07, tone * 0.5)
    return canvas


def lay_window(random: Random, canvas: FloatArray) -> FloatArray:
    """A window or a screen: a bright field with bars."""
    height, width = canvas.shape
    (x, y), wide, tall = _spot(random, canvas), random.uniform(60, width), random.uniform(60, height)
    top, left = int(y - tall / 2), int(x - wide / 2)
    rows, columns = slice(max(top, 0), max(int(top + tall), 0)), slice(max(left, 0), max(int(left + wide), 0))
    frame_, pane, bar = random.uniform(0.1, 0.9), random.uniform(0.5, 1.2), random.uniform(2, 9)
    canvas[rows, columns] = frame_
    field = canvas[rows, columns]
    in_y, in_x = np.ogrid[: field.shape[0], : field.shape[1]]
    panes = (in_y % (tall / random.integers(1, 4)) > bar) & (in_x % (wide / random.integers(1, 4)) > bar)
    field[panes] = pane
    return canvas


def lay_box(random: Random, canvas: FloatArray) -> FloatArray:
    """A box, a book, or a sheet without a digit: a tilted field, its shadow, and perhaps print on it."""
    x, y = _spot(random, canvas, 0.1)
    wide, tall, angle = random.uniform(25, 140), random.uniform(25, 110), random.uniform(-0.6, 0.6)
    rows, columns = np.ogrid[: canvas.shape[0], : canvas.shape[1]]
    cosine, sine = math.cos(angle), math.sin(angle)
    along, down = (columns - x) * cosine + (rows - y) * sine, (rows - y) * cosine - (columns - x) * sine
    inside = np.minimum(wide - np.abs(along), tall - np.abs(down)).astype(np.float32)
    canvas *= 1 - random.uniform(0, 0.45) * np.clip(1 + inside / random.uniform(3, 12), 0, 1)
    tone = random.uniform(0.05, 1)
    paint(canvas, np.clip(inside, 0, 1), tone)
    if random.random() < 0.4:  # print: rows of small marks, too small to be read
        pitch = random.uniform(6, 18)
        print_ = (inside > 8) & ((down % pitch) < pitch * 0.5) & (draw_grain(random, canvas.shape, 1.0) > 0.1)
        canvas[print_] += (0.15 if tone > 0.5 else 0.8) - tone
    return canvas


def lay_cup(random: Random, canvas: FloatArray) -> FloatArray:
    """A cup seen from above, with its handle, or a coin, a lamp, a ball: shaded ellipses inside each other.

    Each is nearly as dark as the one around it: a dark ring on a plain desk is a 0 to anyone.
    """
    x, y = _spot(random, canvas)
    size, flat, tone = random.uniform(12, 70), random.uniform(0.5, 1), random.uniform(0.1, 0.95)
    part, inside = _ellipse(canvas, x + 4, y + 5, size * 1.15, size * flat * 1.15)
    part *= 1 - 0.4 * np.clip(inside * 6, 0, 1)
    if random.random() < 0.5:
        angle = random.uniform(0, 2 * math.pi)
        end = (x + 1.4 * size * math.cos(angle), y + 1.4 * size * flat * math.sin(angle))
        _lay_line(canvas, ((x, y), end), 0.15 * size, tone, 0.4)
    tilt = random.uniform(-0.3, 0.3)
    scale = 1.0
    while scale > 0.3:
        part, inside = _ellipse(canvas, x, y, size * scale, size * flat * scale)
        slope = np.linspace(1 - tilt, 1 + tilt, part.shape[1], dtype=np.float32)
        paint(part, np.clip(inside * size * scale, 0, 1), tone * slope)
        scale *= random.uniform(0.4, 0.9)
        tone = float(np.clip(tone + random.uniform(-0.15, 0.15), 0.05, 0.95))
    return canvas


def lay_blobs(random: Random, canvas: FloatArray) -> FloatArray:
    """Something shapeless: leaves, a coat, a shadow."""
    cell = random.uniform(35, 110)
    level = random.uniform(0.1, 0.7)
    clouds = draw_clouds(random, canvas.shape, (cell, cell * random.uniform(0.5, 2)))
    cover = np.clip((clouds - level) * cell * random.uniform(0.2, 1), 0, 1)
    paint(canvas, cover * random.uniform(0.4, 1), random.uniform(0.02, 0.95))
    return canvas


SURFACES = (draw_wall, draw_wall, draw_wood, draw_textile, draw_tiles, draw_shelf)
THINGS = (
    *(lay_cable, lay_pen, lay_hand, lay_hand, lay_face),
    *(lay_window, lay_box, lay_box, lay_cup, lay_blobs),
)
