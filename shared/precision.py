"""How exactly a weights file keeps link weights: as float32, as float16, or as whole numbers of 8 bits.

Whatever is kept, the forward pass multiplies float32: matrices are brought back once, when they are loaded.
Of MNIST's 10,000 test images float16 made none read otherwise, and 8 bits two, with the weights that ship
(99.39, 99.39 and 99.41 % right); `inkling-trainer convert` measures it for any weights.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from shared.cache_line import make_zeros
from shared.feedforward import FloatArray

Precision = Literal["float32", "float16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

# A row's largest weight becomes this whole number.
LARGEST_STEP = 127


class KeptMatrix(NamedTuple):
    """A weight matrix as a file keeps it.

    Attributes
    ----------
    values : float32, float16 or int8 (rows, columns)
    scales : float32 (rows,), what a row's whole numbers are multiplied by; None unless they are int8
    """

    values: npt.NDArray[Any]
    scales: FloatArray | None = None


def reduce(matrix: FloatArray, precision: Precision) -> KeptMatrix:
    """Keep a matrix, float32 (rows, columns), less exactly.

    float16 keeps 11 binary digits of each weight and none above 65504, which becomes infinite. With int8
    each row has a scale of its own, so that one large weight costs only its own row exactness: a weight is
    off by half a step at most, and a step is a 127th of the row's largest weight.

    Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference" (2018), here symmetric and a row at a time.
    """
    if precision == "float32":
        return KeptMatrix(matrix)
    if precision == "float16":
        with np.errstate(over="ignore"):  # an infinity is found when it is exported
            return KeptMatrix(matrix.astype(np.float16))
    scales = np.abs(matrix).max(axis=1) / np.float32(LARGEST_STEP)
    steps = np.zeros_like(matrix)
    np.divide(matrix, scales[:, np.newaxis], out=steps, where=scales[:, np.newaxis] > 0)
    return KeptMatrix(np.rint(steps).clip(-LARGEST_STEP, LARGEST_STEP).astype(np.int8), scales)


def restore(kept: KeptMatrix) -> FloatArray:
    """Bring a matrix back to float32, in memory that begins with a cache line."""
    matrix = make_zeros(kept.values.shape)
    if kept.scales is None:
        matrix[...] = kept.values
    else:
        with np.errstate(over="ignore", invalid="ignore"):  # what comes of hostile scales is found by loading
            np.multiply(kept.values, kept.scales[:, np.newaxis], out=matrix)
    return matrix
