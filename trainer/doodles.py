"""Doodles: what people draw that is neither digit nor letter, as strokes in a box of 1 x 1."""

from __future__ import annotations

import numpy as np

from shared.strokes import Strokes, arc

Points = list[tuple[float, float]]


def draw_doodle(random: np.random.Generator) -> Strokes:
    """Draw one of the doodles below, of some kind and size; one in two is made up stroke by stroke."""
    if random.random() < 0.5:
        return MADE_UP[random.integers(len(MADE_UP))](random)
    return DOODLES[random.integers(len(DOODLES))](random)


def _spread(random: np.random.Generator, count: int) -> Points:
    """Points all over the box, each some way from the last one."""
    points: Points = [(float(random.random()), float(random.random()))]
    while len(points) < count:
        x, y = map(float, random.random(2))
        if np.hypot(x - points[-1][0], y - points[-1][1]) > 0.4:
            points.append((x, y))
    return points


def curve(random: np.random.Generator) -> Strokes:
    """A line that wanders: too long for a digit's."""
    points = np.array(_spread(random, int(random.integers(6, 10))))
    at = np.linspace(0, len(points) - 1, 40)
    eased = np.floor(at) + (1 - np.cos(np.pi * (at % 1))) / 2
    x, y = (np.interp(eased, np.arange(len(points)), side) for side in points.T)
    return [list(zip(x.tolist(), y.tolist(), strict=True))]


def scribble(random: np.random.Generator) -> Strokes:
    """To and fro, as one blackens paper."""
    count = int(random.integers(6, 14))
    y = np.linspace(0, 1, count)
    x = np.where(np.arange(count) % 2, 1.0, 0.0) + random.normal(0, 0.08, count)
    return [list(zip(x.tolist(), y.tolist(), strict=True))]


def zigzag(random: np.random.Generator) -> Strokes:
    """A row of teeth."""
    teeth = int(random.integers(5, 9))
    height = random.uniform(0.2, 0.7)
    return [[(index / teeth, height * (index % 2)) for index in range(teeth + 1)]]


def wave(random: np.random.Generator) -> Strokes:
    """Water."""
    x = np.linspace(0, 1, 40)
    y = random.uniform(0.08, 0.25) * np.sin(x * random.uniform(12, 22))
    return [list(zip(x.tolist(), y.tolist(), strict=True))]


def cross(random: np.random.Generator) -> Strokes:
    """An x or a plus."""
    long = random.uniform(0.7, 1.3)
    if random.random() < 0.5:
        return [[(0.0, 0.0), (1.0, long)], [(1.0, 0.0), (0.0, long)]]
    return [[(0.5, 0.0), (0.5, long)], [(0.0, 0.5 * long), (1.0, 0.5 * long)]]


def asterisk(random: np.random.Generator) -> Strokes:
    """Three or four strokes through one point."""
    count = int(random.integers(3, 5))
    ways = [np.pi * index / count + random.uniform(-0.1, 0.1) for index in range(count)]
    return [
        [(0.5 + np.cos(a) / 2, 0.5 + np.sin(a) / 2), (0.5 - np.cos(a) / 2, 0.5 - np.sin(a) / 2)] for a in ways
    ]


def arrow(random: np.random.Generator) -> Strokes:
    """An arrow that points anywhere; its head is large, so that it is no 1 and no 7."""
    head, way = random.uniform(0.3, 0.5), random.uniform(0, 2 * np.pi)
    shaft: Points = [(0.0, 0.0), (1.0, 0.0)]
    tip: Points = [(1 - head, -head * 0.8), (1.0, 0.0), (1 - head, head * 0.8)]
    return [_turn(shaft, way), _turn(tip, way)]


def spiral(random: np.random.Generator) -> Strokes:
    """Two turns and more, inwards or outwards."""
    turns = random.uniform(2.2, 3.8)
    angle = np.linspace(0, 2 * np.pi * turns, 70) * random.choice((-1.0, 1.0)) + random.uniform(0, 6)
    reach = np.linspace(0.08, 0.5, 70)
    return [list(zip((reach * np.cos(angle)).tolist(), (reach * np.sin(angle)).tolist(), strict=True))]


def tick(random: np.random.Generator) -> Strokes:
    """A tick: its long side goes up."""
    return [
        [(0.0, random.uniform(0.4, 0.7)), (random.uniform(0.25, 0.4), 1.0), (1.0, random.uniform(-0.1, 0.2))]
    ]


def smiley(random: np.random.Generator) -> Strokes:
    """A face."""
    mouth = random.uniform(0.15, 0.3)
    eye = random.uniform(0.02, 0.06)
    return [
        arc(0.5, 0.5, 0.5, 0.5, 90, 450),
        arc(0.32, 0.35, eye, eye, 0, 360),
        arc(0.68, 0.35, eye, eye, 0, 360),
        arc(0.5, 0.6, mouth, mouth, 200, 340),
    ]


