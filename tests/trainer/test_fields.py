"""Fields, against loops over pixels, scipy's correlation and finite differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import correlate

from shared.errors import WrongShapeError
from trainer.backpropagation import find_gradients, make_targets
from trainer.evaluation import measure_accuracy
from trainer.fields import FieldNetwork, Fields, initialise_fields
from trainer.losses import LOSSES
from trainer.settings import Settings
from trainer.training import train

KINDS = st.builds(Fields, side=st.integers(1, 5), channels=st.sampled_from([4, 8]), folded=st.booleans())


def draw(random, *shape):
    return random.normal(size=shape).astype(np.float32)


def make_small(random, activation="sigmoid"):
    """8x8 pixels; two nodes about each of 4x4 places, three about each of 2x2, then four, then three."""
    fields = (Fields(4, 4, folded=True), Fields(2, 8, folded=True))
    shapes = ((2, 36), (3, 72), (4, 12), (3, 4))
    weights = [0.5 * draw(random, *shape) for shape in shapes]
    return FieldNetwork(weights, [draw(random, shape[0]) for shape in shapes], activation, fields)


@given(fields=KINDS, nodes=st.integers(1, 3), batch=st.integers(1, 3), seed=st.integers(0, 99))
def test_what_is_around_a_place_comes_through_its_links_and_nothing_from_beyond_the_edge(
    fields, nodes, batch, seed
):
    random = np.random.default_rng(seed)
    side, channels = fields.side, fields.channels
    if fields.folded:
        maps = draw(random, batch, 2 * side, 2 * side, channels // 4)
    else:
        maps = draw(random, batch, side, side, channels)
    matrix = draw(random, nodes, 9 * channels)
    links = matrix.reshape(nodes, 3, 3, channels)
    sums = np.zeros((batch, side, side, nodes))
    for row, column, down, across in np.ndindex(side, side, 3, 3):
        y, x = row + down - 1, column + across - 1
        if 0 <= y < side and 0 <= x < side:
            held = maps[:, y, x]
            if fields.folded:
                held = maps[:, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].reshape(batch, channels)
            sums[:, row, column] += held @ links[:, down, across].T
    found = fields.weigh(maps.reshape(batch, -1), matrix)
    np.testing.assert_allclose(found, sums.reshape(batch, -1), rtol=1e-4, atol=1e-4)


@given(fields=KINDS, nodes=st.integers(1, 3), batch=st.integers(1, 3), seed=st.integers(0, 99))
def test_errors_go_back_the_way_that_signals_came(fields, nodes, batch, seed):
    random = np.random.default_rng(seed)
    signals = draw(random, batch, fields.places * fields.channels)
    errors = draw(random, batch, fields.places * nodes)
    matrix = draw(random, nodes, 9 * fields.channels)
    # Linear in the signals, and in the links: (A s) . e = s . (A^T e).
    there = pytest.approx(
        np.vdot(fields.weigh(signals, matrix).astype(np.float64), errors), rel=1e-4, abs=1e-3
    )
    assert np.vdot(signals.astype(np.float64), fields.send_back(errors, matrix)) == there
    assert np.vdot(matrix.astype(np.float64), fields.find_gradient(errors, signals)) == there


def test_a_layer_with_fields_is_a_correlation():
    random = np.random.default_rng(0)
    pictures, links, biases = draw(random, 2, 6, 6, 3), draw(random, 5, 27), draw(random, 5)
    network = FieldNetwork([links, np.zeros((1, 180))], [biases, np.zeros(1)], "sigmoid", [Fields(6, 3)])
    seen = network.forward(pictures.reshape(2, -1))[1].reshape(2, 6, 6, 5)
    for picture, of_picture in zip(pictures, seen, strict=True):
        padded = np.pad(picture.astype(np.float64), ((1, 1), (1, 1), (0, 0)))
        for node in range(5):
            sums = correlate(padded, links[node].reshape(3, 3, 3), mode="valid")[:, :, 0] + biases[node]
            np.testing.assert_allclose(of_picture[:, :, node], 1 / (1 + np.exp(-sums)), atol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_those_of_finite_differences(loss):
    random = np.random.default_rng(1)
    network = make_small(random)
    inputs, targets = random.random((3, 64), np.float32), make_targets(np.array([0, 2, 1]), nodes=3)

    def measure():
        return LOSSES[loss].measure(network.query(inputs), targets)

    signals = network.forward(inputs)
    found = find_gradients(network, signals, targets, loss)
    assert network.biases is not None
    for arrays, gradients in zip((network.weights, network.biases), found, strict=True):
        for array, gradient in zip(arrays, gradients, strict=True):
            assert gradient.shape == array.shape
            for place in random.permutation(array.size)[:6]:
                before, ends = array.flat[place], []
                for step in (0.02, -0.02):
                    array.flat[place] = before + np.float32(step)
                    ends.append(measure())
                array.flat[place] = before
                assert gradient.flat[place] == pytest.approx((ends[0] - ends[1]) / 0.04, rel=0.02, abs=3e-4)


def test_shared_links_count_as_often_as_signals_go_through_them():
    network = make_small(np.random.default_rng(0))
    assert network.layers == (64, 32, 12, 4, 3)
    assert network.links == 16 * 72 + 4 * 216 + 48 + 12


def test_a_copy_learns_alone_and_a_share_does_not():
    network = make_small(np.random.default_rng(0))
    inputs = np.random.default_rng(1).random((2, 64), np.float32)
    copy, share, before = network.copy(), network.share(), network.query(inputs)
    network.weights[0][...] = 0
    np.testing.assert_array_equal(copy.query(inputs), before)
    np.testing.assert_array_equal(share.query(inputs), network.query(inputs))


def test_layers_that_do_not_fit_are_refused():
    with pytest.raises(WrongShapeError, match="not from a field's"):
        FieldNetwork([np.ones((2, 35)), np.ones((1, 32))], [np.ones(2), np.ones(1)], "relu", [Fields(4, 4)])
    with pytest.raises(WrongShapeError, match="do not fit"):
        FieldNetwork([np.ones((2, 36)), np.ones((1, 31))], [np.ones(2), np.ones(1)], "relu", [Fields(4, 4)])
    with pytest.raises(WrongShapeError, match="give"):
        make_small(np.random.default_rng(0)).query(np.ones(64))


def test_it_learns_digits(drawn_digits):
    begin = initialise_fields((6, 8, 8), 20, np.random.default_rng(0))
    settings = Settings(hidden=(20,), epochs=6, optimiser="adam", learning_rate=3e-3, batch_size=20)
    outcome = train(drawn_digits, settings, begin=begin)
    assert measure_accuracy(outcome.network, drawn_digits) > 0.9 > measure_accuracy(begin, drawn_digits)
