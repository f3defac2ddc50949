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
Sums = npt.NDArray[np.int16]
Window = tuple[slice, slice]

WORKING_SIZE = 320  # pixels on the long side: a thin pen's line is still a pixel wide, and a Pi keeps up
SEARCH_SIZE = 160  # pixels on the long side: enough to tell a digit from what is no digit
PAPER_BLOCK = 4  # the level of the paper changes slowly, so one value for 4x4 pixels is enough
PER_PIXEL = np.float32(1 / PAPER_BLOCK**2)  # makes a block's sum its mean
PAPER_REACH = 0.11  # of the long side: twice that is wider than the thickest stroke, narrower than a sheet
DARKEST_PAPER = 8  # of 255: below this a camera sees only noise
EDGE = 3  # by 1 / 2**3 a block with an edge is darker than one side of it and brighter than another

# Where the pixels of a block are, line by line: from above, from below, from the left, from the right.
_DOWN, _ACROSS = (
    np.stack([lines, lines[::-1], lines.T, lines.T[::-1]])
    for lines in np.indices((PAPER_BLOCK, PAPER_BLOCK), np.intp)
)


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

    def look_closer(self, window: Window, unit: int, enough: int) -> Bytes:
        """Measure the ink in a window of the map again, from the frame itself.

        Where an edge runs through the paper it is dark beside strokes, too: the map tells what is one.

        Parameters
        ----------
        window : counted in squares of unit x unit pixels of the map
        enough : so many pixels on the longer side are

        Returns
        -------
        uint8 array, 0 = paper, 255 = black; a pixel for each of the window's squares or, where that is not
        enough, for each pixel of the frame
        """
        square = self.step * unit
        rows, columns = (slice(side.start * square, side.stop * square) for side in window)
        near = self.frame[rows, columns]
        if square == 1 or max(near.shape) < enough * square:
            square, sums, weight = 1, _smooth(near.astype(np.int16)), 16
        else:
            sums, weight = sum_blocks(near, square), square**2
        block = PAPER_BLOCK * self.step // square
        down, right = (
            np.arange(side.start // square, side.stop // square) // block for side in (rows, columns)
        )
        scale = self.per_paper.take(down, axis=0).take(right, axis=1) * np.float32(256 / weight)
        return _darken(sums * scale)


def _darken(lightness: FloatArray) -> Bytes:
    """From lightness, 256 for the paper's own and more for brighter, to ink; the array is used up."""
    return ~np.minimum(lightness, np.float32(255), out=lightness).astype(np.uint8)


def _smooth(grey: Sums) -> Sums:
    """Take off the sensor's noise: a binomial filter, 1 2 1, along both axes; 16 times as bright."""
    for axis, length in enumerate(grey.shape):
        grey = grey.take(np.arange(-1, length + 1), axis=axis, mode="clip")
    grey = grey[:-2] + 2 * grey[1:-1] + grey[2:]
    return grey[:, :-2] + 2 * grey[:, 1:-1] + grey[:, 2:]


def sum_blocks(grey: Bytes, block: int) -> Sums:
    """The sums of a picture's blocks of at most 11x11 pixels; what is left at its edges is not looked at."""
    height, width = (side // block * block for side in grey.shape)
    wide = grey[:height, :width].astype(np.int16)
    rows = sum((wide[start::block] for start in range(1, block)), start=wide[::block])
    return sum((rows[:, start::block] for start in range(1, block)), start=rows[:, ::block])


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
    grey = frame if step == 1 else halve(frame)
    sums = _measure_paper(grey)
    paper = sums * PER_PIXEL
    per_paper: FloatArray = np.reciprocal(np.maximum(paper, np.float32(DARKEST_PAPER)))
    width = grey.shape[1]
    scale = (per_paper * np.float32(256)).take(np.arange(width) // PAPER_BLOCK, axis=1)
    ink = _darken(grey * scale.repeat(PAPER_BLOCK, axis=0))
    _mend_edges(ink, grey, sums)
    blocks = ink.reshape(len(paper), PAPER_BLOCK, -1, PAPER_BLOCK)
    blocks.swapaxes(1, 2)[paper < darkest_paper] = 0
    return InkMap(frame, shape, step, grey, per_paper, ink)


def _mend_edges(ink: Bytes, grey: Bytes, paper: Sums) -> None:
    """Measure the ink again in the blocks through which an edge runs, as a shadow has one.

    Against what such a block has for paper the darker paper in it would be ink, and the edge a line through
    all that is written. So in each of its lines, from the darker side to the brighter one, all before the
    brighter paper is measured against the darker one. A line that stays dark to its end may be a stroke, and
    is left; so are the frame's outermost blocks, as what is beside them is not seen. The paper is told by the
    sums of its blocks.
    """
    here = paper[1:-1, 1:-1]
    beside = np.array([paper[:-2, 1:-1], paper[2:, 1:-1], paper[1:-1, :-2], paper[1:-1, 2:]])
    darker, brighter = beside.min(axis=0), beside.max(axis=0)
    edges = np.flatnonzero((darker < here - (here >> EDGE)) & (here < brighter - (brighter >> EDGE)))
    if not edges.size:
        return
    own, low, high = (
        (each.take(edges) * PER_PIXEL)[:, np.newaxis, np.newaxis] for each in (here, darker, brighter)
    )
    rows, columns = np.divmod(edges, paper.shape[1] - 2)
    corners = ((rows + 1) * grey.shape[1] + columns + 1) * PAPER_BLOCK
    sides = beside.reshape(len(beside), -1).take(edges, axis=1).argmin(axis=0)
    lines = (_DOWN * grey.shape[1] + _ACROSS)[sides] + corners[:, np.newaxis, np.newaxis]
    near = grey.take(lines)
    brightest = np.maximum.accumulate(near, axis=1)
    levels = np.minimum(np.maximum(brightest, low), high)
    levels = np.where(brightest[:, -1:] > (low + high) / 2, levels, own)
    ink.reshape(-1)[lines] = _darken(near * (np.float32(256) / np.maximum(levels, np.float32(DARKEST_PAPER))))


def halve(grey: Bytes) -> Bytes:
    """Halve a picture: the darkest of every 2x2 pixels, so that thin lines stay."""
    rows = np.minimum(grey[::2], grey[1::2])
    return np.minimum(rows[:, ::2], rows[:, 1::2])


def _measure_paper(grey: Bytes) -> Sums:
    """The paper in each block of a picture, as the sum of its pixels' grey levels."""
    blocks = sum_blocks(grey, PAPER_BLOCK)
    reach = max(1, round(PAPER_REACH * max(blocks.shape)))
    # Closing lifts everything narrower than the window, and that is ink, to the level of the paper.
    return ~_spread(~_spread(blocks, reach), reach)


def _spread(levels: Sums, reach: int) -> Sums:
    """Let the bright spread: each becomes the brightest of those at most so many rows and columns away."""
    for _ in range(2):
        levels = levels.take(np.arange(-reach, len(levels) + reach), axis=0, mode="clip")
        covered, window = 1, 2 * reach + 1
        while covered < window:
            more = min(covered, window - covered)
            levels = np.maximum(levels[:-more], levels[more:])
            covered += more
        levels = levels.T
    return levels
