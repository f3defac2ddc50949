import numpy as np

from shared.feedforward import FeedForward
from trainer.averaging import TAKE_EVERY, WeightAverage


def walk(average, network, positions, steps=1000):
    for step, position in enumerate(positions, 1):
        network.weights[0][:] = position
        average.take(step, steps)


def test_at_first_it_is_the_plain_mean():
    network = FeedForward([np.zeros((1, 1))])
    average = WeightAverage(network)
    positions = np.repeat([1.0, 2.0, 6.0], TAKE_EVERY)
    walk(average, network, positions)
    np.testing.assert_allclose(average.network.weights[0], 3.0, rtol=1e-6)


def test_a_few_steps_leave_more_than_what_there_was_before_them():
    network = FeedForward([np.zeros((1, 1))])
    average = WeightAverage(network)
    walk(average, network, range(1, TAKE_EVERY))
    assert average.network.weights[0] == TAKE_EVERY - 1


def test_later_what_is_long_ago_fades():
    network = FeedForward([np.zeros((1, 1))], [np.zeros(1)])
    average = WeightAverage(network)
    walk(average, network, [100.0] * (30 * TAKE_EVERY) + [0.0] * (10 * TAKE_EVERY), 10 * TAKE_EVERY)
    # (1 - 1/10)^10 of it is left.
    np.testing.assert_allclose(average.network.weights[0], 100 * 0.9**10, rtol=1e-4)


def test_the_network_that_learns_is_left_alone():
    network = FeedForward([np.ones((2, 2))], [np.ones(2)], "relu")
    average = WeightAverage(network)
    average.take(TAKE_EVERY, 5)
    assert average.network.activation == "relu"
    average.network.weights[0][:] = 7
    assert (network.weights[0] == 1).all()
