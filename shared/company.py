"""Company: another piece of ink that may be a second digit on the same paper, or a letter of a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.candidates import Candidate, measure_size, tell_overlap
from shared.ink import Bytes, InkMap, Window

# Two pieces on one paper that are as much alike as this may be two digits, or letters of a longer text: what
# they are is for the networks to tell.
SCORE = 0.1
SIZE = 0.6
DEPTH = 0.6
LIGHT = 0.5
DIM = 0.92  # of the paper's light around the darker one: what is darker between them is no paper
OVERLAP = 0.2  # at most, of what both boxes cover: slanted ones overlap
BLURRED = 4  # pixels between them: there is only blur to judge by
CLOSE = 0.4  # of their size: less is between two digits of a number ...
ONE_PEN = 0.83  # ... which are as much alike in depth as this, or their paper ...
ONE_PAPER = 0.05  # ... in unevenness: a finger is neither that shows beside the card's edge
PAPER = 0.5  # of what lies between their middles


def find_companion(ink: InkMap, candidates: Sequence[Candidate], digit: Candidate) -> Candidate | None:
    """Find the likeliest piece that may be another digit beside one, anywhere on its paper."""
    alike = [other for other in candidates if _is_alike(other, digit)]
    alike.sort(key=lambda other: -other.score)
    return next((other for other in alike if _is_on_paper(ink, other, digit)), None)


def _is_close(one: Window, other: Window) -> bool:
    """Whether two boxes are as close to each other as two digits of a number."""
    apart = max(max(a.start, b.start) - min(a.stop, b.stop) for a, b in zip(one, other, strict=True))
    return bool(apart < CLOSE * max(measure_size(one), measure_size(other)))


def _is_alike(other: Candidate, digit: Candidate) -> bool:
    """Whether it is another piece, not much less a digit, and as large, as dark and as brightly lit.

    Of what is close more is asked: see `_is_of_one_hand`.
    """
    if (
        _differ(other.score, digit.score, SCORE)
        or _differ(other.depth, digit.depth, DEPTH)
        or _differ(other.light, digit.light, LIGHT)
        or _differ(measure_size(other.box), measure_size(digit.box), SIZE)
    ):
        return False
    # At one ink level pieces are apart; at another one it may be the same piece.
    if tell_overlap(digit.box, other.box) > (OVERLAP if other.level == digit.level else 0):
        return False
    return not _is_close(digit.box, other.box) or _is_of_one_hand(other, digit)


def _differ(one: float, two: float, share: float) -> bool:
    return min(one, two) < share * max(one, two)


def _is_of_one_hand(other: Candidate, digit: Candidate) -> bool:
    """Whether both may be written with one pen, or on one paper."""
    one_pen = not _differ(other.depth, digit.depth, ONE_PEN)
    return one_pen or abs(other.traits.unevenness - digit.traits.unevenness) < ONE_PAPER


def _is_on_paper(ink: InkMap, other: Candidate, digit: Candidate) -> bool:
    """Whether paper lies between both: what lies on another sheet, or behind the card, is no company."""
    between = _look_along(ink.grey, digit.box, other.box)
    paper = between > DIM * min(other.light, digit.light)
    return between.size < BLURRED or bool(np.count_nonzero(paper) >= PAPER * between.size)


def _look_along(grey: Bytes, one: Window, other: Window) -> Bytes:
    """What lies on the line between the middles of two boxes, outside of both."""
    ends = [[(side.start + side.stop - 1) // 2 for side in (a, b)] for a, b in zip(one, other, strict=True)]
    steps = max(abs(end - begin) for begin, end in ends) + 1
    line = [np.linspace(begin, end, steps).astype(np.intp) for begin, end in ends]
    inside = np.zeros(steps, np.bool_)
    for box in (one, other):
        down, across = (
            (places >= side.start) & (places < side.stop) for places, side in zip(line, box, strict=True)
        )
        inside |= down & across
    between: Bytes = grey[tuple(line)][~inside]
    return between
