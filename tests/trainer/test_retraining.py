"""Retraining: a writer's own digits are learnt, and nothing is forgotten."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.weights import load_weights
from tests.end_to_end.commands import TRAINER, run
from tests.writer import write_sevens
from trainer.backpropagation import initialise
from trainer.cli import main
from trainer.datasets import NO_DIGIT, Dataset, load_mnist
from trainer.errors import BadSettingError
from trainer.evaluation import measure_accuracy, query_dataset
from trainer.library import Library
from trainer.own_digits import Sight
from trainer.retraining import (
    MOST_SHOWN,
    count_showings,
    hold_out,
    make_recipe,
    retrain,
    tell_right,
    try_both,
)

SEED = 0

# With fewer drawings of what is no digit than is usual, which take most of the time.
FILES = ("--library", "library.sqlite", "-o", "new.npz", "--no-digits", "400")


def collect(path, dataset, network):
    """A library as devices and corrections fill it."""
    outputs = network.query(dataset.images.reshape(-1, 784) / np.float32(255) * 0.99 + 0.01)
    with Library(path) as library:
        library.add(
            Sight("desk", f"{place}", datetime.now(UTC), image, int(said.argmax()), 0.5, (0.1,) * 10, "model")
            for place, (image, said) in enumerate(zip(dataset.images, outputs, strict=True))
        )
        library.label(
            [
                (library.find(f"{place}"), -1 if label == NO_DIGIT else int(label))
                for place, label in enumerate(dataset.labels)
            ],
            "correction",
        )


@pytest.fixture(scope="module")
def parent():
    return load_weights()


@pytest.fixture(scope="module")
def retrained(mnist, parent, tmp_path_factory):
    """What the command makes of thirty corrections: its folder, its status and its report."""
    folder = tmp_path_factory.mktemp("retrained")
    collect(
        folder / "library.sqlite", write_sevens(load_mnist(mnist, test=False), 30, seed=5), parent.network
    )
    result = run(TRAINER, "retrain", *FILES, "--json", cwd=folder)
    return folder, result.returncode, json.loads(result.stdout)


def test_the_error_on_a_writers_unseen_digits_falls_to_half_and_mnists_accuracy_stays(
    retrained, parent, mnist
):
    folder, status, report = retrained
    child, tests = load_weights(folder / "new.npz").network, load_mnist(mnist, test=True)
    unseen = write_sevens(tests, 400, seed=6)  # of other pictures than the thirty
    before, after = (1 - measure_accuracy(network, unseen) for network in (parent.network, child))
    assert before > 0.5
    assert after <= before / 2
    assert measure_accuracy(child, tests) >= measure_accuracy(parent.network, tests) - 0.001
    assert (status, report["objections"]) == (0, [])


def test_the_model_card_tells_where_weights_come_from(retrained, parent, mnist):
    folder, _, report = retrained
    trained = load_weights(folder / "new.npz")
    card = trained.card
    assert report["sha256"] == trained.sha256
    assert card.training["command"] == "retrain"
    assert card.training["lineage"] == [parent.sha256]
    assert card.training["own_labels"] == {"7": 24}
    assert card.data[0]["sha256"] == load_mnist(mnist, test=False).describe()["sha256"]
    assert [entry["images"] for entry in card.data] == [60000, 24, 400, 10000, 6, 100]
    held_out = card.metrics["own_held_out"]
    assert held_out["images"] == 6
    assert held_out["interval"][0] < held_out["accuracy"] <= held_out["interval"][1]
    assert set(card.metrics) == {"test", "own_held_out", "no_digits"}


@pytest.fixture(scope="module")
def small_world(mnist, parent):
    """Some of MNIST, a writer's sevens and crosses that are no digit: enough to see what happens."""
    digits = load_mnist(mnist, test=False)
    cross = np.zeros((28, 28), np.uint8)
    cross[13:15, 4:24] = cross[4:24, 13:15] = 255
    crosses = Dataset("crosses", np.stack([cross] * 20), np.full(20, NO_DIGIT, np.uint8))
    return digits.take(np.arange(2000)), write_sevens(digits, 20, seed=1), crosses


def test_the_same_seed_gives_the_same_weights_and_the_parent_stays_as_it_is(small_world, parent):
    some, own, crosses = small_world
    before = [array.copy() for array in parent.network.parameters]
    one, same, other = (
        retrain(
            parent.network,
            some,
            own,
            crosses,
            make_recipe(parent.network, epochs=1, learning_rate=0.05, seed=seed),
            threads=threads,
        ).network
        for seed, threads in ((1, 1), (1, 2), (2, 1))
    )
    for array, again in zip(one.parameters, same.parameters, strict=True):
        assert (array == again).all()
    assert not all((a == b).all() for a, b in zip(one.parameters, other.parameters, strict=True))
    assert all((a == b).all() for a, b in zip(before, parent.network.parameters, strict=True))


