"""How the finder's own network learns, and that what is exported is what was learnt."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from joblib import parallel_config

from shared.surroundings import JUDGES_SURROUNDINGS
from shared.traits import Traits
from trainer import surroundings
from trainer.surroundings import Views, collect, learn, measure

FONT = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"


def collect_alone(digits, frames):
    with parallel_config("sequential"):
        return collect(digits, [FONT], frames, seed=4)


@pytest.fixture(scope="module")
def views(drawn_digits):
    told = []
    views = collect(drawn_digits, [FONT], 700, seed=2, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    return views


def test_both_digits_and_what_is_none_are_collected(views):
    assert views.pictures.shape == (len(views.digits), 3, 24, 24)
    assert views.traits.shape == (len(views.digits), len(Traits._fields))
    assert 0.2 < views.digits.mean() < 0.8
    assert len(views.digits) > 250


def test_frames_are_the_same_on_one_core_as_on_many(drawn_digits, monkeypatch):
    monkeypatch.setattr(surroundings, "CHUNK", 20)
    many = collect(drawn_digits, [FONT], 60, seed=4)
    one = collect_alone(drawn_digits, 60)
    for part, same in zip(one, many, strict=True):
        np.testing.assert_array_equal(part, same)


def test_frames_in_which_nothing_is_found_add_nothing(drawn_digits, monkeypatch):
    monkeypatch.setattr(surroundings, "search_in_turn", lambda *_, **__: iter(()))
    assert [len(part) for part in collect_alone(drawn_digits, 3)] == [0, 0, 0]


def test_what_is_learnt_tells_digits_that_it_never_saw(views):
    half = len(views.digits) // 2
    seen, unseen = views.take(slice(half)), views.take(slice(half, None))
    told = []
    network = learn(seen, epochs=8, seed=0, progress=told.append)
    assert told[-1] == 1.0
    blind = max(unseen.digits.mean(), 1 - unseen.digits.mean())
    assert measure(network, unseen)["right"] > blind + 0.08


def test_the_network_takes_traits_as_they_are_and_the_seed_makes_it(views):
    few = views.take(slice(80))
    network, again, other = (learn(few, epochs=1, seed=seed) for seed in (0, 0, 1))
    assert network.layers == (JUDGES_SURROUNDINGS.inputs, surroundings.HIDDEN, JUDGES_SURROUNDINGS.outputs)
    inputs = np.hstack((few.pictures.reshape(80, -1) / 255, few.traits))
    np.testing.assert_allclose(network.query(inputs), again.query(inputs))
    assert not np.allclose(network.query(inputs), other.query(inputs))


def tell_from_traits(random, move, widen):
    """Views of which traits alone tell what they are, moved and widened."""
    traits = random.normal(0, 1, (400, 14)).astype(np.float32)
    blank = np.zeros((400, 3, 24, 24), np.uint8)
    return Views(blank, traits * np.float32(widen) + np.float32(move), traits[:, 3] + traits[:, 7] > 0)


@pytest.mark.parametrize(("move", "widen"), [(0, 1), (5, 0.1), (-20, 8)])
def test_traits_are_learnt_from_wherever_their_middle_is_and_however_they_differ(move, widen):
    random = np.random.default_rng(1)
    seen, unseen = (tell_from_traits(random, move, widen) for _ in range(2))
    assert measure(learn(seen, epochs=40, seed=0), unseen)["right"] > 0.75


def test_pictures_are_learnt_as_they_are_and_in_a_mirror():
    random = np.random.default_rng(1)
    digits = random.random(300) < 0.5
    pictures = np.zeros((300, 3, 24, 24), np.uint8)
    # All to the upper left, of a channel that tells: only mirrors show other corners.
    pictures[digits, 1, 2:6, 2:6] = 255
    pictures[~digits, 0, 2:6, 2:6] = 255
    views = Views(pictures, np.zeros((300, 14), np.float32), digits)
    network = learn(views, epochs=20, seed=0)
    for down, across in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
        assert measure(network, views._replace(pictures=pictures[:, :, ::down, ::across]))["right"] == 1.0


def test_a_trait_that_all_have_in_common_does_no_harm(views):
    few = views._replace(traits=np.where(np.arange(14) == 5, np.float32(2), views.traits))
    assert np.isfinite(measure(learn(few, epochs=1, seed=0), few)["cross-entropy"])
