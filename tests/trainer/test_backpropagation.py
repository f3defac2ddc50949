from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from shared.feedforward import ACTIVATIONS, FeedForward
from trainer.backpropagation import find_gradients, initialise, make_targets
from trainer.batch_normalisation import LEAST_VARIANCE, BatchNormalisation
from trainer.datasets import NO_DIGIT
from trainer.disturbances import Disturbances
from trainer.dropout import Dropout
from trainer.losses import LOSSES

# Where to look, and how much of it to take, for an integral from -1 to 1.
PLACES, SHARES = np.polynomial.legendre.leggauss(60)


def measure_loss_by_hand(
    weights,
    biases,
    inputs,
    targets,
    activation="sigmoid",
    loss="cross-entropy",
    masks=None,
    normalised=False,
):
    """Mean loss in float64, one input at a time: an oracle that shares nothing with the real one."""
    signals = [one.astype(np.float64) for one in inputs]
    for layer, (matrix, bias) in enumerate(zip(weights, biases, strict=True)):
        is_output = layer == len(weights) - 1
        for row, signal in enumerate(signals):
            sums = matrix @ signal + bias
            signals[row] = (
                sums * (sums > 0) if activation == "relu" and not is_output else 1 / (1 + np.exp(-sums))
            )
        if normalised and not is_output:
            mean = sum(signals) / len(signals)
            variance = sum((signal - mean) ** 2 for signal in signals) / len(signals)
            signals = [(signal - mean) / np.sqrt(variance + LEAST_VARIANCE) for signal in signals]
        if masks is not None and not is_output:
            signals = [signal * mask for signal, mask in zip(signals, masks[layer], strict=True)]
    total = 0.0
    for signal, wanted in zip(signals, targets, strict=True):
        if loss == "squared-error":
            total += float(np.sum((wanted - signal) ** 2)) / 2
        elif loss == "focal":
            total += integrate_errors(signal, wanted)
        else:
            total -= float(np.sum(wanted * np.log(signal) + (1 - wanted) * np.log(1 - signal)))
    return total / len(inputs)


def integrate_errors(outputs, targets):
    """Sum up the focal errors of a layer on its nodes' way from target to output, by Gauss and Legendre."""
    begin, end = (np.log(chances / (1 - chances)) for chances in (targets.astype(np.float64), outputs))
    middle, reach = (begin + end) / 2, (end - begin) / 2
    errors = 1 / (1 + np.exp(-(middle + np.multiply.outer(PLACES, reach)))) - targets
    return float((reach * (SHARES @ (2 * np.abs(errors) * errors))).sum())


@example(
    layers=[2, 6, 5, 2],
    batch=2,
    activation="relu",
    loss="cross-entropy",
    dropped=0.4,
    normalised=False,
    seed=0,
)
@example(
    layers=[4, 6, 5, 2],
    batch=5,
    activation="relu",
    loss="cross-entropy",
    dropped=0.0,
    normalised=True,
    seed=0,
)
@settings(max_examples=80)
@given(
    layers=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    batch=st.integers(1, 5),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(LOSSES)),
    dropped=st.sampled_from([0.0, 0.4]),
    normalised=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_gradients_match_finite_differences(layers, batch, activation, loss, dropped, normalised, seed):
    random = np.random.default_rng(seed)
    weights = [random.normal(0, 1, (after, before)) for before, after in pairwise(layers)]
    biases = [random.normal(0, 1, after) for after in layers[1:]]
    inputs = random.uniform(0.01, 1, (batch, layers[0])).astype(np.float32)
    targets = random.choice([0.01, 0.99], (batch, layers[-1])).astype(np.float32)

    network = FeedForward(weights, biases, activation)
    normalisation, dropout = BatchNormalisation(), Dropout(dropped, random)
    disturbance = Disturbances(*[normalisation] * normalised, *[dropout] * (dropped > 0))
    signals = [signal.copy() for signal in network.forward(inputs, disturbance)]
    weight_gradients, bias_gradients = find_gradients(network, signals, targets, loss, disturbance)
    masks = dropout.masks or None
    # Where a relu node is about to speak or to fall silent no difference is a slope.
    *hidden, last = (
        signal @ matrix.T + bias for signal, matrix, bias in zip(signals[:-1], weights, biases, strict=True)
    )
    assume(activation == "sigmoid" or all((np.abs(layer) > 1e-3).all() for layer in hidden))
    # Nor where an output is so sure that the chance of the contrary is lost in a float's last bits.
    assume((np.abs(last) < 12).all())

    def measure():
        return measure_loss_by_hand(weights, biases, inputs, targets, activation, loss, masks, normalised)

    # A signal that hardly varies is made thirty times as loud, and its rounding with it, layer by layer.
    rounding = 5e-4 if normalised else 4e-6
    step = 1e-5
    for parameters, gradients in ((weights, weight_gradients), (biases, bias_gradients)):
        for array, gradient in zip(parameters, gradients, strict=True):
            assert gradient.shape == array.shape
            assert gradient.dtype == np.float32
            for place in np.ndindex(array.shape):
                before = array[place]
                array[place] = before + step
                above = measure()
                array[place] = before - step
                below = measure()
                array[place] = before
                assert gradient[place] == pytest.approx((above - below) / (2 * step), rel=2e-4, abs=rounding)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_is_that_of_the_oracle(loss):
    random = np.random.default_rng(3)
    network = initialise((5, 4, 3), random, biases=True)
    inputs = random.uniform(0, 1, (6, 5)).astype(np.float32)
    targets = random.uniform(0.01, 0.99, (6, 3)).astype(np.float32)
    expected = measure_loss_by_hand(network.weights, network.biases, inputs, targets, loss=loss)
    assert LOSSES[loss].measure(network.query(inputs), targets) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("targets", [(0.99, 0.01), (1.0, 0.0)])
def test_the_loss_is_finite_where_an_output_is_sure_and_wrong(loss, targets):
    outputs = np.array([[0.0, 1.0]], np.float32)
    assert np.isfinite(LOSSES[loss].measure(outputs, np.array([targets], np.float32)))


def test_the_focal_loss_of_what_is_right_is_nothing():
    outputs = np.array([[0.0, 0.01, 0.5, 1.0]], np.float32)
    assert LOSSES["focal"].measure(outputs, outputs) == 0
    assert not LOSSES["focal"].errors(outputs, outputs).any()


def test_link_weights_begin_small_random_and_as_wide_as_the_book_says():
    network = initialise((784, 200, 10), np.random.default_rng(0))
    assert network.layers == (784, 200, 10)
    assert network.biases is None
    assert network.weights[0].std() == pytest.approx(784**-0.5, rel=0.02)
    assert abs(network.weights[0].mean()) < 0.001


def test_links_to_relu_nodes_begin_wider_as_half_their_signals_are_silenced():
    network = initialise((784, 400, 10), np.random.default_rng(0), activation="relu")
    assert network.activation == "relu"
    signals = network.forward(np.random.default_rng(1).uniform(0, 1, (100, 784)))
    power = [float((signal**2).mean()) for signal in signals]
    assert 0.5 < power[1] / power[0] < 2


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
