"""Find the digit in a camera's frame.

Ink is measured against the paper around it, never by one threshold for the whole frame (see `shared.ink`).
No single amount of darker suits every pen and every desk, so the frame is cut at several ink levels, and
each connected piece of ink is judged by its own ring of paper: is it clean, even, and all around?

The search goes over a picture of half the size, in bytes: a Pi Zero has one core and 40 million
instructions for a frame. The digit that is found is cut out of the frame itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.digit_image import SLANT, crop
from shared.errors import BadFrameError
from shared.feedforward import FloatArray
from shared.ink import Bytes, InkMap, fit_frame, measure_ink

Mask = npt.NDArray[np.bool_]
Window = tuple[slice, slice]

EIGHT_NEIGHBOURS = np.ones((3, 3), np.int8)

# Only the largest pieces at a level are looked at, one for each bit of a byte: a digit is no small speck.
_BITS = np.array([1, 2, 4, 8, 16, 32, 64, 128], np.uint8)

SMALLEST_FRAME = 28  # pixels a side: a digit of MNIST's own size, filling the frame

INK_LEVELS = (18, 36, 72, 128)  # of 255, how much darker than the paper: from pencil to marker

SMALLEST_DIGIT = 0.10  # of the frame's shorter side
FEWEST_PIXELS = 8  # of a digit's longer side: below, there is nothing to read
FLATTEST = 0.4  # height of a digit against its width: anything flatter is a line or an edge
THICKEST_STROKE = 0.33  # of a digit's longer side: anything thicker is a blob
RING = 0.22  # of a digit's longer side: how far around it the paper is looked at
DIRT_DEPTH = 0.35  # of a digit's depth of ink: what is darker than this in its ring is no paper

# How likely a piece is to be a digit: the terms of a logistic regression, fitted on 4,500 simulated scenes
# (`shared.scenery`) with a digit on paper in two of three, and rounded.
LIKELY = 6.4
DEPTH_GAIN = 1.65  # for the logarithm of its depth of ink
SIZE_GAIN = 3.9  # for the logarithm of its size against FULL_SIZE, where it is smaller
DIRT_COST = 13.6  # for the share of its ring that is no paper
UNEVEN_COST = 5.0  # for how unevenly its ring is lit ...
PATCHY_COST = 3.0  # ... and more where that is not in two even halves, as a shadow's edge makes them
DISTANCE_COST = 0.65  # for its distance from the middle of the frame, squared, in widths and heights of it
EDGE_COST = 2.6  # if it touches the frame's edge: most of what does is a desk, a hand or a shadow
FILL_COST = 4.3  # for the share of its box that is ink
FLAT_COST = 5.5  # for the logarithm of its width against its height, where it is wider
CHALK_COST = 1.1  # if it is brighter than its board
FULL_SIZE = 0.3  # of the frame's shorter side
EDGE_CONTACT = 0.7  # of a digit's longer side: what runs along the frame's edge for longer is no stroke
LOWEST_SCORE = 0.12  # below, hardly anything is a digit; what is none above it is left to the network
SURE_SCORE = 0.4  # of ink on paper: nobody looks for chalk then
DARK_BOARD = 90  # of 255: chalk is looked for on what is darker than this ...
LEAST_BOARD = 0.15  # ... where it fills this share of the frame

# Two pieces that are as much alike as this, and in one line, are letters or digits of a longer text.
COMPANION_SCORE = 0.7
COMPANION_SIZE = 0.6
COMPANION_DEPTH = 0.7
COMPANION_LIGHT = 0.92
COMPANION_OVERLAP = 0.6  # of the smaller one's height
COMPANION_GAP = 1.0  # of the digit's longer side
COMPANION_CLOSE = 4  # pixels
COMPANION_PAPER = 0.8  # of what lies between them

WHOLE_DIGIT = 0.7  # of the best score: a piece this good that holds the best one is the whole digit
BOX_SLACK = 2  # pixels by which a box shrinks from one ink level to the next
PIECE_GAP = 0.16  # of a digit's longer side: how far away the bar of a five may float
SMALLEST_PIECE = 0.02  # of a digit's area: anything smaller is a speck
FAINTEST_PIECE = 0.6  # of a digit's depth of ink: what is fainter is a ruled line or a rubbed-out one
STROKE_EDGE = 0.4  # of a digit's depth of ink: where a blurred stroke ends ...
BLUR = 0.6  # ... and of that: where its blur does
FINE_ENOUGH = 48  # pixels of a digit's longer side: more would not change the 28x28 image


_LEAST_LIKELY = math.log(LOWEST_SCORE / (1 - LOWEST_SCORE))


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


class Candidate(NamedTuple):
    """A connected piece of ink at one ink level, and how much it looks like a digit on paper.

    Attributes
    ----------
    score : 0 to 1
    level : the ink level, of 255
    paper : the ink map's value on the paper around it: above 0 on a grey card before a white wall
    depth : of its ink, below that paper
    light : the grey level of that paper
    box : rows and columns of the ink map
    """

    score: float
    level: int
    paper: int
    depth: int
    light: int
    box: Window


@dataclass(frozen=True, eq=False)
class Search:
    """What a search of a frame came upon: what to look at when a digit is misread.

    Attributes
    ----------
    ink : the ink map that was searched
    candidates : all pieces that were judged, from the lowest ink level to the highest
    chosen : the one taken for the digit, or None
    found : the digit, or why there is none
    """

    ink: InkMap
    candidates: Sequence[Candidate]
    chosen: Candidate | None
    found: FoundDigit | NoDigit

    @property
    def score(self) -> float:
        """Of the piece that was chosen; 0 where none was."""
        return 0.0 if self.chosen is None else self.chosen.score


def find_digit(frame: Bytes) -> FoundDigit | NoDigit:
    """Find the one handwritten digit in a frame: dark ink on brighter paper, or chalk on a dark board.

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
    return search_frame(frame).found


