"""Exhibits: frames of a simulated camera, and where in them digits are held up that are to be found.

A digit alone, one that the frame's edge cuts off, and two on one sheet, either of which is a digit; or places
in which things happen, but no digit is held up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from shared.acts import EMPTY_KINDS, draw_empty_act
from shared.conditions import Conditions
from shared.digit_finder import Box
from shared.digit_image import crop
from shared.feedforward import FloatArray
from shared.ink import Bytes
from shared.resizing import fit_box
from shared.scenery import FRAME, Scene, cut_box, hold_up
from shared.sheet import write_sheet
from shared.texture import pick
from trainer.datasets import Dataset
from trainer.hardships import HARDSHIPS, draw_hardship
from trainer.sightings import draw_digit
from trainer.variants import SIDE

# Of the frames with ink in them, how many show two digits, and how many a part of one.
TWO, CUT_OFF = 0.12, 0.08
# How large the second of two digits is, and how far away, of the first one's size.
SECOND = 0.6, 1.0
APART = 0.15, 2.0
# How much of a digit is outside the frame. What is left of a 1 is one.
OUTSIDE = 0.3, 0.65
CUT = (0, 2, 3, 4, 5, 6, 7, 8, 9)
# Where no digit is held up, a place takes a third of a frame's time: two looks at each.
LOOKS_A_PLACE = 2

LEAST_GAP = 2  # pixels: two digits that are closer are one piece of ink

Random = np.random.Generator


class Exhibit(NamedTuple):
    """A frame, uint8 (240, 320), and the box of each digit in it that is to be found."""

    frame: Bytes
    boxes: Sequence[Box] = ()


def show_digits(digits: Dataset, fonts: Sequence[Path], random: Random) -> Iterator[Exhibit]:
    """Hold up a digit, two, or a part of one: in turn with all hardships together and with one alone."""

    def draw(digit: int) -> FloatArray:
        return draw_digit(digit, digits, fonts, random)

    while True:
        for conditions in (
            Conditions.draw(random),
            draw_hardship(random, HARDSHIPS[pick(random, *HARDSHIPS)]),
        ):
            kind = random.random()
            if kind < TWO:
                one, other = (draw(int(random.integers(10))) for _ in range(2))
                yield _show_two(one, other, conditions, random)
            elif kind < TWO + CUT_OFF:
                yield Exhibit(cut_off(draw(pick(random, *CUT)), conditions, random))
            else:
                view = hold_up(draw(int(random.integers(10))), random, conditions)
                yield Exhibit(view.frame, [view.box])


def show_places(random: Random) -> Iterator[Exhibit]:
    """Look at places in which things happen, but no digit is held up."""
    while True:
        scene = Scene(random, Conditions.draw(random))
        for _ in range(LOOKS_A_PLACE):
            kind, held = pick(random, *EMPTY_KINDS), Conditions.draw(random)
            act = draw_empty_act(random, kind, held, random.uniform(3, 12), scene=scene)
            yield Exhibit(act.look(random.uniform(0, act.length_s)))


def _show_two(one: FloatArray, other: FloatArray, conditions: Conditions, random: Random) -> Exhibit:
    """Write two digits on one sheet, beside each other, one above the other or cornerwise."""
    one, other = fit_box(crop(one), SIDE), fit_box(crop(other), round(random.uniform(*SECOND) * SIDE))
    across, level = random.random() < 0.5, random.random() < 0.5
    if not across:  # as beside each other, in a mirror
        one, other = one.T, other.T
    right = one.shape[1] + round(random.uniform(*APART) * SIDE)
    down = round(random.uniform(*((-0.2, 0.2) if level else (-2, 2))) * SIDE)
    top = max(0, -down)
    both = np.zeros(
        (max(top + one.shape[0], top + down + other.shape[0]), right + other.shape[1]), np.float32
    )
    both[top : top + one.shape[0], : one.shape[1]] = one
    both[top + down : top + down + other.shape[0], right:] = other
    if not across:
        both = both.T
    # Two take more room than one, and a pen is as wide for them.
    larger = min(1.3, 1 / conditions.size)
    stroke = conditions.stroke * SIDE / max(both.shape)
    conditions = replace(conditions, size=larger * conditions.size, stroke=stroke)
    sheet, place = write_sheet(both, conditions, random, FRAME)
    frame = Scene(random, conditions).look(random, [(sheet, place)])
    along = sheet.outline[:, 0 if across else 1]
    places = np.sort(along)
    gap = int(np.diff(places).argmax())
    if places[gap + 1] - places[gap] < LEAST_GAP:
        return Exhibit(frame)
    halves = (sheet.outline[side] for side in (along <= places[gap], along > places[gap]))
    boxes = [replace(sheet, outline=half).find_box(place, FRAME) for half in halves]
    return Exhibit(frame, [cut_box(box, FRAME) for box in boxes])


def cut_off(ink: FloatArray, conditions: Conditions, random: Random) -> Bytes:
    """Hold up ink so that a part of it is outside the frame, `OUTSIDE` tells how much: uint8 (240, 320)."""
    right, down = pick(random, (1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0))
    conditions = replace(conditions, x=right or conditions.x, y=down or conditions.y)
    sheet, place = write_sheet(ink, conditions, random, FRAME)
    left, top, right_side, bottom = sheet.find_box(place, FRAME)
    outside = random.uniform(*OUTSIDE)
    place = place._replace(
        x=place.x + right * outside * (right_side - left), y=place.y + down * outside * (bottom - top)
    )
    return Scene(random, conditions).look(random, [(sheet, place)])
