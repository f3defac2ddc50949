import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import SettlingSettings
from edge.settling import Prediction, Settling, Withdrawal
from shared.digit_finder import Box
from shared.reading import Reading

INTERVAL_S = 0.1
DEFAULTS = SettlingSettings()


HERE = Box(100, 60, 50, 80)


def read(digit, confidence=0.95, box=HERE):
    if digit is None:
        return None
    return Reading(digit, confidence, np.zeros(10, np.float32), np.zeros((28, 28), np.float32), box)


def observe(readings, settings=DEFAULTS, interval_s=INTERVAL_S):
    """Give the readings to settling, a frame each; return (frame number, digit or None) for each change."""
    settling = Settling(settings)
    changes = []
    for number, reading in enumerate(readings):
        if not isinstance(reading, Reading):
            reading = read(reading)
        change = settling.observe(reading, 100 + number * interval_s)
        if change is not None:
            changes.append((number, change.reading.digit if isinstance(change, Prediction) else None))
    return changes


def test_a_digit_held_still_is_announced_once_within_half_a_second():
    changes = observe([None] * 5 + [7] * 30)
    assert [digit for _, digit in changes] == [7]
    assert (changes[0][0] - 5) * INTERVAL_S <= 0.5


def test_it_is_withdrawn_within_a_second_of_going():
    changes = observe([7] * 10 + [None] * 20)
    assert [digit for _, digit in changes] == [7, None]
    assert (changes[1][0] - 10) * INTERVAL_S <= 1.0


def test_the_same_digit_held_up_again_is_announced_again():
    changes = observe([7] * 10 + [None] * 10 + [7] * 10)
    assert [digit for _, digit in changes] == [7, None, 7]


def test_a_digit_swapped_for_another_is_announced_without_a_withdrawal():
    changes = observe([7] * 10 + [3] * 10)
    assert [digit for _, digit in changes] == [7, 3]


@pytest.mark.parametrize("flicker", [[3], [3, 3], [3, None, 3, None, 3], [3, 8, 3, 8, 3, 8], [None] * 3])
def test_a_flicker_changes_nothing(flicker):
    assert [digit for _, digit in observe([7] * 10 + flicker + [7] * 10)] == [7]


def test_a_single_wrong_frame_does_not_delay_the_right_digit_for_long():
    changes = observe([7, 7, 1] + [7] * 10)
    assert [digit for _, digit in changes] == [7]
    assert changes[0][0] <= 8


def test_readings_without_confidence_are_no_votes():
    assert observe([read(7, confidence=0.3)] * 20) == []


def test_what_was_seen_before_the_camera_stalled_is_no_evidence():
    settling = Settling(DEFAULTS)
    times = [0.0, 0.1, 3600.0, 3600.1, 3600.2]
    assert [settling.observe(read(7), time) for time in times] == [None] * 5
    assert isinstance(settling.observe(read(7), 3600.3), Prediction)


def test_agreement_alone_is_not_enough():
    assert observe([read(7, confidence=0.8)] * 20) == []


def test_a_frames_noise_keeps_no_digit_back():
    settling = Settling(DEFAULTS)
    changes = [settling.observe(read(7, 0.86 + n % 2 * 0.12), n * INTERVAL_S) for n in range(6)]
    prediction = next(change for change in changes if change is not None)
    assert DEFAULTS.confidence <= prediction.reading.confidence < 0.95


def test_a_digit_is_not_withdrawn_while_it_is_likely():
    assert [digit for _, digit in observe([7] * 10 + [read(7, confidence=0.6)] * 30)] == [7]
    assert [digit for _, digit in observe([7] * 10 + [read(7, confidence=0.4)] * 30)] == [7, None]


def test_the_needed_confidence_can_be_chosen():
    assert observe([read(7, confidence=0.3)] * 20, SettlingSettings(confidence=0.2)) != []


