"""Find the digit in a camera's frame.

Ink is measured against the paper around it, never by one threshold for the whole frame: a pencil
line in the sun and a marker line in the shade are both darker than their own paper. No single
amount of darker suits every pen and every desk, so the frame is cut at several ink levels, and each
connected piece of ink is judged by its own ring of paper: is it clean, even, and all around?
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from shared.digit_image import crop, measure_stroke
from shared.errors import BadFrameError
from shared.feedforward import FloatArray
from shared.resizing import fit_box, resize

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Window = tuple[slice, slice]
_Number = TypeVar("_Number", bound=np.generic)

SMALLEST_FRAME = 28  # pixels a side: a digit of MNIST's own size, filling the frame
WORKING_SIZE = 320  # pixels on the long side: a thin pen's line is still a pixel wide, and a Pi keeps up
PAPER_BLOCK = 4  # the level of the paper changes slowly, so one value for 4x4 pixels is enough
PAPER_WINDOW = 0.22  # of the long side: wider than the thickest stroke, narrower than a sheet of paper
DARKEST_PAPER = 8  # of 255: below this a camera sees only noise

INK_LEVELS = (0.07, 0.12, 0.20, 0.32, 0.50)  # how much darker than the paper: from pencil to marker
PIECES_PER_LEVEL = 8  # only the largest are looked at: a digit is never a small speck among many

SMALLEST_DIGIT = 0.10  # of the frame's shorter side
FEWEST_PIXELS = 8  # of a digit's longer side: below, there is nothing to read
FLATTEST = 0.4  # height of a digit against its width: anything flatter is a line or an edge
THICKEST_STROKE = 0.33  # of a digit's longer side: anything thicker is a blob
RING = 0.22  # of a digit's longer side: how far around it the paper is looked at
DIRT_DEPTH = 0.35  # of a digit's depth of ink: what is darker than this in its ring is no paper

# What speaks against a piece being a digit, in the exponent of its score.
DIRT_COST = 6.0  # for the share of its ring that is no paper
UNEVEN_COST = 3.0  # for how unevenly its ring is lit, beyond what a lamp at the side does ...
USUAL_UNEVENNESS = 0.15
DISTANCE_COST = 1.0  # for its distance from the middle of the frame, squared, in widths and heights of it
FULL_SIZE = 0.3  # of the frame's shorter side: below this, the smaller the less likely
EDGE_CONTACT = 0.7  # of a digit's longer side: what runs along the frame's edge for longer is no stroke
EDGE_PENALTY = 0.5  # most of what touches the frame's edge is a desk, a hand or a shadow
LOWEST_SCORE = 0.20  # pencil on clean paper has more, folds and knuckles mostly have less

WHOLE_DIGIT = 0.7  # of the best score: a piece this good that holds the best one is the whole digit
BOX_SLACK = 4  # pixels by which a box shrinks from one ink level to the next
PIECE_GAP = 0.16  # of a digit's longer side: how far away the bar of a five may float
SMALLEST_PIECE = 0.02  # of a digit's area: anything smaller is a speck
FAINTEST_PIECE = 0.6  # of a digit's depth of ink: what is fainter is a ruled line or a rubbed-out one
STROKE_EDGE = 0.4  # of a digit's depth of ink: where a blurred stroke ends ...
BLUR = 0.6  # ... and of that: where its blur does


class Box(NamedTuple):
    """A rectangle in a frame: `x`, `y` of its top left pixel, `width` and `height`, all in pixels."""

    x: int
    y: int
    width: int
    height: int


class NoDigit(StrEnum):
    """Why there is no digit to read in a frame. That is an answer, not an error."""

    NOTHING = "no digit"
    NOT_ONE = "not one digit"
    TOO_DARK = "too dark"
    BLOWN_OUT = "blown out"
    BLURRED = "blurred"


@dataclass(frozen=True, eq=False)
class FoundDigit:
    """A digit in a frame.

    Attributes
    ----------
    box : where it is, in pixels of the frame that was searched
    ink : float32 array, shape (H, W), 0.0 = paper, 1.0 = full ink: the digit alone, cut out, with
        what else was near it removed; in the finder's scale, not the frame's
    """

    box: Box
    ink: FloatArray


class _Candidate(NamedTuple):
    """A connected piece of ink at one ink level, and how much it looks like a digit on paper."""

    score: float
    level: float
    paper: float  # the ink map's value on the paper around it: above 0.0 on a grey card before a white wall
    depth: float  # of its ink, below that paper
    box: Window


def find_digit(frame: Bytes) -> FoundDigit | NoDigit:
    """Find the one handwritten digit in a frame: dark ink on brighter paper.

    Parameters
    ----------
    frame : uint8 array, shape (H, W), grey, 0 = black; at least 28x28 pixels. Frames with a side of
        more than 320 pixels are searched in a smaller copy.

    Returns
    -------
    the digit, or why there is none

    Raises
    ------
    BadFrameError : if the frame is not a grey picture of bytes, or is too small to hold a digit
    """
    _check(frame)
    grey = frame.astype(np.float32)
    if max(grey.shape) > WORKING_SIZE:
        grey = fit_box(grey, WORKING_SIZE)
    ink = _measure_ink(grey)
    darkest = ink.max()
    levels = [level for level in INK_LEVELS if level < darkest]
    candidates = [found for level in levels for found in _find_candidates(grey, ink, level)]
    best = max(candidates, key=lambda candidate: candidate.score, default=None)
    if best is None or best.score < LOWEST_SCORE:
        return NoDigit.NOTHING
    # A stroke may break where it is faint: the lowest level that holds the best piece has the whole digit.
    good = (one for one in candidates if one.score >= WHOLE_DIGIT * best.score)
    return _cut_out(ink, next(one for one in good if _holds(one.box, best.box)), frame.shape)


def _check(frame: Bytes) -> None:
    if frame.dtype != np.uint8 or frame.ndim != 2:
        raise BadFrameError(
            f"a frame is a grey picture, a uint8 array of shape (H, W), not {frame.dtype} {frame.shape}: "
            "convert a colour picture to grey first"
        )
    if min(frame.shape) < SMALLEST_FRAME:
        raise BadFrameError(
            f"a frame of {frame.shape[1]}x{frame.shape[0]} pixels is too small to read a digit in: "
            f"give at least {SMALLEST_FRAME}x{SMALLEST_FRAME}"
        )


def _measure_ink(grey: FloatArray) -> FloatArray:
    """How much darker than the paper around it each pixel is: 0.0 = paper, 1.0 = black."""
    from scipy import ndimage

    height, width = grey.shape
    blocks = resize(grey, -(-height // PAPER_BLOCK), -(-width // PAPER_BLOCK))
    window = max(3, round(PAPER_WINDOW * max(blocks.shape)))
    # Closing lifts everything narrower than the window, and that is ink, to the level of the paper.
    paper = ndimage.grey_closing(blocks, size=(window, window))
    per_paper = 1 / np.maximum(paper, DARKEST_PAPER)
    ink: FloatArray = per_paper.repeat(PAPER_BLOCK, axis=0).repeat(PAPER_BLOCK, axis=1)[:height, :width]
    ink *= ndimage.gaussian_filter(grey, 0.7)
    np.subtract(1, ink, out=ink)
    return np.clip(ink, 0, 1, out=ink)


def _find_candidates(grey: FloatArray, ink: FloatArray, level: float) -> Iterator[_Candidate]:
    """Score the largest pieces of ink at one level that could be a digit."""
    from scipy import ndimage

    labels = _label_largest(ink > level)
    smallest = max(SMALLEST_DIGIT * min(ink.shape), FEWEST_PIXELS)
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        height, width = (side.stop - side.start for side in box)
        size = max(height, width)
        if size < smallest or height < FLATTEST * width:
            continue
        if measure_stroke((labels[box] == number).astype(np.float32)) > THICKEST_STROKE * size:
            continue
        contact = _edge_contact(labels, number)
        if contact > EDGE_CONTACT * size:
            continue
        candidate = _judge(grey, ink, labels, number, box, level)
        if candidate is not None:
            yield candidate._replace(score=candidate.score * (EDGE_PENALTY if contact else 1))


def _label_largest(mask: Mask) -> Bytes:
    """Number the largest connected pieces of a mask from 1; everything else is 0."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, np.ones((3, 3)), output=np.intp)
    areas = np.bincount(labels.ravel())
    largest = np.argsort(areas[1:])[-PIECES_PER_LEVEL:] + 1
    numbers = np.zeros(count + 1, np.uint8)
    numbers[largest] = np.arange(1, len(largest) + 1)
    pieces: Bytes = numbers.take(labels)
    return pieces


