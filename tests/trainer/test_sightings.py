from pathlib import Path

import matplotlib
import numpy as np
import pytest
from joblib import parallel_config

from shared.digit_finder import Box
from trainer import sightings
from trainer.datasets import NO_DIGIT
from trainer.sightings import share_box, simulate

FONT = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"


@pytest.fixture(scope="module")
def seen(drawn_digits):
    told = []
    dataset = simulate(drawn_digits, [FONT], 60, negatives=0.5, straight=0.3, seed=5, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    return dataset


def test_digits_and_what_is_no_digit_come_in_the_share_asked_for(seen):
    assert seen.images.shape == (60, 28, 28)
    assert 18 <= np.count_nonzero(seen.labels == NO_DIGIT) <= 42
    assert len(set(seen.labels.tolist())) > 5


def test_all_are_normalised(seen):
    for image in seen.images:
        rows, columns = (np.flatnonzero(image.max(axis=axis) > 10) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) in (17, 18, 19)


def test_the_same_seed_shows_the_same_and_another_one_others(drawn_digits):
    one, again, other = (
        simulate(drawn_digits, [FONT], 12, negatives=0.5, straight=0.5, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.images, again.images)
    np.testing.assert_array_equal(one.labels, again.labels)
    assert not np.array_equal(one.images, other.images)


def test_the_pictures_are_the_same_on_one_core_as_on_many(drawn_digits, monkeypatch):
    monkeypatch.setattr(sightings, "CHUNK", 5)
    many = simulate(drawn_digits, [FONT], 12, negatives=0.5, straight=0.5, seed=3)
    with parallel_config("sequential"):
        one = simulate(drawn_digits, [FONT], 12, negatives=0.5, straight=0.5, seed=3)
    np.testing.assert_array_equal(one.images, many.images)
    np.testing.assert_array_equal(one.labels, many.labels)
    assert not np.array_equal(one.images[:5], one.images[5:10])


def test_digits_alone_can_be_had(drawn_digits):
    assert (simulate(drawn_digits, [FONT], 10, negatives=0, straight=0, seed=1).labels < 10).all()


@pytest.mark.parametrize(
    ("other", "share"),
    [
        (Box(0, 0, 10, 10), 1.0),
        (Box(5, 0, 10, 10), 50 / 150),
        (Box(20, 0, 10, 10), 0.0),
        (Box(10, 10, 10, 10), 0.0),
        (Box(2, 2, 5, 5), 0.25),
    ],
)
def test_boxes_share_what_they_both_cover(other, share):
    assert share_box(Box(0, 0, 10, 10), other) == pytest.approx(share)
    assert share_box(other, Box(0, 0, 10, 10)) == pytest.approx(share)
