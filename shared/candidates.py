"""Candidates: connected pieces of ink, and how likely each is to be a digit.

No single amount of darker suits every pen and every desk, so the ink map is cut at several ink levels, and
each piece is judged by its shape, its place and its own ring of paper: is it clean, even, and all around?
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.digit_image import SLANT
from shared.ink import Bytes, InkMap, Window
from shared.pieces import label_pieces
from shared.traits import BAR, DARK_BOARD, DIGITS, DIGITS_BASE, FULL_SIZE, Traits, tell_chance

Mask = npt.NDArray[np.bool_]


# Only the pieces with most strokes at a level are looked at, each marked by a bit: a digit is no small speck.
_BITS = np.array([1, 2, 4, 8, 16, 32], np.uint8)
# What each bit makes of a byte of marks: 1 where it is among them, else 0.
_MARKED = [bytes(marks >> place & 1 for marks in range(256)) for place in range(len(_BITS))]

INK_LEVELS = (18, 36, 72, 150)  # of 255, how much darker than the paper: from pencil to marker
CHALK_LEVELS = INK_LEVELS[1:]
GLANCE = (72,)  # the level at which most sure digits are sure
FAINT = 36  # up to this level strokes come apart: pieces are one if what lies between is half as dark
LINES = 0.3  # of the frame: more is no writing that could come apart, but dark things and textures

MOST_INK = 0.8  # of the frame: a level that leaves more than this is below the scene's own darkness
SMALLEST_DIGIT = 0.10  # of the frame's shorter side
FEWEST_PIXELS = 8  # of a digit's longer side: below, there is nothing to read
FLATTEST = 0.4  # height of a digit against its width: anything flatter is a line or an edge
THICKEST_STROKE = 0.33  # of a digit's longer side: anything thicker is a blob
RING = 0.22  # of a digit's longer side: how far around it the paper is looked at
SAMPLES = 24  # along a digit's longer side and on, to tell of its ring; twice as many of its strokes
DIRT_DEPTH = 0.35  # of a digit's depth of ink: what is darker than this in its ring is no paper

EDGE_CONTACT = 0.7  # of a digit's longer side: what runs along the frame's edge for longer is no stroke
SURE_SCORE = 0.9  # from here on nothing better is looked for: at no higher level, and no chalk
LOWEST_SCORE = 0.06  # below, hardly anything is a digit; above, it is for the networks to tell what is none

_LEAST_LIKELY = math.log(LOWEST_SCORE / (1 - LOWEST_SCORE))


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
    traits : by which it was judged
    """

    score: float
    level: int
    paper: int
    depth: int
    light: int
    box: Window
    traits: Traits


def find_candidates(
    ink: InkMap, levels: Sequence[int] = INK_LEVELS, *, chalk: bool = False
) -> list[Candidate]:
    """Find the pieces of ink that could be a digit, from the lowest ink level up, until there is a sure one.

    Parameters
    ----------
    chalk : whether the ink is chalk, and the frame's greys are the other way round
    """
    darkest = int(ink.ink.max())
    candidates: list[Candidate] = []
    for level in levels:
        if level >= darkest or any(found.score >= SURE_SCORE for found in candidates):
            break
        candidates += (found for found in _cut(ink, level, chalk) if found.score >= LOWEST_SCORE)
    return candidates


def _cut(ink: InkMap, level: int, chalk: bool) -> Iterator[Candidate]:
    """Cut the ink at one level, and judge the pieces with most strokes."""
    smallest = max(SMALLEST_DIGIT * min(ink.ink.shape), FEWEST_PIXELS / ink.step)
    mask = ink.ink > level
    dark = np.count_nonzero(mask)
    if not smallest <= dark <= MOST_INK * mask.size:
        return
    faint = level <= FAINT and dark <= LINES * mask.size
    pieces = _mark_most_written(join(mask, ink.ink, level) if faint else mask, FLATTEST * smallest)
    if pieces is None:
        return
    if faint:
        pieces *= mask.view(np.uint8)
    rows, columns = _list_marks(pieces)
    for bit, marked in zip(_BITS[: max(rows).bit_length()], _MARKED, strict=False):
        box = span(rows.translate(marked)), span(columns.translate(marked))
        height, width = box[0].stop - box[0].start, box[1].stop - box[1].start
        size = max(height, width)
        if size < smallest or height < FLATTEST * width:
            continue
        # What goes from one side of the frame to the other, or nearly, is part of something larger.
        if height >= pieces.shape[0] - 1 or width >= pieces.shape[1] - 1:
            continue
        sides = _find_contacts(pieces, box, bit)
        if sum(sides) > EDGE_CONTACT * size:
            continue
        smallness, flatness, distance = _tell_place(box, pieces.shape)
        edges = len(sides)
        likely = DIGITS_BASE + DIGITS.edges * edges + DIGITS.chalk * chalk
        likely += DIGITS.smallness * smallness + DIGITS.flatness * flatness + DIGITS.distance * distance
        if likely < _LEAST_LIKELY:
            continue
        margined = _single_out(pieces[box], bit)
        piece = margined[1:-1, 1:-1]
        area = int(np.count_nonzero(margined))
        fill = area / piece.size
        likely += DIGITS.fill * fill
        if likely < _LEAST_LIKELY:
            continue
        stroke = _measure_width(margined, area)
        if stroke > THICKEST_STROKE * size:
            continue
        bar = area / stroke - stroke < BAR * math.hypot(height, width)
        if bar:
            likely += DIGITS.bar + DIGITS.edge_bar * edges + DIGITS.chalk_bar * chalk
            if likely < _LEAST_LIKELY:
                continue
        # A named tuple takes longer to make, and most pieces are refused.
        told: dict[str, float] = {
            "smallness": smallness,
            "flatness": flatness,
            "distance": distance,
            "edges": edges,
            "fill": fill,
            "bar": bar,
            "edge_bar": bar * edges,
            "chalk": chalk,
            "chalk_bar": bar * chalk,
        }
        candidate = _judge(ink, pieces, bit, box, piece, level, likely, told)
        if candidate is not None:
            yield candidate


