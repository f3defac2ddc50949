"""That exhibits show what they tell: whole digits where their boxes are, and no box where there is none."""

from itertools import islice, pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from shared.conditions import Conditions
from shared.digit_finder import FoundDigit, search_in_turn
from shared.scenery import FRAME, hold_up
from shared.strokes import draw_digit
from trainer.exhibits import _show_two, cut_off, show_digits, show_places
from trainer.sightings import share_box

FONT = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
DARK = 100


def show(drawn_digits, seed, count):
    random = np.random.default_rng(seed)
    return list(islice(show_digits(drawn_digits, [FONT], random), count))


def test_one_digit_is_shown_mostly_and_at_times_two_or_a_part_of_one(drawn_digits):
    exhibits = show(drawn_digits, seed=1, count=150)
    boxes = [len(exhibit.boxes) for exhibit in exhibits]
    assert all(exhibit.frame.shape == FRAME for exhibit in exhibits)
    assert boxes.count(1) > 100
    assert 5 <= boxes.count(2) <= 35
    assert 3 <= boxes.count(0) <= 30


def test_the_same_seed_shows_the_same(drawn_digits):
    for one, same in zip(*(show(drawn_digits, seed=3, count=12) for _ in range(2)), strict=True):
        np.testing.assert_array_equal(one.frame, same.frame)
        assert one.boxes == same.boxes
    other = show(drawn_digits, seed=4, count=1)[0]
    assert not np.array_equal(other.frame, show(drawn_digits, seed=3, count=1)[0].frame)


@pytest.mark.parametrize("seed", range(12))
def test_each_of_two_digits_is_found_where_its_box_is(seed):
    random = np.random.default_rng(seed)
    one, other = (draw_digit(int(random.integers(10)), random) for _ in range(2))
    exhibit = _show_two(one, other, Conditions(size=0.7), random)
    assert len(exhibit.boxes) == 2
    assert share_box(*exhibit.boxes) < 0.1
    found = [search.found for search in search_in_turn(exhibit.frame)]
    for box in exhibit.boxes:
        assert any(isinstance(digit, FoundDigit) and share_box(digit.box, box) > 0.75 for digit in found)


@pytest.mark.parametrize("seed", range(8))
def test_of_a_digit_that_is_cut_off_a_part_is_in_the_frame(seed):
    random = np.random.default_rng(seed)
    ink, easy = draw_digit(8, random), Conditions(size=0.5)
    whole = np.count_nonzero(hold_up(ink, random, easy).frame < DARK)
    dark = cut_off(ink, easy, random) < DARK
    assert 0.2 < np.count_nonzero(dark) / whole < 0.85
    assert any(side.any() for side in (dark[0], dark[-1], dark[:, 0], dark[:, -1]))


def test_places_show_no_digit_and_differ():
    exhibits = list(islice(show_places(np.random.default_rng(2)), 6))
    assert not any(exhibit.boxes for exhibit in exhibits)
    frames = [exhibit.frame for exhibit in exhibits]
    assert all(not np.array_equal(one, other) for one, other in pairwise(frames))
