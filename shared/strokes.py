"""Digits drawn from strokes, for where there is no MNIST to show."""

from __future__ import annotations

import numpy as np

from shared.digit_image import IMAGE_SIZE
from shared.feedforward import FloatArray
from shared.texture import measure_distance

Point = tuple[float, float]


def _arc(x: float, y: float, width: float, height: float, begin: float, end: float) -> list[Point]:
    """Points along an ellipse, anticlockwise for growing angles in degrees, y pointing down."""
    angles = np.radians(np.linspace(begin, end, 17))
    return [(x + width * float(np.cos(a)), y - height * float(np.sin(a))) for a in angles]


# Each digit's strokes as points in a box of 1 x 1, from the top left.
STROKES: dict[int, list[list[Point]]] = {
    0: [_arc(0.5, 0.5, 0.28, 0.42, 0, 360)],
    1: [[(0.38, 0.26), (0.54, 0.08), (0.5, 0.92)]],
    2: [[*_arc(0.5, 0.32, 0.27, 0.24, 160, -40), (0.24, 0.9), (0.8, 0.9)]],
    3: [[*_arc(0.46, 0.29, 0.26, 0.21, 150, -80), *_arc(0.46, 0.7, 0.3, 0.21, 80, -150)]],
    4: [[(0.6, 0.08), (0.2, 0.62), (0.82, 0.62)], [(0.64, 0.36), (0.62, 0.94)]],
    5: [[(0.76, 0.1), (0.34, 0.1), (0.3, 0.46), *_arc(0.48, 0.66, 0.28, 0.25, 120, -150)]],
    6: [[(0.66, 0.08), (0.38, 0.38), (0.27, 0.64), *_arc(0.5, 0.7, 0.24, 0.21, 180, 540)]],
    7: [[(0.22, 0.1), (0.8, 0.1), (0.44, 0.92)]],
    8: [_arc(0.5, 0.29, 0.21, 0.2, -90, 270), _arc(0.5, 0.71, 0.26, 0.22, 90, 450)],
    9: [[*_arc(0.5, 0.31, 0.23, 0.22, 0, 360), (0.72, 0.32), (0.66, 0.92)]],
}


def draw_digit(digit: int, random: np.random.Generator) -> FloatArray:
    """Draw a digit with a slightly unsteady hand: float32 (28, 28), 1 = ink, in a 20x20 box."""
    pen = random.uniform(1.1, 1.7)
    slant, stretch = random.uniform(-0.15, 0.15), random.uniform(0.9, 1.1)
    shape = IMAGE_SIZE, IMAGE_SIZE
    distance = np.full(shape, np.inf, np.float32)
    for stroke in STROKES[digit]:
        points = np.array(stroke) + random.normal(0, 0.008, (len(stroke), 2))
        x = 4 + 20 * ((points[:, 0] - 0.5) * stretch + 0.5 + slant * (0.5 - points[:, 1]))
        y = 4 + 20 * points[:, 1]
        np.minimum(distance, measure_distance(np.stack((x, y), axis=1), shape, pen + 1), out=distance)
    return np.clip(pen + 0.5 - distance, 0, 1)
