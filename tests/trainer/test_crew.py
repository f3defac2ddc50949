import numpy as np
import pytest

from trainer.backpropagation import find_gradients, initialise
from trainer.crew import Crew, count_shares
from trainer.dropout import Dropout


def make_batch(count):
    random = np.random.default_rng(1)
    inputs = random.uniform(0, 1, (count, 30)).astype(np.float32)
    return inputs, random.choice([0.01, 0.99], (count, 4)).astype(np.float32)


@pytest.mark.parametrize("shares", [1, 2, 3])
@pytest.mark.parametrize("count", [64, 61, 2, 1])
def test_shares_find_what_one_finds(shares, count):
    network = initialise((30, 12, 4), np.random.default_rng(0), biases=True)
    inputs, targets = make_batch(count)
    signals = network.forward(inputs)
    expected = find_gradients(network, signals, targets)
    with Crew(network, "cross-entropy", shares) as crew:
        for _ in range(2):
            outputs, gradients = crew.find(inputs, targets)
            np.testing.assert_allclose(outputs, signals[-1], atol=1e-6)
            for kind, wanted in zip(gradients, expected, strict=True):
                for one, other in zip(kind, wanted, strict=True):
                    np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_crew_sees_what_the_network_has_learnt_since():
    network = initialise((30, 12, 4), np.random.default_rng(0))
    inputs, targets = make_batch(10)
    with Crew(network, "cross-entropy", 2) as crew:
        before = crew.find(inputs, targets)[0]
        network.weights[0][...] += 1
        after = crew.find(inputs, targets)[0]
    assert np.abs(after - before).max() > 0.01
    np.testing.assert_allclose(after, network.query(inputs), atol=1e-6)


def test_each_share_silences_nodes_of_its_own_and_the_same_again_from_the_same_seeds():
    network = initialise((30, 12, 4), np.random.default_rng(0))
    inputs, targets = make_batch(40)

    def find():
        dropouts = [Dropout(0.5, np.random.default_rng(seed)) for seed in (1, 2)]
        with Crew(network, "cross-entropy", 2) as crew:
            outputs, gradients = crew.find(inputs, targets, dropouts)
        assert [mask.shape for dropout in dropouts for mask in dropout.masks] == [(20, 12)] * 2
        assert (dropouts[0].masks[0] != dropouts[1].masks[0]).any()
        return [outputs, *gradients[0]]

    for one, other in zip(find(), find(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_what_is_large_is_shared():
    assert count_shares(2, 100, 158_800) == 1
    assert count_shares(2, 128, 951_200) == 2
    assert count_shares(16, 128, 951_200) == 4
    assert count_shares(1, 256, 951_200) == 1
    assert count_shares(8, 16, 4_000_000) == 1


def test_weights_that_run_away_warn_on_no_thread():
    """Warnings are errors in all tests."""
    network = initialise((30, 12, 4), np.random.default_rng(0), activation="relu")
    inputs, targets = make_batch(40)
    network.weights[0][...] *= np.float32(1e38)
    with Crew(network, "cross-entropy", 2) as crew:
        outputs, _ = crew.find(inputs * np.float32(100), targets)
    assert not np.isfinite(outputs).all()


def test_what_fails_in_one_share_is_said():
    network = initialise((30, 12, 4), np.random.default_rng(0))
    inputs, targets = make_batch(40)
    with Crew(network, "cross-entropy", 2) as crew, pytest.raises(ValueError, match="broadcast"):
        crew.find(inputs, targets[:, :3])
