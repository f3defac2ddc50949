"""Memory that is kept for the next array rather than given back to the system."""

from __future__ import annotations

import ctypes

# glibc's malloc.h; sizes in bytes.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_KEPT, MOST_KEPT = 32 << 20, 256 << 20


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