def _mark_most_written(mask: Mask | Bytes, fewest: float) -> Bytes | None:
    """Mark the connected pieces of a mask that have most strokes, each with a bit of its own.

    Those are the pieces that rows enter most often: a tile as large as a digit is entered half as often.
    None if rows enter none of them so often as `fewest`.
    """
    labels, count = label_pieces(mask)
    # Every other row tells as well how often. As one line and bit by bit: a Pi Zero needs a third less time.
    rows = mask[::2].view(np.uint8)
    line = rows.ravel()
    entered = line.copy()
    entered[1:] &= line[:-1] ^ np.uint8(1)
    entered.reshape(rows.shape)[:, 0] = rows[:, 0]
    entries = 2 * np.bincount(labels[::2].take(np.flatnonzero(entered.view(np.bool_))))
    most = entries.argsort()[-len(_BITS) :]
    most = most[entries[most] >= fewest]
    if not most.size:
        return None
    marks = np.zeros(count + 1, np.uint8)
    marks[most] = _BITS[: len(most)]
    pieces: Bytes = marks.take(labels)
    return pieces


def join(mask: Mask, ink: Bytes, level: int) -> Bytes:
    """What is darker than a level, and half as dark and next to it: strokes that came apart touch then."""
    between = ink > level // 2
    joined: Bytes = grow(mask.view(np.uint8)) & between.view(np.uint8)
    return joined


def _list_marks(pieces: Bytes) -> tuple[bytes, bytes]:
    """All marks that there are in each row, and in each column; of four bytes at once, which is quicker."""
    fours = pieces.view(np.uint32)
    across = np.bitwise_or.reduce(fours, axis=1).view(np.uint8).reshape(-1, 4)
    return np.bitwise_or.reduce(across, axis=1).tobytes(), np.bitwise_or.reduce(fours, axis=0).tobytes()


def span(line: bytes) -> slice:
    """From the first to the last 1 of a line: arrays take four times as long to tell."""
    return slice(line.find(1), line.rfind(1) + 1)


def _find_contacts(pieces: Bytes, box: Window, bit: np.uint8) -> list[int]:
    """Count the pixels of a piece that lie on each side of the frame that it touches."""
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
    return [int(np.count_nonzero(side & bit)) for side in sides]


def _tell_place(box: Window, shape: tuple[int, ...]) -> tuple[float, float, float]:
    """What a piece's box tells: how small, how flat and how far from the middle it is, as in `Traits`."""
    rows, columns = box
    height, width = rows.stop - rows.start, columns.stop - columns.start
    down, across = (rows.start + rows.stop) / shape[0] - 1, (columns.start + columns.stop) / shape[1] - 1
    smallness = math.log(min(1, max(height, width) / (FULL_SIZE * min(shape))))
    return smallness, math.log(max(1, width / height)), (down * down + across * across) / 4


def _single_out(pieces: Bytes, bit: np.uint8) -> Bytes:
    """The piece that a bit marks, 1 where it is, with a margin of a pixel."""
    height, width = pieces.shape
    margined = np.zeros((height + 2, width + 2), np.uint8)
    np.bitwise_and(pieces, bit, out=margined[1:-1, 1:-1])
    # Zeros and ones are counted in a third of the time.
    return margined.astype(np.bool_).view(np.uint8)


def _measure_width(margined: Bytes, area: int) -> float:
    """The width of strokes in pixels, as `measure_stroke` has it, of a piece with a margin around it."""
    width = margined.shape[1]
    flat = margined.ravel()
    here = flat[:-width]
    down, right = here ^ flat[width:], here ^ flat[1 : 1 - width]
    outline = float(np.count_nonzero(down | right) + SLANT * np.count_nonzero(down & right))
    return 2 * area / outline


