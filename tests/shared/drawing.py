"""Digits drawn here, photographed on paper, and compared."""

from __future__ import annotations

import itertools

import numpy as np

from shared.digit_finder import Box

HEIGHT, WIDTH = 240, 320

# Strokes of digits in a box one high, as corners (x, y) of a line drawn without lifting the pen.
SEVEN = [[(0.0, 0.0), (0.6, 0.0), (0.2, 1.0)]]
FIVE = [
    [(0.05, 0.1), (0.0, 0.45), (0.45, 0.5), (0.5, 0.8), (0.3, 1.0), (0.0, 0.9)],
    [(0.15, 0.0), (0.55, 0.0)],
]
ZERO = [[(0.1, 0.0), (0.7, 0.0), (0.7, 1.0), (0.1, 1.0), (0.1, 0.0)]]
TWO = [[(0.0, 0.2), (0.2, 0.0), (0.5, 0.1), (0.5, 0.35), (0.0, 1.0), (0.6, 1.0)]]


def draw(strokes, *, size=100.0, pen=8.0, at=(130.0, 60.0), shape=(HEIGHT, WIDTH)):
    """Ink, 0.0 to 1.0, of strokes whose box has its top left corner at `at` (x, y)."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    distance = np.full(shape, np.inf)
    for stroke in strokes:
        for (x0, y0), (x1, y1) in itertools.pairwise(stroke):
            x, y, dx, dy = at[0] + x0 * size, at[1] + y0 * size, (x1 - x0) * size, (y1 - y0) * size
            along = np.clip(((columns - x) * dx + (rows - y) * dy) / (dx * dx + dy * dy), 0, 1)
            distance = np.minimum(distance, np.hypot(columns - x - along * dx, rows - y - along * dy))
    return np.clip(pen / 2 + 0.5 - distance, 0, 1)


def photograph(ink, paper=190.0, depth=0.7, noise=3.0):
    """The frame a camera would give of ink on paper, grey 0 to 255."""
    grain = np.random.default_rng(1).normal(0, noise, ink.shape)
    return np.clip(paper * (1 - depth * ink) + grain, 0, 255).astype(np.uint8)


def box_of(ink):
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return Box(columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)


def assert_same_shape(image, other):
    """Two 28x28 images show the same digit, give or take the width of the pen and a pixel's shift."""
    shifts = [np.roll(other, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    likeness = max(np.vdot(image, shift) for shift in shifts) / (
        np.linalg.norm(image) * np.linalg.norm(other)
    )
    assert likeness > 0.85
