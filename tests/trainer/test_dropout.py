import numpy as np
import pytest

from shared.feedforward import FeedForward
from trainer.dropout import Dropout


def test_so_many_nodes_are_silent_and_the_sum_stays_what_it_was():
    signals = np.ones((400, 500), np.float32)
    Dropout(0.3, np.random.default_rng(0))(signals)
    assert (signals == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert signals.mean() == pytest.approx(1.0, abs=0.01)
    assert signals.dtype == np.float32


def test_only_hidden_layers_are_disturbed_and_a_query_is_not():
    network = FeedForward([np.ones((50, 4)), np.ones((60, 50)), np.ones((3, 60))], activation="relu")
    dropout = Dropout(0.5, np.random.default_rng(0))
    inputs = np.ones((2, 4), np.float32)
    dropout.begin()
    signals = network.forward(inputs, dropout)
    assert [mask.shape for mask in dropout.masks] == [(2, 50), (2, 60)]
    assert (signals[1] == 0).any()
    assert (signals[3] > 0).all()
    np.testing.assert_array_equal(network.query(inputs), network.query(inputs))
    assert (network.forward(inputs)[1] > 0).all()
