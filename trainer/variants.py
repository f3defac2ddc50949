"""Digits as MNIST lacks them: other forms, other pens, other countries' ones, sevens and nines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from shared.digit_image import DIGIT_SIZE, crop, measure_stroke
from shared.feedforward import FloatArray
from shared.resizing import fit_box
from shared.strokes import FORMS, draw_lines, write_strokes
from trainer.fonts import draw_text

# Pixels along the longer side of a digit that is held up: what a camera sees of one close to it.
SIDE = 112

# Pens, in pixels of MNIST's 20x20 box: from a fine liner to a felt-tip.
THINNEST_PEN, THICKEST_PEN = 0.8, 4.5

# What is left of a stroke that is thinned, and MNIST's pixels around a digit for one that is thickened.
MOST_THINNED = 0.55
MARGIN = 3


def draw_pen(random: np.random.Generator) -> float:
    """Choose a pen: the width of its strokes in pixels of a digit of `SIDE`."""
    return float(np.exp(random.uniform(*np.log((THINNEST_PEN, THICKEST_PEN))))) * SIDE / DIGIT_SIZE


def write_digit(digit: int, random: np.random.Generator) -> FloatArray:
    """Write a digit in one of its forms: float32 (H, W), 1 = ink."""
    forms = FORMS[digit]
    return draw_lines(write_strokes(forms[random.integers(len(forms))], random), SIDE, draw_pen(random))


def print_digit(digit: int, random: np.random.Generator, fonts: Sequence[Path]) -> FloatArray:
    """Draw a digit in one of some fonts: float32 (H, W), 1 = ink."""
    ink = draw_text(fonts[random.integers(len(fonts))], str(digit), SIDE)
    return write_digit(digit, random) if ink is None else ink


def rewrite(image: FloatArray, random: np.random.Generator) -> FloatArray:
    """Write one of MNIST's digits, larger and with another pen: float32 (H, W), 1 = ink.

    Parameters
    ----------
    image : float32 (28, 28), 1 = ink
    """
    from scipy import ndimage

    ink = crop(image)
    large = ndimage.zoom(np.pad(ink, MARGIN), SIDE / max(ink.shape), order=1)
    solid = large > 0.5
    width = measure_stroke(solid.astype(np.float32))
    # The uneven strokes of a digit fall apart when they lose much.
    change = max(draw_pen(random), MOST_THINNED * width) - width
    inside = ndimage.distance_transform_edt(solid) - ndimage.distance_transform_edt(~solid)
    rewritten: FloatArray = np.clip(inside + change / 2 + 0.5, 0, 1).astype(np.float32)
    return rewritten
