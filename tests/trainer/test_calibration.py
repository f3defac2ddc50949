import numpy as np
import pytest

from shared.feedforward import FeedForward
from shared.reading import tell_confidences
from trainer.calibration import compare, find_temperature, measure_reliability, temper
from trainer.datasets import NO_DIGIT, Dataset
from trainer.evaluation import query_dataset
from trainer.settings import Settings
from trainer.training import train


def test_readings_are_binned_by_their_confidence():
    reliability = compare(np.array([0.05, 0.92, 0.98, 1.0]), np.array([False, True, True, False]))
    assert reliability.counts.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 3]
    assert reliability.right[9] == pytest.approx(2 / 3)
    assert reliability.confidences[9] == pytest.approx(2.9 / 3)
    assert np.isnan(reliability.right[5])


def test_the_expected_calibration_error_weighs_gaps_by_readings():
    # Nine in ten right at 0.95, and none of ten right at 0.25.
    confidences = np.array([0.95] * 10 + [0.25] * 10)
    right = np.array([True] * 9 + [False] * 11)
    assert compare(confidences, right).error == pytest.approx((0.05 + 0.25) / 2)


def test_confidence_that_means_what_it_says_has_no_error():
    random = np.random.default_rng(0)
    confidences = random.random(200_000)
    assert compare(confidences, random.random(200_000) < confidences).error < 0.005


@pytest.fixture(scope="module")
def trained(drawn_digits):
    """A network, and pictures blurred by noise that it is not sure of."""
    random = np.random.default_rng(0)
    learnt, other = drawn_digits.split(300, seed=0)
    noise = random.normal(0, 90, other.images.shape)
    noisy = Dataset("noisy", np.clip(other.images + noise, 0, 255).astype(np.uint8), other.labels.copy())
    noisy.labels[:60] = NO_DIGIT
    return train(learnt, Settings(hidden=(30,), epochs=8, biases=True)).network, noisy


@pytest.mark.parametrize("factor", [0.5, 2.5])
def test_a_network_made_too_sure_or_too_timid_is_brought_back(trained, factor):
    network, noisy = trained
    right = find_temperature(network, noisy)
    assert find_temperature(temper(network, factor), noisy) == pytest.approx(right / factor, rel=0.05)


def test_tempering_changes_confidence_and_no_reading(trained):
    network, noisy = trained
    before, after = (query_dataset(one, noisy) for one in (network, temper(network, 2.0)))
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))
    assert tell_confidences(after).mean() < tell_confidences(before).mean()


def test_of_no_digit_no_reading_is_right():
    shouting = FeedForward([np.full((10, 784), -9.0, np.float32)])
    shouting.weights[0][3] = 9.0
    images = np.full((5, 28, 28), 255, np.uint8)
    labels = np.array([3, 3, 3, NO_DIGIT, NO_DIGIT], np.uint8)
    reliability = measure_reliability(shouting, Dataset("", images, labels))
    assert reliability.counts[9] == 5
    assert reliability.right[9] == pytest.approx(0.6)


def test_the_curve_is_that_of_scikit_learn():
    calibration = pytest.importorskip("sklearn.calibration")
    random = np.random.default_rng(1)
    confidences = random.random(5000) ** 0.3
    right = random.random(5000) < confidences**2
    reliability = compare(confidences, right)
    shares, means = calibration.calibration_curve(right, confidences, n_bins=10)
    filled = reliability.counts > 0
    np.testing.assert_allclose(reliability.right[filled], shares)
    np.testing.assert_allclose(reliability.confidences[filled], means)
