"""The idx files in which MNIST comes.

Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", section "File formats".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.digit_image import IMAGE_SIZE
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


def read_digits(images: Path, labels: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Read a pair of idx files: pictures, uint8 (count, 28, 28), and their labels, uint8 (count,), 0 to 9.

    Raises
    ------
    MissingDataError, DataError : as `read_idx`, and if the two do not fit, or hold no digits
    """
    pictures, digits = read_idx(images), read_idx(labels)
    if (
        pictures.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE)
        or digits.shape != pictures.shape[:1]
        or not len(digits)
    ):
        raise DataError(
            f"{images}: pictures of shape {pictures.shape} do not fit labels of shape {digits.shape}: "
            "fetch both again with 'inkling-trainer fetch'"
        )
    if digits.max() > 9:
        raise DataError(f"{labels}: a label of {digits.max()}, where 0 to 9 belong: fetch it again")
    return pictures, digits
