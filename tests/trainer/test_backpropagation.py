from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.feedforward import FeedForward
from trainer.backpropagation import find_gradients, initialise, make_targets
from trainer.datasets import NO_DIGIT
from trainer.losses import measure_cross_entropy as measure_loss
from trainer.optimisers import Descent


def measure_loss_by_hand(weights, biases, inputs, targets):
    """Mean cross-entropy in float64, one input at a time: an oracle that shares nothing with the real one."""
    total = 0.0
    for one, wanted in zip(inputs, targets, strict=True):
        signal = one.astype(np.float64)
        for matrix, bias in zip(weights, biases, strict=True):
            signal = 1 / (1 + np.exp(-(matrix @ signal + bias)))
        total -= float(np.sum(wanted * np.log(signal) + (1 - wanted) * np.log(1 - signal)))
    return total / len(inputs)


@settings(max_examples=25)
@given(
    layers=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    batch=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_gradients_match_finite_differences(layers, batch, seed):
    random = np.random.default_rng(seed)
    weights = [random.normal(0, 1, (after, before)) for before, after in pairwise(layers)]
    biases = [random.normal(0, 1, after) for after in layers[1:]]
    inputs = random.uniform(0.01, 1, (batch, layers[0])).astype(np.float32)
    targets = random.choice([0.01, 0.99], (batch, layers[-1])).astype(np.float32)

    network = FeedForward(weights, biases)
    weight_gradients, bias_gradients = find_gradients(network, network.forward(inputs), targets)

    step = 1e-5
    for parameters, gradients in ((weights, weight_gradients), (biases, bias_gradients)):
        for array, gradient in zip(parameters, gradients, strict=True):
            assert gradient.shape == array.shape
            for place in np.ndindex(array.shape):
                before = array[place]
                array[place] = before + step
                above = measure_loss_by_hand(weights, biases, inputs, targets)
                array[place] = before - step
                below = measure_loss_by_hand(weights, biases, inputs, targets)
                array[place] = before
                assert gradient[place] == pytest.approx((above - below) / (2 * step), rel=2e-4, abs=2e-6)


def test_the_loss_is_that_of_the_oracle():
    random = np.random.default_rng(3)
    network = initialise((5, 4, 3), random, biases=True)
    inputs = random.uniform(0, 1, (6, 5)).astype(np.float32)
    targets = random.uniform(0.01, 0.99, (6, 3)).astype(np.float32)
    expected = measure_loss_by_hand(network.weights, network.biases, inputs, targets)
    assert measure_loss(network.query(inputs), targets) == pytest.approx(expected, rel=1e-5)


def test_the_loss_is_finite_where_an_output_is_sure_and_wrong():
    outputs = np.array([[0.0, 1.0]], np.float32)
    assert np.isfinite(measure_loss(outputs, np.array([[0.99, 0.01]], np.float32)))


def test_link_weights_begin_small_random_and_as_wide_as_the_book_says():
    network = initialise((784, 200, 10), np.random.default_rng(0))
    assert network.layers == (784, 200, 10)
    assert network.biases is None
    assert network.weights[0].std() == pytest.approx(784**-0.5, rel=0.02)
    assert abs(network.weights[0].mean()) < 0.001


def test_targets_are_the_talks():
    targets = make_targets(np.array([3, 0], np.uint8))
    assert targets.shape == (2, 10)
    assert targets[0, 3] == np.float32(0.99)
    assert targets[1, 0] == np.float32(0.99)
    assert (targets == np.float32(0.01)).sum() == 18


def test_what_is_no_digit_asks_silence_of_all_nodes():
    targets = make_targets(np.array([NO_DIGIT, 4], np.uint8))
    assert (targets[0] == np.float32(0.01)).all()
    assert targets[1, 4] == np.float32(0.99)


@pytest.mark.parametrize("biases", [False, True])
def test_descent_goes_down(biases):
    random = np.random.default_rng(0)
    network = initialise((20, 8, 4), random, biases=biases)
    inputs = random.uniform(0.01, 1, (40, 20)).astype(np.float32)
    targets = make_targets(random.integers(0, 4, 40).astype(np.uint8), nodes=4)
    descent = Descent(network, inputs.mean(axis=0))
    losses = []
    for _ in range(60):
        signals = network.forward(inputs)
        losses.append(measure_loss(signals[-1], targets))
        descent.step(*find_gradients(network, signals, targets), 0.1)
    assert losses[-1] < 0.7 * losses[0]


def test_the_step_along_the_common_signal_is_shortened_and_no_other():
    common = np.array([3.0, 4.0], np.float32)
    across = np.array([[4.0, -3.0]], np.float32)
    for direction, share in ((common[np.newaxis], 1 / 25), (across, 1.0)):
        network = FeedForward([np.zeros((1, 2))])
        Descent(network, common, momentum=0.0).step([direction.copy()], [], 1.0)
        np.testing.assert_allclose(network.weights[0], -share * direction, rtol=1e-5)


def test_inputs_that_are_all_zero_do_not_stop_descent():
    network = FeedForward([np.zeros((1, 2))])
    Descent(network, np.zeros(2, np.float32), momentum=0.0).step([np.ones((1, 2), np.float32)], [], 1.0)
    np.testing.assert_array_equal(network.weights[0], [[-1, -1]])
