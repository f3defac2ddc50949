import numpy as np
import pytest

from shared.cache_line import make_zeros


@pytest.mark.parametrize("shape", [(1,), (3, 5), (16, 16, 7, 3)])
def test_zeros_begin_with_a_cache_line_and_are_their_own(shape):
    kept = [make_zeros(shape) for _ in range(5)]
    for zeros in kept:
        assert zeros.shape == shape
        assert zeros.dtype == np.float32
        assert zeros.ctypes.data % 64 == 0
        assert not zeros.any()
        zeros += 1