def _judge(
    ink: InkMap,
    pieces: Bytes,
    bit: np.uint8,
    box: Window,
    piece: Bytes,
    level: int,
    likely: float,
    told: dict[str, float],
) -> Candidate | None:
    """Score a piece of ink by its depth and the ring of paper around it.

    `likely` are the logarithmic odds so far, by the traits that are told.
    """
    # Some of the pixels tell as much about the ring and the strokes, in much less time.
    size = measure_size(box)
    step = max(1, size // (2 * SAMPLES))
    spaced = widen(box, 0, pieces.shape, step)
    sampled = piece[::step, ::step].view(np.bool_)
    strokes = sort_bytes(ink.ink[spaced][sampled])
    if not strokes.size:  # a thin line that lies between all samples
        spaced, sampled = box, piece.view(np.bool_)
        strokes = sort_bytes(ink.ink[spaced][sampled])
    darkness = int(strokes[strokes.size // 2])
    # On whatever paper it is no deeper than on white: more than a quarter need not be looked around.
    if likely + DIGITS.depth * math.log(darkness / 255) < _LEAST_LIKELY:
        return None
    window = widen(box, max(2, round(RING * size)), pieces.shape, step=max(2, size // SAMPLES))
    ring: Mask = np.logical_not(grow(pieces[window] & bit))
    around = sort_bytes(ink.ink[window][ring])
    if around.size < FEWEST_PIXELS:
        return None
    paper = int(around[around.size // 2])
    depth = darkness - paper
    if depth < level / 2:
        return None
    dirt = 1 - int(around.searchsorted(np.uint8(paper + DIRT_DEPTH * depth), side="right")) / around.size
    deep = math.log(depth / (255 - paper))
    likely += DIGITS.depth * deep + DIGITS.dirt * dirt
    if likely < _LEAST_LIKELY:
        return None
    light = sort_bytes(ink.grey[window][ring])
    dark, middle, bright = (int(light[share * light.size // 10]) for share in (1, 5, 9))
    stroke = ink.grey[spaced][sampled]
    if sort_bytes(stroke)[stroke.size // 2] > middle * (1 - depth / 510):
        return None  # as bright as its ring: what chalk lines hold is no ink, though darker than chalk
    # A shadow's edge makes two even halves: then only one of the two is far from the middle.
    reference = max(middle, 8)
    uneven, patchy = (bright - dark) / 2 / reference, min(bright - middle, middle - dark) / reference
    board = told["chalk"] * max(0, 255 - middle - DARK_BOARD)
    likely += DIGITS.unevenness * uneven + DIGITS.patchiness * patchy + DIGITS.board * board
    traits = Traits(depth=deep, dirt=dirt, unevenness=uneven, patchiness=patchy, board=board, **told)
    return Candidate(tell_chance(likely), level, paper, depth, middle, box, traits)


def sort_bytes(values: Bytes) -> Bytes:
    """Sort bytes: every percentile at once, and by radix, so that it is quick."""
    values.sort(kind="stable")
    return values


def grow(mask: Bytes) -> Bytes:
    """What is not 0, and the pixels next to it, cornerwise too: of bytes, as a Pi is slow with bools."""
    height, width = mask.shape
    wide = width + 2
    padded = np.zeros((height + 2, wide), np.uint8)
    padded[1:-1, 1:-1] = mask
    # As one line, as a row's end costs as much as twenty pixels.
    line: Bytes = padded.ravel()
    tall: Bytes = line[: -2 * wide] | line[wide:-wide]
    tall |= line[2 * wide :]
    grown: Bytes = tall.copy()
    grown[1:] |= tall[:-1]
    grown[:-1] |= tall[1:]
    return grown.reshape(height, wide)[:, 1:-1]


def measure_size(box: Window) -> int:
    """The longer side of a box."""
    rows, columns = box
    return int(max(rows.stop - rows.start, columns.stop - columns.start))


def tell_overlap(one: Window, other: Window) -> float:
    """What two boxes share, of all that they cover together."""
    common = 1
    for side, across in zip(one, other, strict=True):
        common *= max(0, min(side.stop, across.stop) - max(side.start, across.start))
    if not common:
        return 0.0
    areas = (math.prod(side.stop - side.start for side in box) for box in (one, other))
    return float(common / (sum(areas) - common))


def widen(box: Window, margin: int, shape: tuple[int, ...], step: int = 1) -> Window:
    """A box and a margin around it, as far as the frame goes."""
    (rows, columns), (height, width) = box, shape
    return (
        slice(max(0, rows.start - margin), min(height, rows.stop + margin), step),
        slice(max(0, columns.start - margin), min(width, columns.stop + margin), step),
    )