def search_frame(frame: Bytes) -> Search:
    """Find the digit as `find_digit` does, and keep what came up on the way."""
    _check(frame)
    grey = fit_frame(frame)
    ink = measure_ink(grey)
    search = _search(ink, frame.shape)
    if search.score > SURE_SCORE or np.count_nonzero(ink.grey < DARK_BOARD) < LEAST_BOARD * ink.grey.size:
        return search
    chalk = _search(measure_ink(~grey, 255 - DARK_BOARD), frame.shape, chalk=True)
    return chalk if chalk.score > search.score else search


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


def _search(ink: InkMap, frame_shape: tuple[int, ...], *, chalk: bool = False) -> Search:
    darkest = int(ink.ink.max())
    candidates = [
        found
        for level in INK_LEVELS[chalk:]
        if level < darkest
        for found in _find_candidates(ink, level, chalk)
        if found.score >= LOWEST_SCORE
    ]
    best = max(candidates, key=lambda candidate: candidate.score, default=None)
    if best is None:
        return Search(ink, candidates, None, NoDigit.NOTHING)
    # A stroke may break where it is faint: the lowest level that holds the best piece has the whole digit.
    good = (one for one in candidates if one.score >= WHOLE_DIGIT * best.score)
    chosen = next(one for one in good if _holds(one.box, best.box))
    if any(_is_companion(ink, other, chosen) for other in candidates):
        return Search(ink, candidates, chosen, NoDigit.NOT_ONE)
    return Search(ink, candidates, chosen, _cut_out(ink, chosen, frame_shape))


def _is_companion(ink: InkMap, other: Candidate, digit: Candidate) -> bool:
    """Whether another piece stands in one line with a digit, as large, as dark and on the same paper."""
    alike = (
        (other.score, digit.score, COMPANION_SCORE),
        (_size(other.box), _size(digit.box), COMPANION_SIZE),
        (other.depth, digit.depth, COMPANION_DEPTH),
        (other.light, digit.light, COMPANION_LIGHT),
    )
    if any(min(one, two) < share * max(one, two) for one, two, share in alike):
        return False
    (rows, columns), (other_rows, other_columns) = digit.box, other.box
    between = (
        slice(max(rows.start, other_rows.start), min(rows.stop, other_rows.stop)),
        slice(min(columns.stop, other_columns.stop), max(columns.start, other_columns.start)),
    )
    height, gap = (side.stop - side.start for side in between)
    smaller = min(rows.stop - rows.start, other_rows.stop - other_rows.start)
    if height < COMPANION_OVERLAP * smaller or not 0 < gap <= COMPANION_GAP * _size(digit.box):
        return False
    # What lies on another sheet, or behind the card, is no company. (Close by there is only blur to judge by.)
    if gap < COMPANION_CLOSE:
        return True
    strip = ink.grey[between]
    return bool(np.count_nonzero(strip > COMPANION_LIGHT * digit.light) >= COMPANION_PAPER * strip.size)


