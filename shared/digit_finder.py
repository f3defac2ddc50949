"""Find the digit in a camera's frame.

Ink is measured against the paper around it, never by one threshold for the whole frame (see `shared.ink`).
Of its connected pieces (`shared.candidates`) the likeliest is taken for the digit. There is not one digit if
another one is beside it on the same paper.

The search goes over a picture of half the size, in bytes: a Pi Zero has one core and 40 million
instructions for a frame. The digit that is found is cut out of the frame itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from shared.candidates import (
    CHALK_LEVELS,
    FAINT,
    GLANCE,
    SURE_SCORE,
    Candidate,
    Mask,
    find_candidates,
    grow,
    join,
    measure_size,
    sort_bytes,
    span,
    tell_overlap,
    widen,
)
from shared.company import find_companion
from shared.digit_image import crop, measure_blur
from shared.errors import BadFrameError
from shared.feedforward import FloatArray
from shared.ink import Bytes, InkMap, Window, fit_frame, halve, measure_ink
from shared.pieces import label_pieces
from shared.surroundings import Surroundings
from shared.traits import DARK_BOARD

# Where a camera cannot see.
DARKEST_LIGHT = 30  # of 255: nowhere in the frame four pixels in a square are brighter
BLOWN_OUT, MOST_BLOWN_OUT = 250, 0.8  # of 255, in this share of the frame
MOST_BLURRED = 0.095  # of a digit's longer side: of those that are more, hardly any are read surely

SMALLEST_FRAME = 28  # pixels a side: a digit of MNIST's own size, filling the frame

BOARD = 90  # of 255: chalk is looked for where a board as dark as this ...
LEAST_BOARD = 0.12  # ... fills this share of the frame ...
BRIGHTEST_BOARD = 130  # ... but not on what is brighter than this
FILLED = 0.8  # of the frame: a board that fills so much of it a camera shows brighter than it is
GREY_BOARD = 60  # from here on it is looked at as if it had been dark ...
EVEN_BOARD = 0.6  # ... if it is nowhere darker than this share of it: else that is a board, on a desk

COMPANY = 0.65  # two on one paper that are both so likely to be digits are two, if only letters ...
UNREAD_COMPANY = 0.2  # ... and for who does not read them, two that are so likely
CLEAR_SCORE = 0.94  # what ink has that a glance finds; dark cards with chalk on them have up to 0.92
SAME_PIECE = 0.6  # of what both cover: boxes that share more are of one piece
WHOLE_DIGIT = 0.85  # of the best score: a piece this good that holds the best one is the whole digit
BOX_SLACK = 2  # pixels by which a box shrinks from one ink level to the next
PIECE_GAP = 0.16  # of a digit's longer side: how far away the bar of a five may float
SMALLEST_PIECE = 0.02  # of a digit's area: anything smaller is a speck
FAINTEST_PIECE = 0.6  # of a digit's depth of ink: what is fainter is a ruled line or a rubbed-out one
STROKE_EDGE = 0.4  # of a digit's depth of ink: where a blurred stroke ends ...
BLUR = 0.6  # ... and of that: where its blur does
FINE_ENOUGH = 40  # pixels of a digit's longer side: more would not change the 28x28 image
REACH_STEPS = 4  # in which what is near a large digit is reached


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
    surroundings : by which it can be told how likely it is to be a digit
    """

    box: Box
    ink: FloatArray
    surroundings: Surroundings

    def share_likelihood(self, other: FoundDigit) -> float:
        """How likely this and another one are both digits, or letters, by what is around them."""
        return min(self.surroundings.likelihood, other.surroundings.likelihood)


@dataclass(frozen=True, eq=False)
class Search:
    """What a search of a frame came upon: what to look at when a digit is misread.

    Attributes
    ----------
    ink : the ink map that was searched
    chalk : whether it is of chalk on a dark board
    otherwise : whether a second look went about it otherwise than a first one
    candidates : all pieces that were judged, from the lowest ink level to the highest
    chosen : the one taken for the digit, or None
    found : the digit, or why there is none
    """

    ink: InkMap
    chalk: bool = False
    otherwise: bool = False
    candidates: Sequence[Candidate] = ()
    chosen: Candidate | None = None
    found: FoundDigit | NoDigit = NoDigit.NOTHING


