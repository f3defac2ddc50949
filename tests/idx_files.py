"""IDX files, as MNIST comes in, of any pictures."""

from pathlib import Path

import numpy as np
import numpy.typing as npt


def make_idx(array: npt.NDArray[np.uint8]) -> bytes:
    sizes = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def write_idx(path: Path, array: npt.NDArray[np.uint8]) -> None:
    path.write_bytes(make_idx(array))
