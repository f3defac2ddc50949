"""Pens: a digit is written anew with strokes of another width."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from shared.digit_image import crop
from shared.feedforward import FloatArray

FINEST_INK = 160  # pixels of a digit's longer side at which its strokes' width is changed
STROKE_SIDE = 0.35  # of a picture's full ink: where the sides of its strokes are
MUCH_THINNER = 0.75  # of a stroke's width: a pen this thin follows the stroke's middle, not its sides
FILLED = 1.4  # of a stroke's half width: what is further inside is no stroke but a loop filled in
AROUND = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))

Mask = npt.NDArray[np.bool_]


def draw_strokes(ink: FloatArray, height: int, stroke: float) -> FloatArray:
    """Write a digit anew: its longer side `height` pixels, its strokes `stroke` of that wide.

    An enlarged small picture is a blur; here the sides of its strokes are sharp.

    Parameters
    ----------
    ink : float32 (H, W), 0.0 = paper, 1.0 = full ink

    Returns
    -------
    float32 array, longer side about `height`
    """
    from scipy import ndimage

    ink = crop(ink)
    size = min(height, FINEST_INK)
    margin = math.ceil(stroke * size / 2) + 2
    large = ndimage.zoom(np.pad(ink, 2), max(size - 2 * margin, 4) / max(ink.shape), order=3, prefilter=False)
    solid = np.pad(large > STROKE_SIDE * large.max(), margin)
    wanted = max(stroke * size, 1.0) / 2
    inside = ndimage.distance_transform_edt(solid)
    # On the mean, ink is half as far inside a stroke as its middle; distances are to the next pixel's middle.
    half = 2 * float(inside[solid].mean()) - 1
    # Of a dot no middle may be left.
    if wanted < MUCH_THINNER * half and (middle := thin(solid)).any():
        to_side = wanted - ndimage.distance_transform_edt(~middle)
        # A loop that is filled in is no stroke: without it an 8 would be a 9, and a 6 a 1.
        to_side = np.maximum(to_side, wanted + inside - FILLED * np.quantile(inside[middle], 0.3))
    else:
        to_side = inside - ndimage.distance_transform_edt(~solid) + wanted - half
    to_side = to_side.astype(np.float32)
    if size < height:
        # Rounded, the last row or column can lie beyond the picture, and would be the side of a stroke.
        to_side = ndimage.zoom(to_side, height / size, order=1, mode="nearest") * (height / size)
    return crop(np.clip(to_side + 0.5, 0, 1))


def thin(mask: Mask) -> Mask:
    """Thin strokes to lines of one pixel in their middle; what hangs together stays so, specks may vanish.

    Source: Zhang, Suen, "A fast parallel algorithm for thinning digital patterns", 1984.
    """
    mask = np.pad(mask, 1)
    while True:
        before = np.count_nonzero(mask)
        for first in (True, False):
            # The eight neighbours, clockwise from the one above.
            p = [np.roll(mask, shift, (0, 1)) for shift in AROUND]
            count = sum(one.astype(np.int8) for one in p)
            turns = sum((~one & other).astype(np.int8) for one, other in zip(p, p[1:] + p[:1], strict=True))
            up, right, down, left = p[::2]
            side = ~(up & right & down) & ~(right & down & left)
            if not first:
                side = ~(up & right & left) & ~(up & down & left)
            mask = mask & ~((count >= 2) & (count <= 6) & (turns == 1) & side)
        if np.count_nonzero(mask) == before:
            return mask[1:-1, 1:-1]
