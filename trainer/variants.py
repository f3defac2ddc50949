"""Digits as MNIST lacks them: other forms, other pens, other countries' ones, sevens and nines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from shared.feedforward import FloatArray
from shared.pen import draw_strokes
from shared.strokes import FORMS, draw_lines, write_strokes
from trainer.fonts import draw_text

# Pixels along the longer side of ink: more than the network is shown.
SIDE = 64

# Pens: the width of their strokes as a share of a digit's longer side, from a fine liner to a felt-tip.
THINNEST_PEN, THICKEST_PEN = 0.03, 0.2


def draw_pen(random: np.random.Generator) -> float:
    """Choose a pen: the width of its strokes as a share of a digit's longer side."""
    return float(np.exp(random.uniform(np.log(THINNEST_PEN), np.log(THICKEST_PEN))))


def write_digit(digit: int, random: np.random.Generator) -> FloatArray:
    """Write a digit in one of its forms: float32 (H, W), 1 = ink."""
    forms = FORMS[digit]
    return draw_lines(
        write_strokes(forms[random.integers(len(forms))], random), SIDE, SIDE * draw_pen(random)
    )


def print_digit(digit: int, random: np.random.Generator, fonts: Sequence[Path]) -> FloatArray:
    """Draw a digit in one of some fonts: float32 (H, W), 1 = ink."""
    ink = draw_text(fonts[int(random.integers(len(fonts)))], str(digit), SIDE)
    return write_digit(digit, random) if ink is None else ink


def rewrite(image: FloatArray, random: np.random.Generator) -> FloatArray:
    """Write one of MNIST's digits, float32 (28, 28), larger and with another pen: float32 (H, W), 1 = ink."""
    return draw_strokes(image, SIDE, draw_pen(random))
