import numpy as np
import pytest

from shared.feedforward import FeedForward
from trainer.backpropagation import find_gradients, initialise, make_targets
from trainer.losses import LOSSES
from trainer.optimisers import CHUNK, OPTIMISERS, Adam, Descent


@pytest.mark.parametrize(("optimiser", "rate"), [("momentum", 0.1), ("adam", 0.05)])
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@pytest.mark.parametrize("biases", [False, True])
def test_every_optimiser_goes_down(optimiser, rate, activation, biases):
    random = np.random.default_rng(0)
    network = initialise((20, 8, 4), random, biases=biases, activation=activation)
    inputs = random.uniform(0.01, 1, (40, 20)).astype(np.float32)
    targets = make_targets(random.integers(0, 4, 40).astype(np.uint8), nodes=4)
    descent = OPTIMISERS[optimiser](network, inputs.mean(axis=0), False)
    losses = []
    for _ in range(60):
        signals = network.forward(inputs)
        losses.append(LOSSES["cross-entropy"].measure(signals[-1], targets))
        descent.step(*find_gradients(network, signals, targets), rate)
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


def test_adam_steps_as_its_paper_says():
    """Algorithm 1 in float64, over more weights than are changed at once."""
    random = np.random.default_rng(0)
    nodes = CHUNK // 4
    network = FeedForward([random.normal(0, 1, (6, nodes))], [random.normal(0, 1, 6)])
    expected = [array.astype(np.float64) for array in network.parameters]
    means, squares = ([np.zeros_like(array) for array in expected] for _ in range(2))
    adam = Adam(network)
    for step in range(1, 8):
        gradients = [random.normal(0, 0.1**step, array.shape).astype(np.float32) for array in expected]
        for array, gradient, mean, square in zip(expected, gradients, means, squares, strict=True):
            mean[:] = 0.9 * mean + 0.1 * gradient
            square[:] = 0.999 * square + 0.001 * gradient.astype(np.float64) ** 2
            array -= 0.01 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        adam.step([gradients[0].copy()], [gradients[1].copy()], 0.01)
    for array, wanted in zip(network.parameters, expected, strict=True):
        np.testing.assert_allclose(array, wanted, atol=1e-5)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_what_an_optimiser_remembers_is_all_there_is_to_it(optimiser):
    random = np.random.default_rng(0)
    common = random.uniform(0, 1, 5).astype(np.float32)
    first = initialise((5, 3, 2), random, biases=True)
    one = OPTIMISERS[optimiser](first, common, False)

    def make_gradients(seed):
        draw = np.random.default_rng(seed)
        return [[draw.normal(0, 1, array.shape).astype(np.float32) for array in arrays]
                for arrays in (first.weights, first.biases)]  # fmt: skip

    one.step(*make_gradients(1), 0.1)
    second = first.copy()
    other = OPTIMISERS[optimiser](second, common, False)
    for array, kept in zip(other.memory, one.memory, strict=True):
        np.copyto(array, kept)
    for optimiser_ in (one, other):
        optimiser_.step(*make_gradients(2), 0.1)
    for array, same in zip(first.parameters, second.parameters, strict=True):
        np.testing.assert_array_equal(array, same)