def _edge_contact(labels: Bytes, number: int) -> int:
    """Count the pixels of a piece that lie on the frame's edge."""
    return int(np.count_nonzero(_border(labels) == number))


def _border(image: NDArray[_Number]) -> NDArray[_Number]:
    return np.concatenate((image[0], image[-1], image[:, 0], image[:, -1]))


def _judge(
    grey: FloatArray, ink: FloatArray, labels: Bytes, number: int, box: Window, level: float
) -> _Candidate | None:
    """Score a piece of ink by its size, its place, its depth and the ring of paper around it."""
    from scipy import ndimage

    size = _size(box)
    # Every other pixel tells as much about the ring, in a quarter of the time.
    window = _widen(box, max(3, round(RING * size)), ink.shape, step=2)
    ring = ~ndimage.maximum_filter(labels[window] == number, 3)
    around = ink[window][ring]
    if around.size < FEWEST_PIXELS:
        return None
    paper = float(np.median(around))
    depth = float(np.median(ink[box][labels[box] == number])) - paper
    if depth < level / 2:
        return None
    dirt = np.count_nonzero(around > paper + DIRT_DEPTH * depth) / around.size
    dark, middle, bright = np.percentile(grey[window][ring], (10, 50, 90))
    # A shadow's edge makes two even halves: then only one of the two is far from the middle.
    unevenness = ((bright - dark) / 2 + min(bright - middle, middle - dark)) / max(middle, DARKEST_PAPER)
    middles = ((side.start + side.stop) / 2 / length for side, length in zip(box, ink.shape, strict=True))
    distance = sum((place - 0.5) ** 2 for place in middles)
    score = math.sqrt(depth / (1 - paper) * min(1, size / (FULL_SIZE * min(ink.shape))))
    score *= math.exp(-DIRT_COST * dirt - UNEVEN_COST * max(0, unevenness - USUAL_UNEVENNESS))
    score *= math.exp(-DISTANCE_COST * distance)
    return _Candidate(score, level, paper, depth, box)


