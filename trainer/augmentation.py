"""Augmentation: more pictures from those that there are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from shared.feedforward import FloatArray

# Standard deviations of a deformation: turn and slant in radians, logarithms of the stretch along each
# side, shift in pixels; found best on held-out pictures of MNIST.
AFFINE = (0.12, 0.15, 0.08, 0.10, 0.8, 0.8)

# Of every pixel's displacement, and of the Gaussian that smooths it; in pixels.
BEND = 1.0
SMOOTHNESS = 4.0

# Over this last part of training deformations fade, so that it ends on pictures as they are.
CALM = 0.3

# Pictures of a batch that are deformed alike.
SHARED_BY = 20


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

    def __call__(self, images: FloatArray, random: np.random.Generator, left: float = 1.0) -> FloatArray:
        """Return a batch, float32 (count, side, side), with each picture turned one way of the three."""
        turned = images.reshape(len(images), -1).copy()
        choice = random.integers(len(self._turns), size=len(images))
        for index, turn in enumerate(self._turns):
            if turn is not None:
                chosen = choice == index
                turned[chosen] = (turn @ turned[chosen].T).T
        return turned.reshape(images.shape)


class Deformations:
    """Pictures turned, stretched, slanted, shifted and bent, as another hand would have written them.

    Parameters
    ----------
    strength : 1.0 for the amounts below, 0.0 for none
    side : pixels along a picture's side

    Some pictures of a batch share a deformation: making one costs as much as applying it to them all.

    Source: Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks Applied to
    Visual Document Analysis" (2003): a random displacement of every pixel, smoothed by a Gaussian.
    """

    def __init__(self, strength: float = 1.0, side: int = 28) -> None:
        self.strength = strength
        self._side = side
        places = np.arange(side, dtype=np.float32)
        bell = np.exp(-((places[:, np.newaxis] - places) ** 2) / (2 * SMOOTHNESS**2))
        # A smoothed field of random numbers keeps their standard deviation of one.
        self._smooth = (bell / np.sqrt((bell**2).sum(axis=1, keepdims=True))).astype(np.float32)

    def __call__(self, images: FloatArray, random: np.random.Generator, left: float = 1.0) -> FloatArray:
        """Return a batch, float32 (count, side, side), deformed; less towards the end of training."""
        strength = self.strength * min(1.0, left / CALM)
        flat = images.reshape(len(images), -1)
        deformed = np.empty_like(flat)
        for start in range(0, len(flat), SHARED_BY):
            group = slice(start, start + SHARED_BY)
            deformed[group] = (self._draw(random, strength) @ flat[group].T).T
        return deformed.reshape(images.shape)

    def _draw(self, random: np.random.Generator, strength: float) -> sparse.csr_array:
        """Draw a deformation: the matrix that takes a flattened picture to the deformed one."""
        turn, slant, tall, wide, down, right = strength * random.normal(0, AFFINE)
        centre = (self._side - 1) / 2
        rows, columns = np.mgrid[: self._side, : self._side].astype(np.float32) - np.float32(centre)
        bends = random.standard_normal((2, self._side, self._side), np.float32)
        bends = self._smooth @ bends @ self._smooth.T * np.float32(strength * BEND)
        cosine, sine = np.cos(turn), np.sin(turn)
        from_row = np.exp(tall) * (cosine * rows + sine * columns) + bends[0] + (centre + down)
        from_column = np.exp(wide) * (cosine * columns - sine * rows + slant * rows) + bends[1]
        return sample_matrix(from_row, from_column + (centre + right))


def turn_matrix(degrees: float, side: int) -> sparse.csr_array:
    """Make the matrix that turns a square picture about its centre, outside counting as paper.

    Returns
    -------
    sparse float32 (side * side, side * side); times a flattened picture it gives the picture turned
    as `scipy.ndimage.rotate(picture, degrees, reshape=False, order=1)` turns it
    """
    centre = (side - 1) / 2
    rows, columns = np.mgrid[:side, :side] - centre
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return sample_matrix(cosine * rows + sine * columns + centre, cosine * columns - sine * rows + centre)


def sample_matrix(rows: npt.NDArray[np.floating], columns: npt.NDArray[np.floating]) -> sparse.csr_array:
    """Make the matrix that samples a square picture at some places, outside counting as paper.

    Parameters
    ----------
    rows, columns : (side, side), where each pixel comes from

    Returns
    -------
    sparse float32 (side * side, side * side) of bilinear weights, four a row
    """
    side = len(rows)
    # Kept within reach of the paper around the picture, where all weights are 0.
    from_row, from_column = (np.clip(places.ravel(), -1, side) for places in (rows, columns))
    top, left = np.floor(from_row), np.floor(from_column)
    weights = np.zeros((side * side, 4), np.float32)
    sources = np.zeros((side * side, 4), np.int32)
    corner = 0
    for row, row_weight in ((top, top + 1 - from_row), (top + 1, from_row - top)):
        for column, column_weight in ((left, left + 1 - from_column), (left + 1, from_column - left)):
            inside = (row >= 0) & (row < side) & (column >= 0) & (column < side)
            weights[:, corner] = row_weight * column_weight * inside
            sources[:, corner] = (row * side + column) * inside
            corner += 1
    starts = np.arange(0, 4 * side * side + 1, 4, dtype=np.int32)
    return sparse.csr_array((weights.ravel(), sources.ravel(), starts), shape=(side * side,) * 2)