def find_digit(frame: Bytes, *, second_look: bool | None = None) -> FoundDigit | NoDigit:
    """Find the one handwritten digit in a frame: dark ink on brighter paper, or chalk on a dark board.

    Parameters
    ----------
    frame : uint8 array, shape (H, W), grey, 0 = black; at least 28x28 pixels. Frames with a side of
        more than 320 pixels are searched in a smaller copy.
    second_look : False looks for ink, and True for what that may have missed: where there is a dark board for
        chalk, unless a glance finds clear ink; elsewhere for the next likeliest piece of ink, unless the
        likeliest is sure or the only one. By default all is looked for, in twice the time.

    Returns
    -------
    the digit, or why there is none

    Raises
    ------
    BadFrameError : if the frame is not a grey picture of bytes, or is too small to hold a digit
    """
    search = search_frame(frame, second_look=second_look)
    if isinstance(search.found, FoundDigit):
        companion = cut_out_companion(search, frame.shape)
        if companion is not None and search.found.share_likelihood(companion) >= UNREAD_COMPANY:
            return NoDigit.NOT_ONE
    return search.found


def search_frame(frame: Bytes, *, second_look: bool | None = None) -> Search:
    """Find the likeliest digit, whatever is beside it, and keep what came up on the way."""
    return next(search_in_turn(frame, second_look=second_look))


def search_in_turn(frame: Bytes, *, second_look: bool | None = None) -> Iterator[Search]:
    """Find the likeliest digit, and then, should it not be one, what else may be.

    The first search tells of the likeliest, or why there is no digit; each other one of the next likeliest,
    elsewhere or of the same ink cut otherwise, and is only made when it is asked for. What is looked for and
    raised is as in `find_digit`.
    """
    check_frame(frame)
    grey = fit_frame(frame)
    ink = measure_ink(grey)
    if ink.grey.max() < DARKEST_LIGHT:
        yield Search(ink, found=NoDigit.TOO_DARK)
        return
    board = None if second_look is False else _measure_board(ink.grey)
    if second_look and board is not None:
        candidates = [one for one in find_candidates(ink, GLANCE) if one.score >= CLEAR_SCORE]
    else:
        candidates = find_candidates(ink)
    taken = _pass_over(candidates) if second_look else []
    otherwise = bool(second_look and (board is not None or taken))
    in_ink = Search(ink, otherwise=otherwise, candidates=candidates)
    searches = [in_ink]
    answered = False
    while True:
        search, best = _find_best(searches, taken)
        if board is not None and len(searches) == 1 and (taken or best is None or best.score < SURE_SCORE):
            searches.append(replace(_find_chalk(grey, board), otherwise=otherwise))
            continue
        if best is None:
            break
        told = _choose(search, best, taken, frame.shape)
        taken.append(told.chosen or best)
        if isinstance(told.found, FoundDigit) or (not answered and told.chosen):
            answered = True
            yield told
            if not isinstance(told.found, FoundDigit):
                return
    if not answered:
        blown_out = _share(ink.grey >= BLOWN_OUT) > MOST_BLOWN_OUT
        yield replace(in_ink, found=NoDigit.BLOWN_OUT if blown_out else NoDigit.NOTHING)


def _find_best(searches: Sequence[Search], taken: Sequence[Candidate]) -> tuple[Search, Candidate | None]:
    """The likeliest candidate of all that are not where another was taken, and the search it is of."""
    of, best = searches[0], None
    for search in searches:
        for candidate in search.candidates:
            if (best is None or candidate.score > best.score) and not _is_taken(candidate, taken):
                of, best = search, candidate
    return of, best


