import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conditions import Conditions
from shared.digit_finder import search_frame
from shared.scenery import hold_up
from shared.strokes import draw_digit
from shared.traits import DIGITS, DIGITS_BASE, Traits, tell_chance


def sum_up(traits, weights):
    return sum(trait * weight for trait, weight in zip(traits, weights, strict=True))


@given(log_odds=st.floats(-30, 30))
def test_a_chance_has_the_odds_that_it_was_told_by(log_odds):
    chance = tell_chance(log_odds)
    assert 0 < chance <= 1
    assert np.isclose(tell_chance(-log_odds), 1 - chance)


@pytest.mark.parametrize("trait", Traits._fields)
def test_whatever_speaks_against_a_digit_makes_it_less_likely(trait):
    # Depth and smallness are logarithms of shares: the lower, the further from a digit.
    worse = -1.0 if trait in ("depth", "smallness") else 1.0
    assert sum_up(Traits(**{trait: worse}), DIGITS) <= 0


def test_a_candidates_score_is_what_its_traits_say_together():
    random = np.random.default_rng(0)
    judged = 0
    for number in range(30):
        frame = hold_up(draw_digit(number % 10, random), random, Conditions.draw(random)).frame
        for candidate in search_frame(frame).candidates:
            expected = tell_chance(DIGITS_BASE + sum_up(candidate.traits, DIGITS))
            assert candidate.score == pytest.approx(expected, rel=1e-9)
            judged += 1
    assert judged > 30