def _size(box: Window) -> int:
    """The longer side of a box."""
    rows, columns = box
    return int(max(rows.stop - rows.start, columns.stop - columns.start))


def _widen(box: Window, margin: int, shape: tuple[int, ...], step: int = 1) -> Window:
    """A box and a margin around it, as far as the frame goes."""
    rows, columns = (
        slice(max(0, side.start - margin), min(length, side.stop + margin), step)
        for side, length in zip(box, shape, strict=True)
    )
    return rows, columns


def _holds(outer: Window, inner: Window) -> bool:
    """Whether one box holds another, give or take the edge of a stroke."""
    return all(
        out.start <= side.start + BOX_SLACK and out.stop >= side.stop - BOX_SLACK
        for out, side in zip(outer, inner, strict=True)
    )


def _cut_out(ink: FloatArray, digit: _Candidate, frame_shape: tuple[int, ...]) -> FoundDigit:
    """Gather the digit's pieces, and free its ink from what else is near."""
    from scipy import ndimage

    reach = max(2, round(PIECE_GAP * _size(digit.box)))
    window = _widen(digit.box, 2 * reach, ink.shape)
    near = ink[window]
    edge = max(digit.level, digit.paper + STROKE_EDGE * digit.depth)
    main = np.zeros(ink.shape, np.bool_)
    main[digit.box] = True
    mask = _gather(near, near > edge, main[window], reach, digit.paper + FAINTEST_PIECE * digit.depth)
    blank = digit.paper + BLUR * (edge - digit.paper)
    full = max(float(np.median(near[mask])), blank + 0.001)
    soft = np.clip((near - blank) / (full - blank), 0, 1) * ndimage.maximum_filter(mask, 3)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    tall, wide = (there / here for there, here in zip(frame_shape, ink.shape, strict=True))
    top, bottom = (round((window[0].start + row) * tall) for row in (rows[0], rows[-1] + 1))
    left, right = (round((window[1].start + column) * wide) for column in (columns[0], columns[-1] + 1))
    return FoundDigit(Box(left, top, right - left, bottom - top), crop(soft.astype(np.float32)))


def _gather(near: FloatArray, solid: Mask, body: Mask, reach: int, faintest: float) -> Mask:
    """The largest piece in the digit's body, and those that broke off it: close to it, and as dark."""
    from scipy import ndimage

    labels, count = ndimage.label(solid, np.ones((3, 3)))
    areas = np.bincount(labels.ravel())
    main = int(np.argmax(np.bincount(labels[body])[1:])) + 1
    close = labels[ndimage.maximum_filter(labels == main, 2 * reach + 1)]
    keep = np.bincount(close, minlength=count + 1) > 0
    keep &= areas >= SMALLEST_PIECE * areas[main]
    keep &= np.bincount(labels.ravel(), weights=near.ravel()) > faintest * areas
    keep[_border(labels)] = False  # goes on outside the window: part of something larger
    keep[0], keep[main] = False, True
    pieces: Mask = keep[labels]
    return pieces
