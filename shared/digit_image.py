"""Normalise: a digit's ink becomes the 28x28 image that the network sees, drawn the way MNIST was made."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from shared.errors import NoInkError
from shared.feedforward import FloatArray
from shared.resizing import fit_box

# Names what `normalise` does; weights are only good for the normalisation they were trained with.
NORMALISATION = "mnist-20x20-centre-of-mass"

IMAGE_SIZE = 28
DIGIT_SIZE = 20  # the box that MNIST's digits were fitted in
FINE = 4  # strokes are thickened and thinned in an image this many times finer than MNIST's
THINNEST, THICKEST = 1.8, 3.3  # pixels of MNIST's image: the strokes of most of its digits lie between
SLANT = 0.414  # what the shorter side adds to the longer one, at 45 degrees
BARELY_INK = 0.05  # fainter than this is the blur around a digit, not the digit


def normalise(ink: FloatArray) -> FloatArray:
    """Fit a digit's ink into a 28x28 image the way MNIST was made.

    A pen much thinner or thicker than those of MNIST is brought to the nearest width that MNIST has.

    Parameters
    ----------
    ink : float32 array, shape (H, W), 0.0 = paper, 1.0 = full ink

    Returns
    -------
    float32 array, shape (28, 28), same scale; the longer side of the ink spans 20 pixels and the
    centre of mass sits on pixel (14, 14).

    Raises
    ------
    NoInkError : if every pixel is paper.

    Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
    """
    digit = fit_box(_correct_stroke(crop(ink)), DIGIT_SIZE)
    height, width = digit.shape
    mass = digit.sum()
    row = float(digit.sum(axis=1) @ np.arange(height)) / mass
    column = float(digit.sum(axis=0) @ np.arange(width)) / mass
    # A digit with nearly all its ink at one end stays whole, a little off the centre.
    top = min(max(round(IMAGE_SIZE / 2 - row), 0), IMAGE_SIZE - height)
    left = min(max(round(IMAGE_SIZE / 2 - column), 0), IMAGE_SIZE - width)
    image = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    image[top : top + height, left : left + width] = np.clip(digit, 0, 1)
    return image


def to_inputs(image: FloatArray) -> FloatArray:
    """Scale images into the network's inputs.

    Parameters
    ----------
    image : float32 array, shape (..., 28, 28), 0.0 = paper, 1.0 = full ink

    Returns
    -------
    float32 array, shape (..., 784), 0.01 to 1.0: an input of 0 would silence its link weights.

    Source: Rashid, "Make Your Own Neural Network": inputs / 255 * 0.99 + 0.01.
    """
    pixels = np.asarray(image, np.float32).reshape(*image.shape[:-2], IMAGE_SIZE * IMAGE_SIZE)
    return pixels * np.float32(0.99) + np.float32(0.01)


def crop(ink: FloatArray) -> FloatArray:
    """Cut off the paper around the ink.

    Raises
    ------
    NoInkError : if every pixel is paper
    """
    solid = (ink > BARELY_INK).view(np.uint8)  # bytes, as a Pi is slow with bools
    rows, columns = (np.flatnonzero(np.bitwise_or.reduce(solid, axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise NoInkError("there is no ink to make a digit of: every pixel is paper")
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _correct_stroke(digit: FloatArray) -> FloatArray:
    """Thicken a thin pen and thin a thick one to the widths that MNIST knows."""
    width = measure_stroke(digit) * DIGIT_SIZE / max(digit.shape)
    wanted = min(max(width, THINNEST), THICKEST)
    if wanted == width:
        return digit
    radius = abs(wanted - width) * FINE / 2
    margin = 2 + int(radius)
    # Half a level more, so that what becomes of it is rounded.
    levels = np.minimum(digit, np.float32(1)) * np.float32(255) + np.float32(0.5)
    ink = fit_box(levels, FINE * DIGIT_SIZE)
    fine = np.zeros((ink.shape[0] + 2 * margin, ink.shape[1] + 2 * margin), np.uint8)
    fine[margin:-margin, margin:-margin] = ink
    if wanted > width:
        return crop(_spread(fine, radius) * np.float32(1 / 255))
    thinner = ~_spread(~fine, radius)
    return crop(thinner * np.float32(1 / 255)) if thinner.sum() > 0.35 * fine.sum() else digit


def _spread(image: npt.NDArray[np.uint8], radius: float) -> npt.NDArray[np.uint8]:
    """Let the bright spread by a disc: each pixel becomes the brightest within `radius` of it."""
    reach = int(math.sqrt(radius**2 + 0.5))
    widths = [int(math.sqrt(radius**2 + 0.5 - down**2)) for down in range(reach + 1)]
    # The disc's rows, each a little wider than the next one out.
    wide = [image]
    for across in range(1, reach + 1):
        row = wide[-1].copy()
        np.maximum(row[:, across:], image[:, :-across], out=row[:, across:])
        np.maximum(row[:, :-across], image[:, across:], out=row[:, :-across])
        wide.append(row)
    spread = wide[widths[0]].copy()
    for down in range(1, reach + 1):
        row = wide[widths[down]]
        np.maximum(spread[down:], row[:-down], out=spread[down:])
        np.maximum(spread[:-down], row[down:], out=spread[:-down])
    return spread


def measure_stroke(ink: FloatArray) -> float:
    """The width of a digit's strokes in pixels: a stroke has two sides, so twice its area by its outline."""
    return 2 * float(ink.sum()) / _measure_outline(ink)


def measure_blur(ink: FloatArray) -> float:
    """How far the sides of a digit's strokes reach from paper to full ink, as a share of its longer side."""
    # Along a straight slope of length 1, 4 s (1 - s) adds up to 2/3.
    blur: float = 6 * (float(ink.sum()) - float(np.vdot(ink, ink))) / (_measure_outline(ink) * max(ink.shape))
    return blur


def _measure_outline(ink: FloatArray) -> float:
    """The length of the line between ink and paper, in pixels."""
    height, width = ink.shape
    padded = np.zeros((height + 2, width + 2), np.float32)
    padded[1:-1, 1:-1] = ink
    # As one line, as a row's end costs as much as twenty pixels.
    line, wide = padded.ravel(), width + 2
    here = line[:-wide]
    down, right = np.abs(line[wide:] - here), np.abs(line[1 : 1 - wide] - here)
    # The length of a slope from its two sides, without a root: never more than a twelfth too long.
    outline: float = np.maximum(down, right).sum() + SLANT * np.minimum(down, right).sum()
    return outline
