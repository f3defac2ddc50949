"""Augmentation: more pictures from those that there are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from shared.feedforward import FloatArray


class Rotations:
    """The talk's rotations: a picture is turned left, left as it is, or turned right.

    Parameters
    ----------
    degrees : how far, 0 to 45; the talk found 10 best
    side : pixels along a picture's side

    A turn is one sparse matrix (pixels, pixels) of bilinear weights, applied to a whole batch.
    """

    def __init__(self, degrees: float, side: int = 28) -> None:
        self.degrees = degrees
        self._turns = [turn_matrix(-degrees, side), None, turn_matrix(degrees, side)]

    def __call__(self, images: FloatArray, random: np.random.Generator) -> FloatArray:
        """Return a batch, float32 (count, side, side), with each picture turned one way of the three."""
        turned = images.reshape(len(images), -1).copy()
        choice = random.integers(len(self._turns), size=len(images))
        for index, turn in enumerate(self._turns):
            if turn is not None:
                chosen = choice == index
                turned[chosen] = (turn @ turned[chosen].T).T
        return turned.reshape(images.shape)


def turn_matrix(degrees: float, side: int) -> sparse.csr_array:
    """Make the matrix that turns a square picture about its centre, outside counting as paper.

    Returns
    -------
    sparse float32 (side * side, side * side); times a flattened picture it gives the picture turned
    as `scipy.ndimage.rotate(picture, degrees, reshape=False, order=1)` turns it
    """
    centre = (side - 1) / 2
    rows, columns = np.mgrid[:side, :side].reshape(2, -1) - centre
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    from_row = cosine * rows + sine * columns + centre
    from_column = cosine * columns - sine * rows + centre
    target = np.arange(side * side)
    weights: list[npt.NDArray[np.float64]] = []
    targets, sources = [], []
    top, left = np.floor(from_row), np.floor(from_column)
    for row, row_weight in ((top, top + 1 - from_row), (top + 1, from_row - top)):
        for column, column_weight in ((left, left + 1 - from_column), (left + 1, from_column - left)):
            inside = (row >= 0) & (row < side) & (column >= 0) & (column < side)
            weights.append((row_weight * column_weight)[inside])
            targets.append(target[inside])
            sources.append((row * side + column)[inside].astype(np.intp))
    entries = np.concatenate(weights).astype(np.float32)
    places = (np.concatenate(targets), np.concatenate(sources))
    return sparse.csr_array((entries, places), shape=(side * side, side * side))
