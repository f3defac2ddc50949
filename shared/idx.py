"""The idx files in which MNIST comes.

Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", section "File formats".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.errors import DataError, MissingDataError

TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"
TRAINING_IMAGES = "train-images-idx3-ubyte"
TRAINING_LABELS = "train-labels-idx1-ubyte"

_UNSIGNED_BYTE = 0x08


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Read an idx file of bytes: images as uint8 (count, rows, columns), labels as uint8 (count,).

    Raises
    ------
    MissingDataError : if there is no such file
    DataError : if it is no idx file of bytes, or not as long as it says
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise MissingDataError(
            f"no file {path}: fetch MNIST with 'inkling-trainer fetch --data-dir {path.parent}'"
        ) from error
    dimensions = content[3] if len(content) >= 4 else 0
    start = 4 + 4 * dimensions
    if content[:3] != bytes([0, 0, _UNSIGNED_BYTE]) or not 1 <= dimensions <= 4 or len(content) < start:
        raise DataError(f"{path}: not an idx file of bytes: fetch it again with 'inkling-trainer fetch'")
    shape = tuple(int(length) for length in np.frombuffer(content[4:start], dtype=">u4"))
    if len(content) - start != np.prod(shape, dtype=np.int64):
        raise DataError(
            f"{path}: holds {len(content) - start} bytes where {shape} was promised: "
            "fetch it again with 'inkling-trainer fetch'"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