def _find_candidates(ink: InkMap, level: int, chalk: bool) -> Iterator[Candidate]:
    """Score the largest pieces of ink at one level that could be a digit."""
    smallest = max(SMALLEST_DIGIT * min(ink.ink.shape), FEWEST_PIXELS / ink.step)
    pieces = _mark_largest(ink.ink > level, smallest)
    rows, columns = (np.bitwise_or.reduce(pieces, axis=axis) for axis in (1, 0))
    for bit in _BITS[: int(rows.max()).bit_length()]:
        box = _span(rows & bit), _span(columns & bit)
        height, width = (side.stop - side.start for side in box)
        size = max(height, width)
        if size < smallest or height < FLATTEST * width:
            continue
        contact = _measure_contact(pieces, box, bit)
        if contact > EDGE_CONTACT * size:
            continue
        piece = (pieces[box] & bit) != 0
        area = np.count_nonzero(piece)
        likely = LIKELY + _judge_place(box, pieces.shape) - FILL_COST * area / piece.size
        likely -= EDGE_COST * (contact > 0) + CHALK_COST * chalk
        if likely < _LEAST_LIKELY or _measure_width(piece, area) > THICKEST_STROKE * size:
            continue
        candidate = _judge(ink, pieces, bit, box, piece, level, likely)
        if candidate is not None:
            yield candidate


def _mark_largest(mask: Mask, fewest: float) -> Bytes:
    """Mark the largest connected pieces of a mask, each with a bit of its own."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, EIGHT_NEIGHBOURS, output=np.intp)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    largest = areas.argsort()[-len(_BITS) :]
    largest = largest[areas[largest] >= fewest]
    marks = np.zeros(count + 1, np.uint8)
    marks[largest] = _BITS[: len(largest)]
    pieces: Bytes = marks.take(labels)
    return pieces


def _span(line: Bytes) -> slice:
    """From the first to the last place of a line that is not 0."""
    places = line.nonzero()[0]
    return slice(int(places[0]), int(places[-1]) + 1)


def _measure_contact(pieces: Bytes, box: Window, bit: np.uint8) -> int:
    """Count the pixels of a piece that lie on the frame's edge."""
    rows, columns = box
    height, width = pieces.shape
    sides = []
    if rows.start == 0:
        sides.append(pieces[0, columns])
    if rows.stop == height:
        sides.append(pieces[-1, columns])
    if columns.start == 0:
        sides.append(pieces[rows, 0])
    if columns.stop == width:
        sides.append(pieces[rows, -1])
    return sum(int(np.count_nonzero(side & bit)) for side in sides)


def _judge_place(box: Window, shape: tuple[int, ...]) -> float:
    """What a piece's size, shape and place in the frame do to its likelihood: never more than 0."""
    rows, columns = box
    height, width = rows.stop - rows.start, columns.stop - columns.start
    down, across = (rows.start + rows.stop) / shape[0] - 1, (columns.start + columns.stop) / shape[1] - 1
    distance = (down**2 + across**2) / 4
    small = math.log(min(1, max(height, width) / (FULL_SIZE * min(shape))))
    return SIZE_GAIN * small - FLAT_COST * math.log(max(1, width / height)) - DISTANCE_COST * distance


def _measure_width(piece: Mask, area: int) -> float:
    """The width of a piece's strokes in pixels, as `measure_stroke` has it."""
    height, width = piece.shape
    padded = np.zeros((height + 2, width + 2), np.bool_)
    padded[1:-1, 1:-1] = piece
    down, right = padded[1:, :-1] ^ padded[:-1, :-1], padded[:-1, 1:] ^ padded[:-1, :-1]
    return 2 * area / (np.count_nonzero(down | right) + SLANT * np.count_nonzero(down & right))


