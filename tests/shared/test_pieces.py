import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from shared import pieces
from shared.pieces import EIGHT_NEIGHBOURS, label_pieces

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=30))


@given(masks, st.sampled_from([np.bool_, np.uint8]))
def test_pieces_are_those_of_ndimage(mask, dtype):
    labels, count = label_pieces(mask.astype(dtype))
    expected, expected_count = ndimage.label(mask, EIGHT_NEIGHBOURS)
    assert count == expected_count
    assert np.array_equal(labels, expected)
    assert labels.dtype == np.intp


def test_a_part_of_a_mask_is_labelled_where_it_lies():
    mask = np.zeros((20, 20), bool)
    mask[2:4, 2:4] = mask[10:12, 2:4] = True
    labels, count = label_pieces(mask[8:, ::2])
    assert count == 1
    assert labels[2:4, 1].tolist() == [1, 1]


@pytest.fixture
def other_scipy(monkeypatch):
    """A scipy that does the work elsewhere."""

    def refuse():
        raise ImportError("not here")

    monkeypatch.setattr(pieces, "_load_labeller", refuse)
    pieces._choose_labeller.cache_clear()
    yield
    pieces._choose_labeller.cache_clear()


def test_should_scipy_have_it_elsewhere_its_public_function_is_taken(other_scipy):
    labels, count = label_pieces(np.array([[1, 0, 1], [0, 0, 1]], bool))
    assert count == 2
    assert labels.tolist() == [[1, 0, 2], [0, 0, 2]]


def test_this_scipy_has_it_where_it_is_looked_for():
    assert pieces._choose_labeller() is not pieces._label_by_ndimage
