"""How the finder's own network learns, and that what is exported is what was learnt."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from joblib import parallel_config

from shared.surroundings import JUDGES_SURROUNDINGS
from shared.traits import Traits
from trainer import surroundings
from trainer.surroundings import collect, learn, measure

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
    monkeypatch.setattr(surroundings, "search_in_turn", lambda frame: iter(()))
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


def test_a_trait_that_all_have_in_common_does_no_harm(views):
    few = views._replace(traits=np.where(np.arange(14) == 5, np.float32(2), views.traits))
    assert np.isfinite(measure(learn(few, epochs=1, seed=0), few)["cross-entropy"])
