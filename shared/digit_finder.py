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

from shared.digit_image import crop, measure_stroke
from shared.errors import BadFrameError
from shared.feedforward import FloatArray
from shared.ink import Bytes, InkMap, fit_frame, measure_ink
from shared.resizing import resize

Mask = npt.NDArray[np.bool_]
Window = tuple[slice, slice]

SMALLEST_FRAME = 28  # pixels a side: a digit of MNIST's own size, filling the frame

INK_LEVELS = (18, 31, 51, 82, 128)  # of 255, how much darker than the paper: from pencil to marker
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
DARK_BOARD = 90  # of 255: chalk is looked for where the middle of the frame is darker than this

WHOLE_DIGIT = 0.7  # of the best score: a piece this good that holds the best one is the whole digit
BOX_SLACK = 2  # pixels by which a box shrinks from one ink level to the next
PIECE_GAP = 0.16  # of a digit's longer side: how far away the bar of a five may float
SMALLEST_PIECE = 0.02  # of a digit's area: anything smaller is a speck
FAINTEST_PIECE = 0.6  # of a digit's depth of ink: what is fainter is a ruled line or a rubbed-out one
STROKE_EDGE = 0.4  # of a digit's depth of ink: where a blurred stroke ends ...
BLUR = 0.6  # ... and of that: where its blur does
FINE_ENOUGH = 48  # pixels of a digit's longer side: more would not change the 28x28 image


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
    box : rows and columns of the ink map
    """

    score: float
    level: int
    paper: int
    depth: int
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
    if search.chosen is None and ink.middle < DARK_BOARD:
        chalk = _search(measure_ink(~grey), frame.shape)
        if chalk.chosen is not None:
            return chalk
    return search


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


def _search(ink: InkMap, frame_shape: tuple[int, ...]) -> Search:
    darkest = int(ink.ink.max())
    candidates = [found for level in INK_LEVELS if level < darkest for found in _find_candidates(ink, level)]
    best = max(candidates, key=lambda candidate: candidate.score, default=None)
    if best is None or best.score < LOWEST_SCORE:
        return Search(ink, candidates, None, NoDigit.NOTHING)
    # A stroke may break where it is faint: the lowest level that holds the best piece has the whole digit.
    good = (one for one in candidates if one.score >= WHOLE_DIGIT * best.score)
    chosen = next(one for one in good if _holds(one.box, best.box))
    return Search(ink, candidates, chosen, _cut_out(ink, chosen, frame_shape))


def _find_candidates(ink: InkMap, level: int) -> Iterator[Candidate]:
    """Score the largest pieces of ink at one level that could be a digit."""
    from scipy import ndimage

    labels = _label_largest(ink.ink > level)
    contacts = np.bincount(_border(labels), minlength=PIECES_PER_LEVEL + 1)
    shape = labels.shape
    smallest = max(SMALLEST_DIGIT * min(shape), FEWEST_PIXELS / ink.step)
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        height, width = (side.stop - side.start for side in box)
        size = max(height, width)
        contact = int(contacts[number])
        if size < smallest or height < FLATTEST * width or contact > EDGE_CONTACT * size:
            continue
        piece = labels[box] == number
        if measure_stroke(piece.view(np.int8)) > THICKEST_STROKE * size:
            continue
        candidate = _judge(ink, labels, number, box, piece, level)
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


def _border(image: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    return np.concatenate((image[0], image[-1], image[:, 0], image[:, -1]))


def _judge(ink: InkMap, labels: Bytes, number: int, box: Window, piece: Mask, level: int) -> Candidate | None:
    """Score a piece of ink by its size, its place, its depth and the ring of paper around it."""
    size = _size(box)
    # Every other pixel tells as much about the ring, in a quarter of the time.
    window = _widen(box, max(2, round(RING * size)), labels.shape, step=2)
    ring = ~_grow(labels[window] == number)
    around = np.sort(ink.ink[window][ring], kind="stable")  # a radix sort: all percentiles at once
    if around.size < FEWEST_PIXELS:
        return None
    paper = int(around[around.size // 2])
    strokes = np.sort(ink.ink[box][piece], kind="stable")
    depth = int(strokes[strokes.size // 2]) - paper
    if depth < level / 2:
        return None
    clean = int(np.searchsorted(around, paper + DIRT_DEPTH * depth, side="right"))
    dirt = 1 - clean / around.size
    light = np.sort(ink.grey[window][ring], kind="stable")
    dark, middle, bright = (float(light[share * light.size // 10]) for share in (1, 5, 9))
    # A shadow's edge makes two even halves: then only one of the two is far from the middle.
    unevenness = ((bright - dark) / 2 + min(bright - middle, middle - dark)) / max(middle, 8)
    middles = ((side.start + side.stop) / 2 / length for side, length in zip(box, labels.shape, strict=True))
    distance = sum((place - 0.5) ** 2 for place in middles)
    score = math.sqrt(depth / (255 - paper) * min(1, size / (FULL_SIZE * min(labels.shape))))
    score *= math.exp(-DIRT_COST * dirt - UNEVEN_COST * max(0, unevenness - USUAL_UNEVENNESS))
    score *= math.exp(-DISTANCE_COST * distance)
    return Candidate(score, level, paper, depth, box)


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
    inner = tuple(slice(side.start - start, side.stop - start) for side, start in zip(outer, (top, left), strict=True))
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
    x, right = (min(round(column * ink.step * wide), frame_shape[1]) for column in (box[1].start, box[1].stop))
    return FoundDigit(Box(x, y, right - x, bottom - y), crop(soft.astype(np.float32)))


def _gather(near: Bytes, solid: Mask, body: Mask, reach: int, faintest: float) -> Mask:
    """The largest piece in the digit's body, and those that broke off it: close to it, and as dark."""
    from scipy import ndimage

    labels, count = ndimage.label(solid, np.ones((3, 3)), output=np.intp)
    flat = labels.ravel()
    areas = np.bincount(flat)
    main = int(np.argmax(np.bincount(labels[body])[1:])) + 1
    around = labels == main
    for _ in range(reach):
        around = _grow(around)
    keep = np.bincount(labels[around], minlength=count + 1) > 0
    keep &= areas >= SMALLEST_PIECE * areas[main]
    keep &= np.bincount(flat, weights=near.ravel()) > faintest * areas
    keep[_border(labels)] = False  # goes on outside the window: part of something larger
    keep[0], keep[main] = False, True
    pieces: Mask = keep[labels]
    return pieces
