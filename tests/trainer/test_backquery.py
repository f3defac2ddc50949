import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.digit_image import to_inputs
from shared.feedforward import FeedForward
from shared.weights import load_weights
from trainer.backpropagation import initialise
from trainer.backquery import average_digits, backquery, climb, find_input_gradients, make_minds
from trainer.datasets import Dataset
from trainer.errors import BadSettingError
from trainer.plots import plot_minds, save_figure
from trainer.settings import Settings
from trainer.training import train


@pytest.fixture(scope="module")
def trained(drawn_digits):
    return train(drawn_digits, Settings(hidden=(30,), epochs=20, biases=True)).network


def make_network(layers, activation, seed):
    random = np.random.default_rng(seed)
    network = initialise(layers, random, biases=True)
    biases = [random.normal(0, 0.5, bias.shape) for bias in network.biases]
    return FeedForward(network.weights, biases, activation)


def test_the_average_is_of_each_digits_pictures(drawn_digits):
    averages = average_digits(drawn_digits)
    threes = drawn_digits.images[drawn_digits.labels == 3].astype(np.float64) / 255
    np.testing.assert_allclose(averages[3], to_inputs(threes.mean(axis=0).astype(np.float32)), atol=1e-6)
    assert averages.shape == (10, 784)
    assert averages.dtype == np.float32


def test_without_pictures_of_a_digit_there_is_no_average():
    images, labels = np.zeros((3, 28, 28), np.uint8), np.array([0, 1, 3], np.uint8)
    with pytest.raises(BadSettingError, match="no picture of a 2"):
        average_digits(Dataset("few", images, labels))


def test_backquery_is_the_books():
    """The book's backquery, for one digit at a time and without biases: an oracle."""
    network = initialise((784, 12, 10), np.random.default_rng(3))
    wih, who = (matrix.astype(np.float64) for matrix in network.weights)
    for digit in range(10):
        targets = np.full(10, 0.01)
        targets[digit] = 0.99
        hidden = who.T @ np.log(targets / (1 - targets))
        hidden -= hidden.min()
        hidden = hidden / hidden.max() * 0.98 + 0.01
        inputs = wih.T @ np.log(hidden / (1 - hidden))
        inputs -= inputs.min()
        inputs = inputs / inputs.max() * 0.99 + 0.01
        np.testing.assert_allclose(backquery(network)[digit], inputs, atol=1e-5)


def test_a_single_layer_that_can_be_gone_back_through_gives_the_inputs_back():
    # Ten inputs of their own for each node: what is sent back is what excites it.
    matrix = np.zeros((10, 784), np.float32)
    matrix[np.repeat(np.arange(10), 10), np.arange(100)] = 1
    pictures = backquery(FeedForward([matrix], [np.linspace(-1, 1, 10)]))
    assert pictures[4, 40:50] == pytest.approx(1)
    assert (np.delete(pictures[4], range(40, 50)) < 0.7).all()


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@pytest.mark.parametrize("layers", [(784, 10), (784, 12, 10), (784, 20, 15, 10)])
def test_pictures_of_any_network_are_inputs(activation, layers, drawn_digits):
    network = make_network(layers, activation, seed=1)
    for pictures in make_minds(network, drawn_digits).values():
        assert pictures.shape == (10, 784)
        assert pictures.dtype == np.float32
        assert pictures.min() >= 0.01 - 1e-6
        assert pictures.max() <= 1 + 1e-6


def test_what_a_network_with_relu_has_in_mind_is_not_drowned_by_its_biases():
    network = load_weights().network
    assert network.activation == "relu"
    alike = np.corrcoef(backquery(network))
    assert alike[~np.eye(10, dtype=bool)].max() < 0.9


def test_links_that_say_nothing_give_no_picture_and_no_warning():
    network = FeedForward([np.zeros((5, 784)), np.zeros((10, 5))])
    assert (backquery(network) == np.float32(0.01)).all()
    assert (climb(network) == np.float32(0.5)).all()


@settings(max_examples=20)
@given(st.integers(0, 1000), st.sampled_from(["sigmoid", "relu"]))
def test_gradients_are_those_of_finite_differences(seed, activation):
    network = make_network((784, 7, 6, 10), activation, seed)
    random = np.random.default_rng(seed)
    inputs = random.uniform(0.01, 1, (10, 784)).astype(np.float32)
    gradients = find_input_gradients(network, inputs)

    def add_up(signals):
        """The sums of the output nodes, in float64."""
        for index, (matrix, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
            signals = signals @ matrix.T.astype(np.float64) + bias
            if index < len(network.weights) - 1:
                signals = 1 / (1 + np.exp(-signals)) if activation == "sigmoid" else np.maximum(signals, 0)
        return signals.diagonal()

    for pixel in random.integers(0, 784, 5):
        change = np.zeros((10, 784))
        change[:, pixel] = 1e-6
        differences = (add_up(inputs + change) - add_up(inputs - change)) / 2e-6
        np.testing.assert_allclose(gradients[:, pixel], differences, rtol=1e-3, atol=1e-5)


def test_what_it_climbs_to_is_read_as_the_digit_and_surer_with_every_step(trained):
    assert (trained.query(climb(trained)).argmax(axis=1) == np.arange(10)).all()
    heights = [trained.query(climb(trained, steps)).diagonal() for steps in (0, 3, 10, 40)]
    for lower, higher in itertools.pairwise(heights):
        assert (higher > lower).all()
    assert (heights[-1] > 0.95).all()


@pytest.mark.parametrize("name", [r"$\q$.csv", "bad\udcff.csv"])
def test_minds_are_drawn_whatever_the_data_are_called(network, drawn_digits, tmp_path, name):
    minds = make_minds(network, replace(drawn_digits, name=name))
    save_figure(plot_minds(minds, network, "a mind"), tmp_path / "mind.svg")
    assert f"<!-- {name} -->".replace("\udcff", "?") in (tmp_path / "mind.svg").read_text()
