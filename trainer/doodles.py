"""Doodles: what people draw that is neither digit nor letter, as strokes in a box of 1 x 1."""

from __future__ import annotations

import numpy as np

from shared.strokes import Strokes, arc

Points = list[tuple[float, float]]


def draw_doodle(random: np.random.Generator) -> Strokes:
    """Draw one of the doodles below, of some kind and size."""
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


DOODLES = (
    arrow,
    asterisk,
    bars,
    cross,
    curve,
    grid,
    loops,
    polygon,
    scribble,
    smiley,
    spiral,
    tick,
    wave,
    zigzag,
)


def _turn(points: Points, way: float) -> Points:
    cosine, sine = float(np.cos(way)), float(np.sin(way))
    return [(cosine * x - sine * y, sine * x + cosine * y) for x, y in points]
