from dataclasses import replace

import numpy as np
import pytest

from trainer.augmentation import Rotations
from trainer.datasets import Dataset, load_mnist
from trainer.errors import BadSettingError
from trainer.evaluation import measure_accuracy
from trainer.settings import Settings
from trainer.training import train

QUICK = Settings(hidden=(30,), epochs=6)


def test_a_network_learns_drawn_digits(drawn_digits):
    learnt, held_out = drawn_digits.split(100, seed=0)
    outcome = train(learnt, QUICK, held_out=held_out)
    assert measure_accuracy(outcome.network, held_out) > 0.95
    assert outcome.accuracy == measure_accuracy(outcome.network, held_out)
    assert outcome.epochs == 6
    assert not outcome.stopped


@pytest.mark.parametrize("augmentation", [None, Rotations(10.0)])
def test_the_same_seed_gives_the_same_weights(drawn_digits, augmentation):
    first, second = (train(drawn_digits, QUICK, augmentation=augmentation).network for _ in range(2))
    for one, other in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_seed_gives_other_weights(drawn_digits):
    first = train(drawn_digits, Settings(hidden=(30,), epochs=1, seed=1)).network
    second = train(drawn_digits, Settings(hidden=(30,), epochs=1, seed=2)).network
    assert not np.array_equal(first.weights[0], second.weights[0])


def test_several_hidden_layers_and_biases_can_be_had(drawn_digits):
    outcome = train(drawn_digits, Settings(hidden=(30, 20), epochs=12, biases=True))
    assert outcome.network.layers == (784, 30, 20, 10)
    assert any(bias.any() for bias in outcome.network.biases)
    assert measure_accuracy(outcome.network, drawn_digits) > 0.9


def test_stopping_keeps_the_best_so_far(drawn_digits):
    learnt, held_out = drawn_digits.split(100, seed=0)
    moments = []
    outcome = train(
        learnt,
        Settings(hidden=(30,), epochs=50),
        held_out=held_out,
        report=moments.append,
        stop=lambda: bool(moments) and moments[-1].epoch == 4,
    )
    assert outcome.stopped
    assert 3 <= outcome.epochs < 5
    assert outcome.accuracy == max(moment.accuracy for moment in moments if moment.accuracy is not None)
    assert measure_accuracy(outcome.network, held_out) == outcome.accuracy


def test_progress_reaches_the_end(drawn_digits):
    moments = []
    train(drawn_digits, QUICK, report=moments.append)
    assert moments[-1].share == 1
    assert moments[-1].steps == 6 * 6  # 600 pictures, 100 a batch
    assert [moment.share for moment in moments] == sorted(moment.share for moment in moments)


def test_skipping_takes_fewer_steps_and_reads_as_well(drawn_digits):
    learnt, held_out = drawn_digits.split(100, seed=0)
    steps, accuracies = [], []
    for skipping in (0.0, 0.8):
        moments = []
        settings = replace(QUICK, epochs=12, skipping=skipping)
        train(learnt, settings, held_out=held_out, report=moments.append)
        steps.append(moments[-1].steps)
        accuracies.append(moments[-1].accuracy)
        assert moments[-1].share == 1
    assert steps[0] == 12 * 5
    assert steps[1] < 0.7 * steps[0]
    assert accuracies[1] > accuracies[0] - 0.03


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"epochs": 0}, "epochs must be more than 0"),
        ({"skipping": 1.0}, "skipping must be 0 or more and below 1"),
        ({"learning_rate": 0.0}, "learning rate must be more than 0"),
        ({"learning_rate": float("nan")}, "learning rate must be more than 0"),
        ({"batch_size": 0}, "batch size must be more than 0"),
        ({"hidden": (20, 0)}, "number of hidden nodes must be more than 0"),
        ({"hidden": (10**9,)}, "more than a Pi Zero "),
        ({"hidden": (10,) * 15}, "a network of 15 hidden layers"),
        ({"seed": -1}, "seed must not be below 0"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(settings, said):
    with pytest.raises(BadSettingError, match=said):
        Settings(**settings)


@pytest.mark.parametrize("rate", [1e38, 1e300])
@pytest.mark.parametrize("optimiser", ["momentum", "adam"])
@pytest.mark.parametrize("normalised", [False, True])
def test_weights_that_run_away_are_said_and_nothing_else(drawn_digits, rate, optimiser, normalised):
    """Warnings are errors in all tests."""
    settings = Settings(
        hidden=(30,),
        learning_rate=rate,
        optimiser=optimiser,
        biases=True,
        batch_normalisation=normalised,
        averaging=1.0,
    )
    with pytest.raises(BadSettingError, match="ran away in epoch 1: try a learning rate below 1e"):
        train(drawn_digits, settings, held_out=drawn_digits)


def test_nothing_to_learn_from_is_said():
    empty = Dataset("empty", np.empty((0, 28, 28), np.uint8), np.empty(0, np.uint8))
    with pytest.raises(BadSettingError, match="no pictures"):
        train(empty, QUICK)


def test_the_default_reaches_the_promised_accuracy_on_mnist(mnist):
    outcome = train(load_mnist(mnist, test=False), Settings())
    assert measure_accuracy(outcome.network, load_mnist(mnist, test=True)) >= 0.975
