import numpy as np
import pytest

from trainer.selection import Selection

TARGETS = np.zeros((1000, 10), np.float32)


def read(selection, badly):
    """Tell a selection that the first so many pictures were read badly, and all others well."""
    outputs = np.zeros_like(TARGETS)
    outputs[:badly] = 0.5
    selection.note(np.arange(len(outputs)), outputs, TARGETS)


def test_without_skipping_each_epoch_learns_from_all():
    selection = Selection(1000, skipping=0.0)
    read(selection, badly=100)
    assert sorted(selection.draw(np.random.default_rng(0))) == list(range(1000))


def test_at_first_all_are_learnt_from():
    selection = Selection(1000, skipping=0.9)
    order = selection.draw(np.random.default_rng(0))
    assert sorted(order) == list(range(1000))
    assert list(order) != list(range(1000))


@pytest.mark.parametrize("skipping", [0.3, 0.7])
def test_as_many_of_the_well_read_are_left_out_as_asked(skipping):
    selection = Selection(1000, skipping)
    read(selection, badly=100)
    chosen = np.stack(
        [np.bincount(selection.draw(np.random.default_rng(s)), minlength=1000) for s in range(50)]
    )
    assert (chosen[:, :100] == 1).all()
    assert chosen.max() == 1
    assert chosen[:, 100:].mean() == pytest.approx(1 - skipping, abs=0.02)
    # Each time others: none is forgotten.
    assert chosen.any(axis=0).all()


def test_where_all_are_read_alike_none_is_left_out():
    selection = Selection(1000, skipping=0.9)
    read(selection, badly=1000)
    assert len(selection.draw(np.random.default_rng(0))) == 1000


def test_what_is_no_longer_read_well_is_learnt_from_again():
    selection = Selection(1000, skipping=0.999)
    read(selection, badly=1)
    assert len(selection.draw(np.random.default_rng(0))) < 20
    selection.note(np.array([7, 8]), np.ones((2, 10), np.float32), TARGETS[:2])
    assert {7, 8} <= set(selection.draw(np.random.default_rng(1)).tolist())