def polygon(random: np.random.Generator) -> Strokes:
    """A triangle or a square, with a diagonal at times; its corners are sharp, so it is no 0."""
    corners = int(random.integers(3, 5))
    ways = np.linspace(0, 2 * np.pi, corners + 1) + random.uniform(0, 2 * np.pi)
    wide = random.uniform(0.6, 1.0)
    points = [(float(wide * np.cos(way)) / 2, float(np.sin(way)) / 2) for way in ways]
    strokes: Strokes = [points]
    if corners > 3 and random.random() < 0.3:
        strokes.append([points[0], points[2]])
    return strokes


def grid(random: np.random.Generator) -> Strokes:
    """Lines across lines."""
    places = [(index + 1) / 4 for index in range(3)][: int(random.integers(2, 4))]
    down: Strokes = [[(place, 0.0), (place, 1.0)] for place in places]
    return down + [[(0.0, place), (1.0, place)] for place in places]


def loops(random: np.random.Generator) -> Strokes:
    """A coil, as one tries a pen."""
    angle = np.linspace(0, 2 * np.pi * random.uniform(3, 6), 90)
    x = np.linspace(0, random.uniform(1.0, 2.0), 90) + 0.25 * np.cos(angle)
    return [list(zip(x.tolist(), (0.35 * np.sin(angle)).tolist(), strict=True))]


def bars(random: np.random.Generator) -> Strokes:
    """Strokes side by side, as one counts."""
    count = int(random.integers(3, 5))
    strokes: Strokes = [[(index * 0.25, 0.0), (index * 0.25 + 0.04, 1.0)] for index in range(count)]
    if random.random() < 0.5:
        strokes.append([(-0.15, 0.85), (count * 0.25, 0.15)])
    return strokes


def truss(random: np.random.Generator) -> Strokes:
    """A mast, a crane or a bridge: two beams that near each other, and diagonals between them."""
    fields, top, low = int(random.integers(3, 8)), random.uniform(0.06, 0.35), random.uniform(0.25, 0.4)
    heights = np.linspace(0, 1, fields + 1)
    reach = np.interp(heights, (0, 1), (top, low))
    sides = np.where(np.arange(fields + 1) % 2, 1.0, -1.0)
    strokes: Strokes = [
        [(-top, 0.0), (-low, 1.0)],
        [(top, 0.0), (low, 1.0)],
        list(zip((sides * reach).tolist(), heights.tolist(), strict=True)),
    ]
    if random.random() < 0.5:
        strokes.append(list(zip((-sides * reach).tolist(), heights.tolist(), strict=True)))
    return _turn_all(strokes, random.choice((0.0, np.pi / 2)) + random.normal(0, 0.2))


def fingers(random: np.random.Generator) -> Strokes:
    """The outlines of fingers held up, with the creases of their joints: one to four, side by side."""
    count = int(random.integers(1, 5))
    strokes: Strokes = []
    for index in range(count):
        wide, top, left = random.uniform(0.09, 0.13), random.uniform(0.1, 0.35), index * 0.28
        strokes.append(
            [
                (left - wide, 1.0),
                *arc(left, top, wide, 0.13, 180, 0),
                (left + wide * random.uniform(1, 1.3), 1.0),
            ]
        )
        for crease in (0.35, 0.65)[: int(random.integers(1 if count == 1 else 0, 3))]:
            down = top + crease * (1 - top)
            strokes.append([(left - 0.9 * wide, down), (left, down + 0.02), (left + 0.9 * wide, down)])
    return _turn_all(strokes, random.normal(0, 0.5))


def knuckles(random: np.random.Generator) -> Strokes:
    """A fist from the front: a row of bumps, with folds between them, and at times the hand's outline."""
    count = int(random.integers(3, 5))
    bumps = [arc(index + 0.5, random.uniform(0, 0.2), 0.5, 0.45, 180, 0) for index in range(count)]
    strokes: Strokes = [[point for bump in bumps for point in bump]]
    for index in range(1, count):
        strokes.append([(index, 0.1), (index + random.uniform(-0.2, 0.2), random.uniform(0.6, 1.4))])
    if random.random() < 0.6:
        deep = random.uniform(1.5, 2.5)
        strokes[0] = [(0.0, deep), *strokes[0], (count, deep)]
        if random.random() < 0.5:
            strokes[0].append((0.0, deep))
    return _turn_all(strokes, random.normal(0, 0.6))


