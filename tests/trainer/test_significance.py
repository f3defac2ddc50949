from fractions import Fraction
from math import comb, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.feedforward import FeedForward
from trainer.datasets import NO_DIGIT, Dataset
from trainer.errors import BadSettingError
from trainer.significance import Comparison, compare_networks, find_interval


def wilson_by_hand(right, count, z=1.959963984540054):
    """Wilson's interval from its formula: an oracle."""
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return middle - half, middle + half


def mcnemar_by_hand(first, second):
    """The chance of a split at least as uneven among fair tosses, in whole numbers: an oracle."""
    tosses = first + second
    tail = sum(comb(tosses, heads) for heads in range(min(first, second) + 1))
    return float(min(Fraction(1), Fraction(2 * tail, 2**tosses)))


@given(st.integers(1, 100_000), st.floats(0, 1))
def test_the_interval_is_wilsons(count, share):
    right = round(share * count)
    low, high = find_interval(right, count)
    assert (low, high) == pytest.approx(wilson_by_hand(right, count), abs=1e-9)
    assert low <= right / count + 1e-12
    assert high >= right / count - 1e-12


def test_the_interval_is_that_of_a_published_example():
    # Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
    assert find_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert find_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_of_nothing_there_is_no_interval():
    assert np.isnan(find_interval(0, 0)).all()


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_chance_is_that_of_the_exact_test(first, second):
    chance = Comparison(1000, first, second, 3).chance
    assert chance == pytest.approx(mcnemar_by_hand(first, second), rel=1e-6)


def test_a_small_difference_is_chances_and_a_large_one_is_not():
    assert Comparison(9000, 30, 30, 0).better is None
    assert Comparison(9000, 30, 45, 0).better is None
    assert Comparison(9000, 30, 60, 0).better == 1
    assert Comparison(9000, 60, 30, 0).better == 0
    assert Comparison(9000, 0, 0, 10).chance == 1


def read_corner(digits):
    """A network that reads the n-th of the first ten pixels as the n-th of `digits`."""
    matrix = np.zeros((10, 784), np.float32)
    matrix[digits, np.arange(10)] = 10
    return FeedForward([matrix])


def make_corners(shown, labels):
    images = np.zeros((len(shown), 784), np.uint8)
    images[np.arange(len(shown)), shown] = 255
    return Dataset("corners", images.reshape(-1, 28, 28), np.array(labels, np.uint8))


def test_pictures_are_counted_by_who_reads_them_right():
    always_right, swaps_zero_and_one = read_corner(np.arange(10)), read_corner([1, 0, *range(2, 10)])
    dataset = make_corners([0, 1, 2, 0, 5, 6, 7], [0, 1, 2, 1, 5, 3, NO_DIGIT])
    comparison = compare_networks(always_right, swaps_zero_and_one, dataset)
    assert comparison == Comparison(both=2, first_only=2, second_only=1, neither=1)
    assert comparison.images == 6


def test_without_digits_nothing_is_compared():
    network = read_corner(np.arange(10))
    with pytest.raises(BadSettingError, match="no digits in it"):
        compare_networks(network, network, make_corners([1], [NO_DIGIT]))
