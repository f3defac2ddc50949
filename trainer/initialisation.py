"""Initialisation: link weights before anything is learnt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.feedforward import FloatArray

# The variance of link weights times the links into a node, with which signals are as strong after a layer as
# before it: half of what comes to a relu node is silenced (He, Zhang, Ren and Sun, "Delving Deep into
# Rectifiers", 2015, equation 10).
VARIANCES = {"sigmoid": 1.0, "relu": 2.0}


def draw_links(
    shapes: Sequence[tuple[int, int]], random: np.random.Generator, activation: str
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Draw small random link weights for layers of some shapes, and biases of zero."""
    weights = [
        random.normal(0.0, (VARIANCES[activation] / shape[1]) ** 0.5, shape).astype(np.float32)
        for shape in shapes
    ]
    return weights, [np.zeros(len(matrix), np.float32) for matrix in weights]
