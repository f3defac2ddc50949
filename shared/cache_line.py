"""Cache lines: what a processor reads of its memory at once."""

from __future__ import annotations

import math

import numpy as np

from shared.feedforward import FloatArray

CACHE_LINE = 64  # bytes


def make_zeros(shape: tuple[int, ...]) -> FloatArray:
    """Make zeros, float32, in memory that begins with a cache line.

    Memory that is asked for begins 16 bytes further on, so that much of what a processor reads at once lies
    in two lines. BLAS multiplied a matrix of 200 x 784 that lies in whole lines by a vector in nine tenths of
    the time, and one of 48 x 288 by another of 288 x 64 in half (measured).
    """
    size = 4 * math.prod(shape)
    memory = np.zeros(size + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size].view(np.float32).reshape(shape)