def test_own_digits_that_are_none_are_refused_afterwards(small_world, parent):
    """What a person says is no digit is no more said to be one."""
    some, own, crosses = small_world
    mistaken = own.take(np.arange(10))
    none = Dataset("no digits", mistaken.images, np.full(10, NO_DIGIT, np.uint8))
    recipe = make_recipe(parent.network, epochs=4, learning_rate=0.05, seed=SEED)
    child = retrain(parent.network, some, none, crosses, recipe, own_share=0.2).network
    before, after = (query_dataset(network, none).max(axis=1).mean() for network in (parent.network, child))
    assert after < before / 2


def test_what_is_worse_beyond_chance_is_objected_to(parent, mnist):
    tests = load_mnist(mnist, test=True).take(np.arange(1000))
    untrained = initialise(parent.network.layers, np.random.default_rng(1))
    assert "worse on MNIST test images" in (try_both(parent.network, untrained, tests).objection or "")
    assert try_both(untrained, parent.network, tests).objection is None
    assert try_both(parent.network, parent.network, tests).objection is None


def test_worse_weights_are_only_written_by_force(mnist, parent, tmp_path):
    """Steps far too long ruin what it knew."""
    collect(
        tmp_path / "library.sqlite", write_sevens(load_mnist(mnist, test=False), 5, seed=1), parent.network
    )
    # Sigmoid nodes, as those of relu would run away.
    assert run(TRAINER, "train", "--epochs", "1", "-o", "old.npz", cwd=tmp_path).returncode == 0
    ruin = (
        *("retrain", *FILES, "--from", "old.npz"),
        *("--epochs", "1", "--learning-rate", "20", "--own-share", "0.3"),
    )
    refused = run(TRAINER, *ruin, cwd=tmp_path)
    assert refused.returncode == 3, refused.stderr
    assert "worse on MNIST test images" in refused.stdout
    assert "was not written" in refused.stdout
    assert not (tmp_path / "new.npz").exists()
    forced = run(TRAINER, *ruin, "--force", cwd=tmp_path)
    assert forced.returncode == 0
    assert load_weights(tmp_path / "new.npz").card.training["objections"]


def test_without_labelled_digits_it_says_what_to_do(mnist, tmp_path):
    result = run(TRAINER, "retrain", *FILES, cwd=tmp_path)
    assert result.returncode == 1
    assert "inkling-trainer label" in result.stderr


LABELS = st.lists(st.integers(0, NO_DIGIT), max_size=60)


def make_own(labels):
    images = np.zeros((len(labels), 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(len(labels))
    return Dataset("own digits", images, np.array(labels, np.uint8))


def tell_which(dataset):
    return set(dataset.images[:, 0, 0].tolist())


@given(LABELS, st.integers(2, 9), st.integers(0, 5))
def test_of_each_label_one_in_so_many_is_held_out(labels, one_in, seed):
    learnt, held = hold_out(make_own(labels), one_in, seed)
    assert tell_which(learnt) | tell_which(held) == set(range(len(labels)))
    assert not tell_which(learnt) & tell_which(held)
    for label in range(NO_DIGIT + 1):
        count, out = labels.count(label), int((held.labels == label).sum())
        assert count // one_in <= out <= -(-count // one_in)


@given(LABELS, LABELS, st.integers(2, 9), st.integers(0, 5))
def test_what_is_held_out_stays_so_as_the_library_grows(labels, more, one_in, seed):
    learnt, held = hold_out(make_own(labels), one_in, seed)
    learnt_then, held_then = hold_out(make_own(labels + more), one_in, seed)
    assert tell_which(held) <= tell_which(held_then)
    assert tell_which(learnt) <= tell_which(learnt_then)


@given(st.integers(1, 10_000), st.integers(1, 100_000), st.floats(0.01, 0.9))
def test_own_digits_are_shown_as_often_as_makes_them_their_share(own, others, share):
    times = count_showings(own, others, share)
    assert 1 <= times <= MOST_SHOWN
    if 2 < times < MOST_SHOWN:
        assert times * own / (times * own + others) == pytest.approx(share, rel=0.3)


def test_settings_that_cannot_be_are_said(small_world, parent):
    some, own, crosses = small_world
    with pytest.raises(BadSettingError, match="one in 1"):
        hold_out(own, 1, SEED)
    recipe = make_recipe(parent.network, epochs=1, learning_rate=0.05, seed=SEED)
    with pytest.raises(BadSettingError, match="--own-share"):
        retrain(parent.network, some, own, crosses, recipe, own_share=1.0)


def test_what_is_no_digit_is_read_right_if_it_is_not_said(parent):
    blank = Dataset("blank", np.zeros((1, 28, 28), np.uint8), np.array([NO_DIGIT], np.uint8))
    assert tell_right(parent.network, blank).tolist() == [True]


@pytest.mark.parametrize("share", ["nan", "0", "1", "-inf"])
def test_a_share_that_cannot_be_is_refused_before_anything_else(tmp_path, monkeypatch, share):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        BadSettingError, match=f"--own-share must be more than 0 and less than 1, not {share}"
    ):
        main(["retrain", *FILES, f"--own-share={share}"])
    assert not list(tmp_path.iterdir())  # no library was made either