def test_a_digit_that_moves_is_not_held_still():
    moving = [read(7, box=HERE._replace(x=20 * step)) for step in range(10)]
    assert observe(moving) == []
    assert [digit for _, digit in observe(moving + [moving[-1]] * 5)] == [7]


def test_a_one_that_grows_to_a_seven_is_no_one():
    growing = [read(1, box=HERE._replace(width=10 + 10 * step)) for step in range(6)]
    assert observe(growing) == []
    assert [digit for _, digit in observe(growing + [read(7)] * 8)] == [7]


def test_a_hand_may_tremble():
    random = np.random.default_rng(0)
    trembling = [read(7, box=Box(*(side + random.integers(-6, 7) for side in HERE))) for _ in range(20)]
    assert [digit for _, digit in observe(trembling)] == [7]


def test_a_digit_that_was_settled_may_be_moved_about():
    assert [digit for _, digit in observe([read(7)] * 6 + [read(7, box=HERE._replace(x=200))] * 10)] == [7]


def test_the_same_frame_seen_again_is_no_second_witness():
    settling = Settling(DEFAULTS)
    assert all(settling.observe(read(7), 100.0) is None for _ in range(50))


def test_two_frames_are_too_few_however_slow_the_camera():
    assert observe([7, 7], interval_s=0.5) == []
    assert [digit for _, digit in observe([7, 7, 7, 7], interval_s=0.19)] == [7]


@pytest.mark.parametrize("interval_s", [2.2, 2.0, 0.5, 0.3, 0.05, 1 / 60])
@pytest.mark.parametrize("hold_s", [0.1, 0.3, 0.4, 2.0])
def test_every_camera_is_announced_however_slow_or_fast(interval_s, hold_s):
    changes = observe([7] * 200, SettlingSettings(hold_s=hold_s), interval_s)
    assert [digit for _, digit in changes] == [7]


def test_announcements_are_numbered_and_named_apart():
    settling = Settling(DEFAULTS)
    changes = [settling.observe(read(7 if n % 20 < 10 else None), n * INTERVAL_S) for n in range(60)]
    predictions = [change for change in changes if isinstance(change, Prediction)]
    assert [prediction.seq for prediction in predictions] == [1, 2, 3]
    assert len({prediction.id for prediction in predictions}) == 3
    other_run = Settling(DEFAULTS)
    assert all(other_run._run not in prediction.id for prediction in predictions)


@given(st.lists(st.sampled_from([None, 1, 7]), max_size=80))
def test_no_digit_is_announced_twice_in_a_row_nor_withdrawn_unannounced(readings):
    digits = [digit for _, digit in observe(readings)]
    assert all(one != other for one, other in itertools.pairwise(digits))
    assert digits[:1] != [None]


@given(st.lists(st.sampled_from([None, 1, 7]), max_size=80))
def test_what_is_announced_was_read_in_the_last_four_frames(readings):
    for number, digit in observe(readings):
        if digit is not None:
            assert readings[number - 3 : number + 1] == [digit] * 4


def test_frames_that_come_a_little_early_or_late_do_not_delay_a_digit():
    settling = Settling(DEFAULTS)
    random = np.random.default_rng(0)
    times = 100 + INTERVAL_S * np.arange(4) + random.uniform(-0.005, 0.005, 4)
    changes = [settling.observe(read(7), time) for time in times.tolist()]
    assert isinstance(changes[-1], Prediction)


def test_a_fast_cameras_frames_need_not_agree_all():
    flickering = [1 if number % 15 == 14 else 7 for number in range(100)]
    assert [digit for _, digit in observe(flickering, interval_s=1 / 60)] == [7]


def test_a_withdrawal_is_no_prediction():
    settling = Settling(DEFAULTS)
    changes = [settling.observe(read(7 if n < 10 else None), n * INTERVAL_S) for n in range(20)]
    assert any(isinstance(change, Withdrawal) for change in changes)
