"""Digits written stroke by stroke: for where there is no MNIST to show, and for forms that it lacks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shared.digit_image import DIGIT_SIZE, IMAGE_SIZE
from shared.feedforward import FloatArray
from shared.texture import measure_distance

Point = tuple[float, float]
Strokes = list[list[Point]]
Line = npt.NDArray[np.float64]

# Points along a stroke once a hand has written it: enough for the tightest loop.
LINE_POINTS = 40

# How many of them bend together where a hand trembles.
TREMOR_POINTS = 4.0


def arc(x: float, y: float, width: float, height: float, begin: float, end: float) -> list[Point]:
    """Points along an ellipse, anticlockwise for growing angles in degrees, y pointing down."""
    angles = np.radians(np.linspace(begin, end, 17))
    return [(x + width * float(np.cos(a)), y - height * float(np.sin(a))) for a in angles]


# How each digit is written, the plainest form first: strokes as points in a box of 1 x 1, from the top left.
FORMS: dict[int, list[Strokes]] = {
    0: [
        [arc(0.5, 0.5, 0.28, 0.42, 0, 360)],
        [arc(0.5, 0.5, 0.3, 0.42, 60, 400)],  # begins at the top, and ends inside
        [arc(0.5, 0.5, 0.4, 0.4, 100, 460)],
    ],
    1: [
        [[(0.38, 0.26), (0.54, 0.08), (0.5, 0.92)]],
        [[(0.5, 0.08), (0.5, 0.92)]],
        [[(0.26, 0.44), (0.56, 0.08), (0.54, 0.92)]],  # the European upstroke
        [[(0.16, 0.58), (0.56, 0.08), (0.54, 0.92)]],
        [[(0.3, 0.34), (0.52, 0.08), (0.52, 0.92)], [(0.28, 0.92), (0.76, 0.92)]],  # with a foot
        [[(0.2, 0.5), (0.54, 0.08), (0.52, 0.92)], [(0.32, 0.92), (0.74, 0.92)]],
    ],
    2: [
        [[*arc(0.5, 0.32, 0.27, 0.24, 160, -40), (0.24, 0.9), (0.8, 0.9)]],
        [[*arc(0.5, 0.3, 0.25, 0.22, 160, -50), *arc(0.34, 0.82, 0.1, 0.08, 60, 330), (0.82, 0.9)]],  # a loop
        [[*arc(0.48, 0.32, 0.28, 0.24, 170, -30), (0.22, 0.88), *arc(0.6, 0.82, 0.2, 0.08, 160, 350)]],
    ],
    3: [
        [[*arc(0.46, 0.29, 0.26, 0.21, 150, -80), *arc(0.46, 0.7, 0.3, 0.21, 80, -150)]],
        [[(0.24, 0.1), (0.74, 0.1), (0.46, 0.42), *arc(0.46, 0.67, 0.29, 0.25, 80, -150)]],  # a flat top
        [[*arc(0.46, 0.28, 0.24, 0.2, 160, -90), (0.36, 0.48), *arc(0.46, 0.7, 0.28, 0.22, 90, -160)]],
    ],
    4: [
        [[(0.6, 0.08), (0.2, 0.62), (0.82, 0.62)], [(0.64, 0.36), (0.62, 0.94)]],
        [[(0.3, 0.08), (0.24, 0.54), (0.8, 0.54)], [(0.66, 0.1), (0.62, 0.94)]],  # open
        [[(0.32, 0.12), (0.2, 0.5), (0.66, 0.5)], [(0.68, 0.08), (0.66, 0.94)]],
        [[(0.64, 0.94), (0.64, 0.06), (0.18, 0.64), (0.84, 0.64)]],  # closed, in one go
    ],
    5: [
        [[(0.76, 0.1), (0.34, 0.1), (0.3, 0.46), *arc(0.48, 0.66, 0.28, 0.25, 120, -150)]],
        [[(0.34, 0.1), (0.3, 0.44), *arc(0.48, 0.66, 0.28, 0.25, 120, -150)], [(0.34, 0.1), (0.8, 0.1)]],
        [[(0.76, 0.12), (0.4, 0.12), (0.3, 0.4), (0.5, 0.44), *arc(0.48, 0.68, 0.26, 0.24, 70, -160)]],
    ],
    6: [
        [[(0.66, 0.08), (0.38, 0.38), (0.27, 0.64), *arc(0.5, 0.7, 0.24, 0.21, 180, 540)]],
        [[*arc(0.66, 0.62, 0.42, 0.54, 80, 190), *arc(0.5, 0.7, 0.26, 0.22, 190, 530)]],
        [[(0.36, 0.08), (0.28, 0.62), *arc(0.5, 0.7, 0.23, 0.22, 180, 540)]],
    ],
    7: [
        [[(0.22, 0.1), (0.8, 0.1), (0.44, 0.92)]],
        [[(0.22, 0.1), (0.8, 0.1), (0.44, 0.92)], [(0.34, 0.5), (0.78, 0.48)]],  # crossed
        [[(0.2, 0.22), (0.24, 0.1), (0.8, 0.1), (0.46, 0.92)], [(0.32, 0.5), (0.76, 0.5)]],
        [[(0.2, 0.24), (0.22, 0.1), (0.8, 0.12), (0.46, 0.92)]],
        [[(0.2, 0.14), (0.5, 0.1), (0.78, 0.1), (0.6, 0.4), (0.5, 0.92)]],
    ],
    8: [
        [arc(0.5, 0.29, 0.21, 0.2, -90, 270), arc(0.5, 0.71, 0.26, 0.22, 90, 450)],
        [[*arc(0.5, 0.28, 0.22, 0.2, 40, 250), *arc(0.5, 0.71, 0.25, 0.22, 70, -250), (0.68, 0.16)]],
        [[*arc(0.5, 0.28, 0.2, 0.19, -60, 240), *arc(0.5, 0.7, 0.24, 0.22, 60, -240), (0.6, 0.44)]],
    ],
    9: [
        [[*arc(0.5, 0.31, 0.23, 0.22, 0, 360), (0.72, 0.32), (0.66, 0.92)]],
        [[*arc(0.5, 0.3, 0.24, 0.22, 20, 360), (0.74, 0.6), *arc(0.5, 0.7, 0.24, 0.22, 0, -140)]],  # hooked
        [[*arc(0.5, 0.3, 0.24, 0.22, 20, 360), (0.74, 0.7), *arc(0.52, 0.8, 0.22, 0.12, 0, -120)]],
        [[*arc(0.5, 0.3, 0.25, 0.22, 20, 370), (0.68, 0.5), (0.42, 0.92)]],
    ],
}


def write_strokes(strokes: Strokes, random: np.random.Generator, liveliness: float = 1.0) -> list[Line]:
    """Write strokes as a hand does: never twice alike.

    Parameters
    ----------
    liveliness : 0.0 for the strokes as they are, 1.0 for the spread among people

    Returns
    -------
    a line for each stroke, float64 (points, 2) of x and y; the whole fits a box of 1 x 1 and touches its
    top and bottom or its left and right
    """
    from scipy.ndimage import gaussian_filter1d

    roundness, tremor = random.uniform(0.2, 1.9), liveliness * random.uniform(0.0, 0.022)
    lines = []
    for stroke in strokes:
        points = np.array(stroke)
        # A hand hits no point twice: corners stray, and each stroke begins where it will.
        points += random.normal(0, 0.02 * liveliness, points.shape if len(points) < 8 else 2)
        line = _space_evenly(points)
        if liveliness:
            line = gaussian_filter1d(line, roundness, axis=0, mode="nearest")
            noise = gaussian_filter1d(
                random.standard_normal(line.shape), TREMOR_POINTS, axis=0, mode="nearest"
            )
            # A smoothed noise is weaker by this.
            line += noise * (tremor * (4 * np.pi * TREMOR_POINTS**2) ** 0.25)
        lines.append(line)
    slant, tall, turn = liveliness * random.normal((0.08, 0.0, 0.0), (0.15, 0.12, 0.1))
    shape = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    shape = shape @ np.array([[1.0, -slant], [0.0, np.exp(tall)]])
    lines = [line @ shape.T for line in lines]
    every = np.concatenate(lines)
    lowest, highest = every.min(axis=0), every.max(axis=0)
    return [(line - (lowest + highest) / 2) / max(*(highest - lowest), 1e-9) + 0.5 for line in lines]


def _space_evenly(points: Line) -> Line:
    """Points at even distances along a polyline."""
    lengths = np.hypot(*np.diff(points, axis=0).T)
    reached = np.concatenate(([0.0], np.cumsum(lengths)))
    at = np.linspace(0, reached[-1], LINE_POINTS)
    return np.stack([np.interp(at, reached, side) for side in points.T], axis=1)


def draw_lines(lines: Sequence[Line], size: int, pen: float) -> FloatArray:
    """Draw lines with a round pen.

    Parameters
    ----------
    lines : each (points, 2) of x and y, in a box of 1 x 1
    size : pixels along the box's side
    pen : width in pixels

    Returns
    -------
    float32 (height, width), 1 = ink: the box, with as much around it as the pen needs
    """
    margin = int(pen / 2) + 2
    shape = (size + 2 * margin, size + 2 * margin)
    distance = np.full(shape, np.inf, np.float32)
    for line in lines:
        # Pixels are told by their middles.
        np.minimum(distance, measure_distance(line * size + (margin - 0.5), shape, pen / 2 + 1), out=distance)
    ink: FloatArray = np.clip(np.float32(pen / 2 + 0.5) - distance, 0, 1)
    return ink


def draw_digit(digit: int, random: np.random.Generator) -> FloatArray:
    """Draw a digit in its plainest form with a slightly unsteady hand: float32 (28, 28), 1 = ink."""
    pen = random.uniform(2.2, 3.4)
    lines = write_strokes(FORMS[digit][0], random, liveliness=0.4)
    ink = draw_lines(lines, DIGIT_SIZE - 3, pen)
    picture = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    corner = (IMAGE_SIZE - len(ink)) // 2
    picture[corner : corner + len(ink), corner : corner + len(ink)] = ink
    return picture