def _judge(
    ink: InkMap, pieces: Bytes, bit: np.uint8, box: Window, piece: Mask, level: int, likely: float
) -> Candidate | None:
    """Score a piece of ink by its depth and the ring of paper around it."""
    # Every other pixel tells as much about the ring, in a quarter of the time.
    window = _widen(box, max(2, round(RING * _size(box))), pieces.shape, step=2)
    ring = ~_grow((pieces[window] & bit) != 0)
    around = _sort(ink.ink[window][ring])
    if around.size < FEWEST_PIXELS:
        return None
    paper = int(around[around.size // 2])
    strokes = _sort(ink.ink[box][piece])
    depth = int(strokes[strokes.size // 2]) - paper
    if depth < level / 2:
        return None
    dirt = 1 - int(around.searchsorted(np.uint8(paper + DIRT_DEPTH * depth), side="right")) / around.size
    light = _sort(ink.grey[window][ring])
    dark, middle, bright = (int(light[share * light.size // 10]) for share in (1, 5, 9))
    # A shadow's edge makes two even halves: then only one of the two is far from the middle.
    patchy = min(bright - middle, middle - dark)
    likely += DEPTH_GAIN * math.log(depth / (255 - paper)) - DIRT_COST * dirt
    likely -= (UNEVEN_COST * (bright - dark) / 2 + PATCHY_COST * patchy) / max(middle, 8)
    return Candidate(1 / (1 + math.exp(-likely)), level, paper, depth, middle, box)


def _sort(values: Bytes) -> Bytes:
    """Sort bytes: every percentile at once, and by radix, so that it is quick."""
    values.sort(kind="stable")
    return values


def _grow(mask: Mask) -> Mask:
    """A mask and the pixels next to it, cornerwise too."""
    tall = mask.copy()
    tall[1:] |= mask[:-1]
    tall[:-1] |= mask[1:]
    grown = tall.copy()
    grown[:, 1:] |= tall[:, :-1]
    grown[:, :-1] |= tall[:, 1:]
    return grown


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


def _cut_out(ink: InkMap, digit: Candidate, frame_shape: tuple[int, ...]) -> FoundDigit:
    """Gather the digit's pieces, and free its ink from what else is near."""
    reach = max(1, round(PIECE_GAP * _size(digit.box)))
    window = _widen(digit.box, 2 * reach, ink.ink.shape)
    near = ink.ink[window]
    edge = max(digit.level, round(digit.paper + STROKE_EDGE * digit.depth))
    main = np.zeros(ink.ink.shape, np.bool_)
    main[digit.box] = True
    mask = _gather(near, near > edge, main[window], reach, digit.paper + FAINTEST_PIECE * digit.depth)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, left = window[0].start, window[1].start
    box = slice(top + rows[0], top + rows[-1] + 1), slice(left + columns[0], left + columns[-1] + 1)
    outer = _widen(box, 1, ink.ink.shape)
    inner = tuple(
        slice(side.start - start, side.stop - start) for side, start in zip(outer, (top, left), strict=True)
    )
    whole = np.zeros((outer[0].stop - outer[0].start, outer[1].stop - outer[1].start), np.bool_)
    part = mask[max(inner[0].start, 0) : inner[0].stop, max(inner[1].start, 0) : inner[1].stop]
    at = max(-inner[0].start, 0), max(-inner[1].start, 0)
    whole[at[0] : at[0] + part.shape[0], at[1] : at[1] + part.shape[1]] = part
    fine = ink.look_closer(outer, FINE_ENOUGH)
    factor = fine.shape[0] // whole.shape[0]
    region = _grow(whole).repeat(factor, axis=0).repeat(factor, axis=1)
    paper = digit.paper / 255
    inside = np.sort(fine[region])
    edge_fine = paper + STROKE_EDGE * (inside[int(0.9 * inside.size)] - paper)
    strokes = inside[np.searchsorted(inside, edge_fine) :]
    blank = paper + BLUR * (edge_fine - paper)
    full = max(float(strokes[strokes.size // 2]), blank + 0.001)
    soft = np.clip((fine - blank) / (full - blank), 0, 1) * region
    tall, wide = (there / here for there, here in zip(frame_shape, ink.frame_shape, strict=True))
    y, bottom = (min(round(row * ink.step * tall), frame_shape[0]) for row in (box[0].start, box[0].stop))
    x, right = (
        min(round(column * ink.step * wide), frame_shape[1]) for column in (box[1].start, box[1].stop)
    )
    return FoundDigit(Box(x, y, right - x, bottom - y), crop(soft.astype(np.float32)))


def _gather(near: Bytes, solid: Mask, body: Mask, reach: int, faintest: float) -> Mask:
    """The largest piece in the digit's body, and those that broke off it: close to it, and as dark."""
    from scipy import ndimage

    labels, count = ndimage.label(solid, EIGHT_NEIGHBOURS, output=np.intp)
    flat = labels.ravel()
    areas = np.bincount(flat)
    main = int(np.argmax(np.bincount(labels[body])[1:])) + 1
    # Every other pixel tells as well what is near.
    sparse = labels[::2, ::2]
    around = sparse == main
    for _ in range((reach + 1) // 2):
        around = _grow(around)
    keep = np.bincount(sparse[around], minlength=count + 1) > 0
    keep &= areas >= SMALLEST_PIECE * areas[main]
    keep &= np.bincount(flat, weights=near.ravel()) > faintest * areas
    keep[_border(labels)] = False  # goes on outside the window: part of something larger
    keep[0], keep[main] = False, True
    pieces: Mask = keep[labels]
    return pieces


def _border(image: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    return np.concatenate((image[0], image[-1], image[:, 0], image[:, -1]))
