"""Ink: how much darker than the paper around it each pixel is.

A pencil line in the sun and a marker line in the shade are both darker than their own paper, and that is
all they have in common.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.feedforward import FloatArray
from shared.resizing import fit_box

Bytes = npt.NDArray[np.uint8]
Window = tuple[slice, slice]

WORKING_SIZE = 320  # pixels on the long side: a thin pen's line is still a pixel wide, and a Pi keeps up
SEARCH_SIZE = 160  # pixels on the long side: enough to tell a digit from what is no digit
PAPER_BLOCK = 4  # the level of the paper changes slowly, so one value for 4x4 pixels is enough
PAPER_WINDOW = 0.22  # of the long side: wider than the thickest stroke, narrower than a sheet of paper
DARKEST_PAPER = 8  # of 255: below this a camera sees only noise


@dataclass(frozen=True, eq=False)
class InkMap:
    """The ink in a frame, at half its size.

    Attributes
    ----------
    frame : uint8 array, the frame, its sides multiples of 4 * step
    frame_shape : of the frame before its sides were made so
    step : pixels of the frame for one of the map
    grey : uint8 array, shape (H, W), the frame at the map's size
    per_paper : float32 array, shape (H / 4, W / 4), 1 / grey level of the paper
    ink : uint8 array, shape (H, W), 0 = paper, 255 = black
    """

    frame: Bytes
    frame_shape: tuple[int, ...]
    step: int
    grey: Bytes
    per_paper: FloatArray
    ink: Bytes

    def look_closer(self, window: Window, enough: int) -> Bytes:
        """Measure the ink in a window of the map again, from the frame itself.

        Returns
        -------
        uint8 array, 0 = paper, 255 = black; as large as the window in the map or, where that has less
        than `enough` pixels on its longer side, in the frame
        """
        rows, columns = window
        step = self.step
        near = self.frame[rows.start * step : rows.stop * step, columns.start * step : columns.stop * step]
        fine = near.astype(np.float32)
        if step > 1 and max(near.shape) >= enough * step:
            fine = (fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2]) * np.float32(0.25)
        else:
            fine = _smooth(fine)
        factor = fine.shape[0] / (rows.stop - rows.start)
        down, right = (
            (np.arange(round(side.start * factor), round(side.stop * factor)) // round(PAPER_BLOCK * factor))
            for side in (rows, columns)
        )
        fine *= (self.per_paper * np.float32(-255))[np.ix_(down, right)]
        fine += np.float32(255)
        return np.maximum(fine, np.float32(0), out=fine).astype(np.uint8)


def _smooth(image: FloatArray) -> FloatArray:
    """Take off the sensor's noise: a binomial filter, 1 2 1, along both axes."""
    image = np.pad(image, 1, mode="edge")
    image = image[:-2] + 2 * image[1:-1] + image[2:]
    smooth: FloatArray = (image[:, :-2] + 2 * image[:, 1:-1] + image[:, 2:]) * np.float32(1 / 16)
    return smooth


def fit_frame(frame: Bytes) -> Bytes:
    """Shrink a frame, if need be, to 320 pixels on its longer side."""
    if max(frame.shape) <= WORKING_SIZE:
        return frame
    return np.rint(fit_box(frame.astype(np.float32), WORKING_SIZE)).astype(np.uint8)


def measure_ink(frame: Bytes, darkest_paper: int = DARKEST_PAPER) -> InkMap:
    """Measure the ink in a frame, uint8 (height, width), of at most 320 pixels a side.

    There is none on paper that is darker than `darkest_paper`, of 255.
    """
    step = 1 if max(frame.shape) <= SEARCH_SIZE else 2
    block = PAPER_BLOCK * step
    shape = frame.shape
    if any(side % block for side in shape):
        frame = np.pad(frame, [(0, -side % block) for side in shape], mode="edge")
    grey = frame if step == 1 else _halve(frame)
    paper = _measure_paper(grey)
    per_paper: FloatArray = np.reciprocal(np.maximum(paper, np.float32(DARKEST_PAPER)))
    height, width = grey.shape
    ink = (
        grey.reshape(height // PAPER_BLOCK, PAPER_BLOCK, width)
        * ((per_paper * np.float32(-255)).repeat(PAPER_BLOCK, axis=1)[:, np.newaxis])
    )
    ink += np.float32(255)
    dark = np.maximum(ink, np.float32(0), out=ink).astype(np.uint8).reshape(height, width)
    blocks = dark.reshape(height // PAPER_BLOCK, PAPER_BLOCK, width // PAPER_BLOCK, PAPER_BLOCK)
    blocks.swapaxes(1, 2)[paper < darkest_paper] = 0
    return InkMap(frame, shape, step, grey, per_paper, dark)


def _halve(frame: Bytes) -> Bytes:
    """Halve a frame: the darkest of every 2x2 pixels, so that thin lines stay."""
    rows = np.minimum(frame[::2], frame[1::2])
    return np.minimum(rows[:, ::2], rows[:, 1::2])


def _measure_paper(grey: Bytes) -> FloatArray:
    """The grey level of the paper, a value for each block."""
    from scipy import ndimage

    height, width = grey.shape
    b = PAPER_BLOCK
    rows = grey.reshape(height // b, b, width).sum(axis=1, dtype=np.uint16)
    blocks = rows.reshape(height // b, width // b, b).sum(axis=2, dtype=np.uint16)
    window = max(3, round(PAPER_WINDOW * max(blocks.shape)))
    # Closing lifts everything narrower than the window, and that is ink, to the level of the paper.
    paper = ndimage.grey_closing(blocks, size=(window, window))
    levels: FloatArray = paper.astype(np.float32) * np.float32(1 / b**2)
    return levels
