"""Memory: kept for the next array rather than given back to the system, and where arrays begin in it."""

from __future__ import annotations

import ctypes
import math

import numpy as np

from shared.feedforward import FloatArray

# glibc's malloc.h; sizes in bytes.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_KEPT, MOST_KEPT = 32 << 20, 256 << 20

# What a processor reads at a time, in bytes.
CACHE_LINE = 64


def keep_freed_memory() -> None:
    """Let this process keep up to 256 MiB that it freed.

    A batch's arrays are some 100 KB to some MB each, made and dropped hundreds of times a second. Left alone,
    glibc gives each back to the system and gets zeroed pages for the next, which more than doubles the time
    that deformations take. Where the C library is another one, nothing happens.

    Source: mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)
        mallopt(M_TRIM_THRESHOLD, MOST_KEPT)


def make_zeros(shape: tuple[int, ...]) -> FloatArray:
    """Make zeros, float32, that begin where a cache line does.

    numpy's begin 16 bytes further on, as malloc's do: what a processor then reads at once lies in two lines.
    A small matrix times another that begins so took half the time.
    """
    raw = np.zeros(4 * math.prod(shape) + CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % CACHE_LINE
    return raw[start : start + 4 * math.prod(shape)].view(np.float32).reshape(shape)
