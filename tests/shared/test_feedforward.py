import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from shared.errors import WrongShapeError
from shared.feedforward import FeedForward, squash_sigmoid_by_exp


def query_by_hand(weights, biases, inputs):
    """The talk's query in float64, node by node: an oracle that shares nothing with the real one."""
    signals = [float(signal) for signal in inputs]
    for index, matrix in enumerate(weights):
        signals = [
            1.0
            / (
                1.0
                + np.exp(
                    -sum(float(link) * signal for link, signal in zip(row, signals, strict=True))
                    - (float(biases[index][node]) if biases else 0.0)
                )
            )
            for node, row in enumerate(matrix)
        ]
    return signals


@given(
    layers=st.lists(st.integers(1, 9), min_size=2, max_size=5),
    batch=st.integers(1, 7),
    with_biases=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_batch_gives_what_the_equations_give_for_each_input(layers, batch, with_biases, seed):
    random = np.random.default_rng(seed)
    weights = [random.normal(0, 2, (after, before)) for before, after in itertools.pairwise(layers)]
    weights = [matrix.astype(np.float32) for matrix in weights]
    biases = (
        [random.normal(0, 2, len(matrix)).astype(np.float32) for matrix in weights] if with_biases else None
    )
    inputs = random.uniform(0.01, 1, (batch, layers[0])).astype(np.float32)
    network = FeedForward(weights, biases)
    expected = [query_by_hand(weights, biases, one) for one in inputs]
    outputs = network.query(inputs)
    assert outputs.shape == (batch, layers[-1])
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, expected, atol=2e-6)
    np.testing.assert_allclose(network.query(inputs[0]), expected[0], atol=2e-6)


def test_layers_are_told_from_the_matrices():
    assert FeedForward([np.ones((200, 784)), np.ones((10, 200))]).layers == (784, 200, 10)


def test_very_strong_signals_saturate_without_a_warning():
    network = FeedForward([np.array([[1e30], [-1e30]])])
    # On a Pi the exponent is kept within what a float32 can hold.
    np.testing.assert_allclose(network.query([1.0]), [1.0, 0.0], atol=1e-34)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_sigmoid_of_a_batch_is_that_of_one(seed, spread):
    sums = np.random.default_rng(seed).normal(0, spread, (1500, 1)).astype(np.float32)
    network = FeedForward([np.ones((1, 1))])
    expected = 1 / (1 + np.exp(-sums.astype(np.float64)))
    np.testing.assert_allclose(network.query(sums), expected, atol=1.5e-7)
    np.testing.assert_allclose(network.query(sums[0]), expected[0], atol=1.5e-7)


def test_an_answer_outlives_the_next_query():
    network = FeedForward([np.array([[2.0]])])
    first = network.query([1.0])
    before = first.copy()
    network.query([-1.0])
    np.testing.assert_array_equal(first, before)


def test_matrices_that_are_float32_already_are_not_copied():
    matrix = np.ones((3, 2), np.float32)
    assert FeedForward([matrix]).weights[0] is matrix


def test_buffers_of_hidden_layers_are_made_once_for_a_batch_size():
    network = FeedForward([np.ones((3, 2)), np.ones((1, 3))])
    first = network.forward([0.1, 0.2])
    second = network.forward([0.3, 0.4])
    assert first[1] is second[1]
    assert first[2] is not second[2]


def test_weights_changed_in_place_are_those_that_are_asked():
    network = FeedForward([np.zeros((1, 2)), np.zeros((1, 1))], [np.zeros(1), np.zeros(1)])
    assert network.query([1.0, 1.0]) == 0.5
    for array in network.weights + network.biases:
        array += 100
    assert network.query([1.0, 1.0]) == 1


def test_a_copy_learns_without_the_original():
    network = FeedForward([np.ones((1, 1))], [np.ones(1)])
    copy = network.copy()
    for array in copy.weights + copy.biases:
        array += 1
    assert network.weights[0] == 1
    assert network.biases[0] == 1


@pytest.mark.parametrize(
    ("weights", "biases", "activation", "said"),
    [
        ([], None, "sigmoid", "at least one"),
        ([np.ones(3)], None, "sigmoid", "two dimensions"),
        ([np.ones((0, 3))], None, "sigmoid", "at least one"),
        ([np.ones((4, 3)), np.ones((2, 5))], None, "sigmoid", r"weights\[0\] leads to 4 .* comes from 5"),
        ([np.ones((4, 3))], [np.ones(3)], "sigmoid", "as long as the matrix has rows"),
        ([np.ones((4, 3))], [], "sigmoid", "one vector a matrix"),
        ([np.ones((4, 3))], None, "step", "unknown activation 'step'; known: sigmoid"),
    ],
)
def test_parts_that_do_not_fit_are_refused(weights, biases, activation, said):
    with pytest.raises(WrongShapeError, match=said):
        FeedForward(weights, biases, activation)


@pytest.mark.parametrize("shape", [(3,), (2, 5), (2, 2, 4), ()])
def test_inputs_of_a_wrong_shape_are_refused(shape):
    with pytest.raises(WrongShapeError, match="do not fit 4 input nodes"):
        FeedForward([np.ones((2, 4))]).query(np.zeros(shape))


def test_a_pis_sigmoid_is_the_sigmoid():
    sums = np.concatenate((np.linspace(-79, 79, 1000), (-1e4, 1e4, -np.inf, np.inf, np.nan))).astype(
        np.float32
    )
    outputs = np.empty_like(sums)
    squash_sigmoid_by_exp(sums, outputs)
    np.testing.assert_allclose(outputs, expit(sums), rtol=1e-6, atol=1e-34)
    squash_sigmoid_by_exp(sums, sums)
    np.testing.assert_array_equal(sums, outputs)