def figure(random: np.random.Generator) -> Strokes:
    """A closed figure of corners or bulges, with chords in it, or a smaller figure, or spokes out of it.

    Without them it is left where no 0 has such corners or bulges.
    """
    if random.random() < 0.5:
        corners = int(random.integers(3, 8))
        ways = np.sort(np.arange(corners) + random.uniform(-0.3, 0.3, corners)) * (2 * np.pi / corners)
        reach = 0.5 * random.uniform(0.6, 1.0, corners)
        ways, reach = np.append(ways, ways[0]), np.append(reach, reach[0])
    else:
        ways = np.linspace(0, 2 * np.pi, 80)
        bulges = int(random.integers(3, 8))
        reach = 0.4 * (1 + random.uniform(0.15, 0.4) * np.cos(bulges * ways))
    ways = ways + random.uniform(0, 2 * np.pi)
    wide = random.uniform(0.7, 1.3)
    x, y = wide * reach * np.cos(ways), reach * np.sin(ways)
    outline = list(zip(x.tolist(), y.tolist(), strict=True))
    strokes: Strokes = [outline]
    kind = random.uniform(0, 1.0 if len(outline) < 5 or len(outline) == 80 else 0.85)
    if kind < 0.4:
        for _ in range(random.integers(1, 4)):
            one, other = random.choice(len(outline), 2, replace=False)
            strokes.append([outline[one], outline[other]])
    elif kind < 0.6:
        scale = random.uniform(0.3, 0.7)
        strokes.append([(scale * right, scale * down) for right, down in outline])
    elif kind < 0.85:
        for index in random.choice(
            len(outline), min(int(random.integers(2, 6)), len(outline)), replace=False
        ):
            right, down = outline[index]
            far = random.uniform(1.3, 2.0)
            strokes.append([(right, down), (far * right, far * down)])
    return strokes


def glyph(random: np.random.Generator) -> Strokes:
    """A sign of nobody's alphabet: two to five strokes that join, cross, or stand apart."""
    while True:
        strokes = _invent(random, int(random.choice((2, 3, 4, 5), p=(0.15, 0.35, 0.3, 0.2))))
        wide, tall = np.ptp(np.concatenate([np.array(stroke) for stroke in strokes]), axis=0)
        if wide > 0.4 * tall:  # or else it is a 1
            return strokes


def mirrored(random: np.random.Generator) -> Strokes:
    """A sign of two halves alike, as most pictures of things are, with a stroke down its middle at times."""
    half = _invent(random, int(random.integers(2, 4)))
    middle = half[0][0][0]
    strokes = half + [[(2 * middle - x, y) for x, y in stroke] for stroke in half]
    if random.random() < 0.4:
        top, low = random.uniform(-0.2, 0.5), random.uniform(0.5, 1.2)
        strokes.append([(middle, top), (middle, low)])
    return _turn_all(strokes, random.choice((0.0, np.pi / 2), p=(0.8, 0.2)))


def rosette(random: np.random.Generator) -> Strokes:
    """The same strokes three to eight times around a point, as of a wheel, a sun or snow."""
    part, count = _invent(random, int(random.integers(1, 3))), int(random.integers(3, 9))
    x, y = part[0][0]
    part = [[(right - x, down - y) for right, down in stroke] for stroke in part]
    return [stroke for index in range(count) for stroke in _turn_all(part, 2 * np.pi * index / count)]


def _invent(random: np.random.Generator, count: int) -> Strokes:
    """Make strokes up: each begins at an end of an earlier one, or along it, or anywhere."""
    strokes: Strokes = []
    for _ in range(count):
        start: tuple[float, float] = (float(random.random()), float(random.random()))
        kind = random.random()
        if strokes and kind < 0.8:
            earlier = strokes[random.integers(len(strokes))]
            start = earlier[random.choice((0, -1))] if kind < 0.4 else _point_along(earlier, random)
        strokes.append(_lead(start, random))
    return strokes


def _lead(start: tuple[float, float], random: np.random.Generator) -> list[tuple[float, float]]:
    """One stroke from a point on: a line, one with a corner or two, an arc, or a ring."""
    x, y = start
    kind = random.random()
    if kind < 0.6:
        points: Points = [start]
        for _ in range(1 if kind < 0.35 else random.integers(2, 4)):
            way = random.integers(8) * np.pi / 4 + random.normal(0, 0.12)
            long = random.uniform(0.25, 0.9)
            x, y = x + float(long * np.cos(way)), y + float(long * np.sin(way))
            points.append((x, y))
        if len(points) == 4 and random.random() < 0.5:
            points[-1] = start  # closed
        return points
    begin, wide, tall = random.uniform(0, 360), *random.uniform(0.12, 0.45, 2)
    sweep = 360.0 if kind > 0.9 else float(random.choice((-1, 1))) * random.uniform(100, 300)
    turned = arc(0.0, 0.0, float(wide), float(tall), begin, begin + sweep)
    return [(x + right - turned[0][0], y + down - turned[0][1]) for right, down in turned]


def _point_along(stroke: Points, random: np.random.Generator) -> tuple[float, float]:
    index, share = int(random.integers(len(stroke) - 1)), float(random.random())
    (x, y), (to_x, to_y) = stroke[index], stroke[index + 1]
    return x + share * (to_x - x), y + share * (to_y - y)


DOODLES = (
    arrow,
    asterisk,
    bars,
    cross,
    curve,
    fingers,
    grid,
    knuckles,
    loops,
    polygon,
    scribble,
    smiley,
    spiral,
    tick,
    truss,
    wave,
    zigzag,
)
MADE_UP = (figure, figure, glyph, glyph, mirrored, mirrored, rosette)


def _turn(points: Points, way: float) -> Points:
    cosine, sine = float(np.cos(way)), float(np.sin(way))
    return [(cosine * x - sine * y, sine * x + cosine * y) for x, y in points]


def _turn_all(strokes: Strokes, way: float) -> Strokes:
    return [_turn(stroke, way) for stroke in strokes]