def _pass_over(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The likeliest candidate, if it is not sure and there is another one elsewhere."""
    best = max(candidates, key=lambda candidate: candidate.score, default=None)
    if best is None or best.score >= SURE_SCORE or all(_is_taken(one, [best]) for one in candidates):
        return []
    return [best]


def _is_taken(candidate: Candidate, taken: Sequence[Candidate]) -> bool:
    """Whether it is the same piece as one before, or nearly, at another ink level; chalk is no ink."""
    return any(
        candidate.traits.chalk == one.traits.chalk and tell_overlap(candidate.box, one.box) > SAME_PIECE
        for one in taken
    )


def _measure_board(grey: Bytes) -> int | None:
    """How bright a board is that there may be in a frame, of 255; None without any.

    One beside other things counts as dark; one that fills the frame, evenly, as what most of it is.
    """
    # Some of the pixels tell as well.
    greys = sort_bytes(grey[::4, ::4].ravel())
    dark, middle, bright = (int(greys[int(share * greys.size)]) for share in (LEAST_BOARD, 0.5, FILLED))
    if bright < BRIGHTEST_BOARD and dark >= EVEN_BOARD * middle and middle > GREY_BOARD:
        return middle
    return DARK_BOARD if dark < BOARD else None


def _find_chalk(frame: Bytes, board: int) -> Search:
    """Look for chalk as for ink, on paper as bright as the board is dark."""
    inverted = ~frame
    if board > DARK_BOARD:
        as_if_dark = np.arange(256) * ((255 - DARK_BOARD) / (255 - board))
        inverted = np.minimum(as_if_dark, 255).astype(np.uint8).take(inverted)
    ink = measure_ink(inverted, 255 - BRIGHTEST_BOARD)
    candidates = find_candidates(ink, CHALK_LEVELS, chalk=True)
    # Before what may be no board a bar is no chalk: gaps, cables and pens are more often.
    if board > DARK_BOARD:
        candidates = [one for one in candidates if not one.traits.bar]
    return Search(ink, chalk=True, candidates=candidates)


def _share(part: Mask) -> float:
    return np.count_nonzero(part) / part.size


def check_frame(frame: Bytes) -> None:
    """Refuse what is no grey picture of bytes, or too small to hold a digit.

    Raises
    ------
    BadFrameError : saying what it is, and what belongs there
    """
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


def _choose(
    search: Search, best: Candidate, taken: Sequence[Candidate], frame_shape: tuple[int, ...]
) -> Search:
    """Take the whole digit that the best candidate is of, and tell what came of it."""
    # A stroke may break where it is faint: the lowest level that holds the best piece has the whole digit.
    good = (one for one in search.candidates if one.score >= WHOLE_DIGIT * best.score)
    chosen = next(one for one in good if _holds(one.box, best.box) and not _is_taken(one, taken))
    digit = _cut_out(search.ink, chosen, frame_shape)
    if digit is None:
        return search
    blurred = measure_blur(digit.ink) > MOST_BLURRED
    return replace(search, chosen=chosen, found=NoDigit.BLURRED if blurred else digit)


def cut_out_companion(search: Search, frame_shape: tuple[int, ...]) -> FoundDigit | None:
    """Cut out what is beside the digit that a search chose, on the same paper, and may be another one.

    Whether it is one is told by what is around both, and by reading it.

    Parameters
    ----------
    frame_shape : of the frame that was searched
    """
    if search.chosen is None:
        return None
    companion = find_companion(search.ink, search.candidates, search.chosen)
    return None if companion is None else _cut_out(search.ink, companion, frame_shape)


def _holds(outer: Window, inner: Window) -> bool:
    """Whether one box holds another, give or take the edge of a stroke."""
    return all(
        out.start <= side.start + BOX_SLACK and out.stop >= side.stop - BOX_SLACK
        for out, side in zip(outer, inner, strict=True)
    )


def _cut_out(ink: InkMap, digit: Candidate, frame_shape: tuple[int, ...]) -> FoundDigit | None:
    """Gather the digit's pieces, and free its ink from what else is near.

    None where there is none to be seen in the frame itself: a fine texture is dark only in the map, which
    keeps the darkest of its pixels.
    """
    # A large digit is traced at half the map's size: what is left of it is fine enough.
    unit = 2 if measure_size(digit.box) >= 2 * FINE_ENOUGH else 1
    dark = ink.ink if unit == 1 else ~halve(~ink.ink)
    mask, window = _trace(dark, digit, unit)
    corner = window[0].start, window[1].start
    rows, columns = (np.bitwise_or.reduce(mask, axis=axis).tobytes() for axis in (1, 0))
    gathered = span(rows), span(columns)
    inner = widen(gathered, 1, mask.shape)
    fine = ink.look_closer(_move(inner, corner), unit, FINE_ENOUGH)
    region = grow(mask[inner])
    for axis, length in enumerate(fine.shape):
        region = region.take(np.arange(length) * region.shape[axis] // length, axis=axis)
    soft = _soften(fine, region, digit.paper)
    if soft is None:
        return None
    where = _move(gathered, corner)
    grey = ink.grey[::unit, ::unit]
    surroundings = Surroundings(
        dark, grey, mask[gathered], where, digit.paper, digit.depth, digit.light, digit.traits
    )
    return FoundDigit(_scale(where, ink, unit, frame_shape), crop(soft), surroundings)


def _trace(dark: Bytes, digit: Candidate, unit: int) -> tuple[Bytes, Window]:
    """Where in an ink map the digit is: a mask of bytes, and the window of the map that it covers.

    It is the largest piece in the digit's box, and what broke off it: close to it, and as dark. The box is
    of a map `unit` times as large.
    """
    rows, columns = (slice(side.start // unit, -(-side.stop // unit)) for side in digit.box)
    reach = max(1, round(PIECE_GAP * measure_size((rows, columns))))
    window = widen((rows, columns), 2 * reach, dark.shape)
    down, right = window
    near = dark[window]
    level = max(digit.level, round(digit.paper + STROKE_EDGE * digit.depth))
    solid = near > level
    faint = digit.level <= FAINT
    labels, count = label_pieces(join(solid, near, level) if faint else solid)
    if faint:
        labels *= solid
    flat = labels.ravel()
    areas = np.bincount(flat)
    body = labels[_move((rows, columns), (-down.start, -right.start))]
    main = int(np.argmax(np.bincount(body.ravel())[1:])) + 1
    # Some of the pixels tell as well what is near.
    step = max(2, -(-reach // REACH_STEPS))
    sparse = labels[::step, ::step]
    around = (sparse == main).view(np.uint8)
    for _ in range(-(-reach // step)):
        around = grow(around)
    keep = np.bincount(sparse[around != 0], minlength=count + 1) > 0
    keep &= areas >= SMALLEST_PIECE * areas[main]
    # What goes on outside the window is part of something larger; the frame's own edge is no such end.
    for side, length, lines in zip(window, dark.shape, (labels, labels.T), strict=True):
        if side.start > 0:
            keep[lines[0]] = False
        if side.stop < length:
            keep[lines[-1]] = False
    keep[0] = keep[main] = False
    if keep.any():
        keep &= np.bincount(flat, weights=near.ravel()) > (digit.paper + FAINTEST_PIECE * digit.depth) * areas
    keep[main] = True
    mask: Bytes = keep.view(np.uint8).take(labels)
    return mask, window


def _soften(fine: Bytes, region: Bytes, paper: int) -> FloatArray | None:
    """The ink in a region, from paper, 0.0, to the strokes' own darkness, 1.0; None where no stroke is."""
    # The map is of the darkest pixels, so what lies between paper and ink is told anew.
    inside = sort_bytes(fine[region != 0])
    edge = round(paper + STROKE_EDGE * (int(inside[9 * inside.size // 10]) - paper))
    strokes = inside[inside.searchsorted(edge) :]
    if not strokes.size or strokes[-1] <= max(edge, paper):
        return None
    blank = paper + BLUR * (edge - paper)
    full = max(int(strokes[strokes.size // 2]), blank + 1)
    levels = (np.arange(256, dtype=np.float32) - np.float32(blank)) * np.float32(1 / (full - blank))
    ink: FloatArray = np.minimum(np.maximum(levels, np.float32(0)), np.float32(1)).take(fine * region)
    return ink


def _move(box: Window, by: tuple[int, int]) -> Window:
    rows, columns = (slice(side.start + far, side.stop + far) for side, far in zip(box, by, strict=True))
    return rows, columns


def _scale(box: Window, ink: InkMap, unit: int, frame_shape: tuple[int, ...]) -> Box:
    """A box, counted in squares of unit x unit pixels of the ink map, as one of the frame."""
    (top, bottom), (left, right) = (
        [min(round(place * ink.step * unit * there / here), there) for place in (side.start, side.stop)]
        for side, here, there in zip(box, ink.frame_shape, frame_shape, strict=True)
    )
    return Box(left, top, right - left, bottom - top)
