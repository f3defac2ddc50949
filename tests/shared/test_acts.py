from itertools import pairwise

import numpy as np
import pytest

from shared.acts import EMPTY_KINDS, KINDS, Ink, draw_act, draw_empty_act
from shared.conditions import Conditions
from shared.scenery import FRAME
from shared.strokes import draw_digit


def draw(kind, seed=0, **options):
    random = np.random.default_rng(seed)
    inks = (Ink(digit, draw_digit(digit, random)) for digit in (7, 1))
    return draw_act(random, kind, *inks, Conditions.draw(random), **options)


@pytest.mark.parametrize("kind", KINDS)
def test_a_digit_comes_is_still_as_long_as_asked_and_goes(kind):
    act = draw(kind, lead_s=0.5, hold_s=1.0, gap_s=0.7)
    assert [one.digit for one in act.showings] == ([7, 1] if kind == "swapping" else [7])
    first, last = act.showings[0], act.showings[-1]
    assert first.begin == 0.5
    assert act.find_digit(0.49) is None
    for one in act.showings:
        assert one.begin < one.still
        assert one.gone >= one.still + 1.0
        assert act.find_digit(one.still + 0.5) == one.digit
        (sheet, place), *_ = act.staging(one.still + 0.9).held
        left, top, right, bottom = sheet.find_box(place, FRAME)
        # As much of it as trembles or is tilted over the edge.
        assert min(left, top, FRAME[1] - right, FRAME[0] - bottom) > -40
    assert last.gone < act.length_s
    assert act.staging(act.length_s - 0.5).held == ()


@pytest.mark.parametrize("kind", EMPTY_KINDS)
def test_nothing_is_held_up_in_an_empty_act(kind):
    random = np.random.default_rng(0)
    act = draw_empty_act(random, kind, Conditions.draw(random, noise=0), 3.0)
    times = np.arange(0, 3, 0.1)
    frames = [act.look(time) for time in times]
    assert all(frame.shape == FRAME for frame in frames)
    assert all(act.find_digit(time) is None for time in times)
    assert all(np.array_equal(one, other) for one, other in pairwise(frames)) == (kind == "empty")


def test_what_is_held_still_stays_where_it_is_and_what_wobbles_does_not():
    for kind, most in (("still", 0), ("wobbling", 12)):
        act = draw(kind)
        begin = act.showings[0].still
        places = [act.staging(begin + wait).held[0][1] for wait in np.arange(0, 1, 0.1)]
        moves = [one.measure(other) for one, other in pairwise(places)]
        assert max(moves) <= most
        assert (max(moves) > 0.1) == (kind == "wobbling")


def test_what_moves_fast_is_smeared():
    random = np.random.default_rng(0)
    ink = Ink(1, draw_digit(1, random))
    act = draw_act(random, "entering", ink, ink, Conditions(blur=0, noise=0, size=0.4))
    showing = act.showings[0]
    still, moving = (
        np.abs(np.diff(act.look(time).astype(float), axis=axis)).max()
        for time, axis in ((showing.still + 0.2, 1), (showing.gone + 0.02, 1))
    )
    assert moving < still
