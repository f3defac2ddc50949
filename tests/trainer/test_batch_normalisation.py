from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.digit_image import to_inputs
from shared.feedforward import ACTIVATIONS, FeedForward
from trainer.backpropagation import initialise
from trainer.batch_normalisation import LEAST_VARIANCE, BatchNormalisation, fold_normalisation
from trainer.checkpoint import Checkpoint
from trainer.crew import Crew
from trainer.errors import BadSettingError
from trainer.evaluation import measure_accuracy
from trainer.settings import Settings
from trainer.training import train

NORMALISED = Settings(hidden=(30, 20), epochs=8, biases=True, batch_normalisation=True, activation="relu")


def make_network(layers, activation, seed):
    random = np.random.default_rng(seed)
    network = initialise(layers, random, biases=True, activation=activation)
    for bias in network.biases:
        bias[:] = random.normal(0, 1, bias.shape)
    return network, random.uniform(0.01, 1, (500, layers[0])).astype(np.float32)


def query_by_hand(network, inputs, statistics_of):
    """Outputs in float64, each hidden signal normalised by what it is over other inputs."""
    signals, others = inputs.astype(np.float64), statistics_of.astype(np.float64)
    for layer, (matrix, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        sums, other_sums = (given @ matrix.T.astype(np.float64) + bias for given in (signals, others))
        if layer == len(network.weights) - 1:
            return 1 / (1 + np.exp(-sums))
        if network.activation == "relu":
            signals, others = np.maximum(sums, 0), np.maximum(other_sums, 0)
        else:
            signals, others = 1 / (1 + np.exp(-sums)), 1 / (1 + np.exp(-other_sums))
        mean, deviation = others.mean(axis=0), np.sqrt(others.var(axis=0) + LEAST_VARIANCE)
        signals, others = (signals - mean) / deviation, (others - mean) / deviation
    raise AssertionError("no layers")


def test_signals_become_0_on_average_and_1_strong():
    network, inputs = make_network((20, 30, 12, 4), "sigmoid", seed=0)
    for signals in network.forward(inputs, BatchNormalisation())[1:-1]:
        np.testing.assert_allclose(signals.mean(axis=0), 0, atol=1e-4)
        assert ((signals.std(axis=0) > 0.6) & (signals.std(axis=0) <= 1)).all()  # LEAST_VARIANCE tells


@given(batch=st.integers(1, 6), nodes=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_errors_go_back_as_finite_differences_say(batch, nodes, seed):
    """In float64, where rounding hides nothing."""
    random = np.random.default_rng(seed)
    before, wanted = random.normal(0, 1, (2, batch, nodes))

    def measure():
        deviation = np.sqrt(before.var(axis=0) + LEAST_VARIANCE)
        return float((((before - before.mean(axis=0)) / deviation - wanted) ** 2).sum() / 2)

    normalisation, signals = BatchNormalisation(), before.copy()
    normalisation(signals)
    errors = signals - wanted
    np.testing.assert_array_equal(normalisation.go_back(0, errors, signals), before)
    for place in np.ndindex(before.shape):
        kept, step = before[place], 1e-5
        before[place] = kept + step
        above = measure()
        before[place] = kept - step
        below = measure()
        before[place] = kept
        assert errors[place] == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-4)


@given(
    hidden=st.lists(st.integers(1, 20), max_size=3),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_is_folded_says_the_same_as_what_is_not(hidden, activation, seed):
    network, inputs = make_network((15, *hidden, 4), activation, seed)
    folded = fold_normalisation(network, inputs)
    # Not only of the batch that the means and variances are of, but of any input.
    others = np.random.default_rng(seed).uniform(0.01, 1, (7, 15)).astype(np.float32)
    for asked in (inputs, others):
        np.testing.assert_allclose(folded.query(asked), query_by_hand(network, asked, inputs), atol=2e-4)
    unfolded = network.forward(inputs, BatchNormalisation())[-1]
    np.testing.assert_allclose(folded.query(inputs), unfolded, atol=2e-4)


def test_folding_leaves_the_network_that_learns_alone():
    network, inputs = make_network((15, 8, 4), "relu", seed=0)
    before = [array.copy() for array in network.parameters]
    fold_normalisation(network, inputs)
    for one, other in zip(network.parameters, before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_silent_node_does_no_harm():
    network, inputs = make_network((15, 8, 4), "relu", seed=0)
    network.biases[0][:] = -100
    folded = fold_normalisation(network, inputs)
    assert all(np.isfinite(array).all() for array in folded.parameters)
    assert np.isfinite(network.forward(inputs[:1], BatchNormalisation())[-1]).all()


def test_a_network_without_biases_cannot_be_folded():
    network = FeedForward([np.ones((3, 2)), np.ones((2, 3))])
    with pytest.raises(ValueError, match="no place"):
        fold_normalisation(network, np.ones((4, 2), np.float32))
    with pytest.raises(BadSettingError, match="give --biases"):
        Settings(batch_normalisation=True)


def test_each_share_of_a_crew_normalises_its_own_pictures():
    network, inputs = make_network((15, 8, 4), "relu", seed=0)
    targets = np.full((60, 4), 0.5, np.float32)
    with Crew(network, "cross-entropy", 2) as crew:
        outputs, _ = crew.find(inputs[:60], targets, [BatchNormalisation(), BatchNormalisation()])
    halves = [network.forward(half, BatchNormalisation())[-1] for half in (inputs[:30], inputs[30:60])]
    np.testing.assert_allclose(outputs, np.concatenate(halves), atol=1e-6)


@pytest.mark.parametrize("optimiser", ["momentum", "adam"])
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@pytest.mark.parametrize("averaging", [0.0, 2.0])
def test_a_network_learns_with_it_and_is_plain_in_the_end(drawn_digits, optimiser, activation, averaging):
    learnt, held_out = drawn_digits.split(100, seed=0)
    settings = replace(
        NORMALISED,
        optimiser=optimiser,
        learning_rate=0.01 if optimiser == "adam" else 0.2,
        activation=activation,
        averaging=averaging,
    )
    outcome = train(learnt, settings, held_out=held_out)
    assert outcome.accuracy == measure_accuracy(outcome.network, held_out) > 0.95
    # Without pictures held out it is the last one; and so it is known that it was folded, too.
    assert measure_accuracy(train(learnt, settings).network, held_out) > 0.95


def test_the_exported_network_is_that_of_the_epoch_normalised_by_what_it_learnt_from(drawn_digits):
    """All pictures are fewer than are measured: the statistics are those of the training pictures."""
    settings = replace(NORMALISED, epochs=1, learning_rate=1e-12)
    outcome = train(drawn_digits, settings)
    network = initialise(settings.layers, np.random.default_rng(0), biases=True, activation="relu")
    inputs = to_inputs(drawn_digits.images * np.float32(1 / 255))
    expected = query_by_hand(network, inputs, inputs)
    np.testing.assert_allclose(outcome.network.query(inputs), expected, atol=1e-4)


def test_what_is_over_is_folded_again_to_the_same_weights(drawn_digits, tmp_path):
    settings = replace(NORMALISED, epochs=3, averaging=1.0, dropout=0.1)
    whole = train(drawn_digits, settings, checkpoint=Checkpoint(tmp_path / "c", every_s=0.0))
    again = train(drawn_digits, settings, checkpoint=Checkpoint(tmp_path / "c"), resume=True)
    for one, other in zip(again.network.parameters, whole.network.parameters, strict=True):
        np.testing.assert_array_equal(one, other)
