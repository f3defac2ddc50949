"""A few simulated sequences of every kind; `tests.benchmarks.sequences` plays many."""

from collections import Counter
from functools import partial

import pytest

from edge.config import SettlingSettings
from edge.settling import Settling
from shared.acts import KINDS, Showing
from shared.conditions import Conditions
from shared.reading import DigitReader
from shared.weights import load_weights
from tests.benchmarks.sequences import Event, draw_emptiness, draw_sequence, judge, play, write_drawn
from trainer.hardships import HARDSHIPS, draw_easy, draw_hardship

SETTINGS = SettlingSettings()
SEVEN = Showing(7, begin=0.8, still=1.0, gone=3.0)
ONE = Showing(1, begin=3.2, still=3.5, gone=5.0)


@pytest.fixture(scope="module")
def network():
    return load_weights().network


def count_verdicts(network, draws):
    verdicts = Counter()
    for number, draw_conditions in enumerate(draws):
        act = draw_sequence(1, number, KINDS[number % len(KINDS)], write_drawn, draw_conditions)
        played = play(act, DigitReader(network), Settling(SETTINGS), SETTINGS)
        verdicts[judge(act.showings, played.events)] += 1
    return verdicts


def test_digits_in_empty_places_are_announced_once_right_in_time_and_withdrawn(network):
    verdicts = count_verdicts(network, 4 * len(KINDS) * [draw_easy])
    assert verdicts["good"] >= 0.9 * verdicts.total(), verdicts
    assert verdicts["wrong"] == 0, verdicts


def test_digits_are_announced_whatever_single_hardship_there_is(network):
    draws = [partial(draw_hardship, hardship=hardship) for hardship in HARDSHIPS.values()]
    verdicts = count_verdicts(network, 2 * draws)
    assert verdicts["good"] >= 0.9 * verdicts.total(), verdicts


def test_digits_anywhere_are_hardly_ever_announced_wrong(network):
    verdicts = count_verdicts(network, 3 * len(KINDS) * [Conditions.draw])
    assert verdicts["good"] >= 0.5 * verdicts.total(), verdicts
    assert verdicts["wrong"] <= 0.1 * verdicts.total(), verdicts


def test_where_there_is_no_digit_hardly_any_is_announced(network):
    reader, settling, begin = DigitReader(network), Settling(SETTINGS), 0.0
    announced = []
    for act in draw_emptiness(0, 300):
        played = play(act, reader, settling, SETTINGS, begin)
        announced += [event for event in played.events if event.digit is not None]
        begin += act.length_s
    assert len(announced) <= 3


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ([(1.4, 7), (3.5, None)], "good"),
        ([], "missing"),
        ([(1.6, 7), (3.5, None)], "late"),
        ([(1.4, 7)], "stale"),
        ([(1.4, 7), (4.1, None)], "stale"),
        ([(1.4, 7), (2.5, None)], "dropped"),
        ([(1.4, 7), (2.2, None), (2.6, 7), (3.5, None)], "twice"),
        ([(1.2, 1), (1.6, 7), (3.5, None)], "wrong"),
        ([(0.5, 4), (1.4, 7), (3.5, None)], "false"),
        ([(1.4, 7), (3.5, None), (4.2, 7)], "false"),
    ],
)
def test_sequences_are_judged(events, verdict):
    assert judge([SEVEN], [Event(*event) for event in events]) == verdict


def test_digits_that_are_swapped_are_judged_together():
    assert judge([SEVEN, ONE], [Event(1.4, 7), Event(3.9, 1), Event(5.6, None)]) == "good"
    assert judge([SEVEN, ONE], [Event(1.4, 7), Event(5.6, None)]) == "missing"
    assert judge([SEVEN, ONE], [Event(1.4, 1), Event(3.9, 1), Event(5.6, None)]) == "wrong"
