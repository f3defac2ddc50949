import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from shared.precision import PRECISIONS, reduce, restore

# Of a size that float16 can keep.
matrices = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=2, max_side=20), elements=st.floats(-60000, 60000, width=32)
)


@given(matrices)
def test_float32_is_kept_as_it_is(matrix):
    np.testing.assert_array_equal(restore(reduce(matrix, "float32")), matrix)


@given(matrices)
def test_float16_is_off_by_half_its_last_digit_at_most(matrix):
    difference = np.abs(restore(reduce(matrix, "float16")).astype(np.float64) - matrix)
    assert (difference <= np.maximum(np.abs(matrix) * 2.0**-11, 2.0**-25)).all()


@given(matrices)
def test_a_whole_number_is_off_by_half_a_step_of_its_own_row_at_most(matrix):
    difference = np.abs(restore(reduce(matrix, "int8")).astype(np.float64) - matrix)
    step = np.abs(matrix).max(axis=1, keepdims=True).astype(np.float64) / 127
    # Rows of next to nothing have steps that float32 itself cannot tell exactly.
    assert (difference <= step * 0.5001 + 2.0**-142).all()


def test_a_row_of_zeros_stays_one():
    matrix = np.array([[0, 0], [1, -2]], np.float32)
    np.testing.assert_allclose(restore(reduce(matrix, "int8")), matrix, atol=0.01)
    assert not restore(reduce(matrix, "int8"))[0].any()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_restored_matrix_begins_with_a_cache_line_and_is_its_own(precision):
    matrix = np.ones((3, 5), np.float32)
    restored = restore(reduce(matrix, precision))
    assert restored.ctypes.data % 64 == 0
    assert restored.dtype == np.float32
    assert restored.flags.c_contiguous
    restored += 1
    assert (matrix == 1).all()
