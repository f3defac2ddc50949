import numpy as np
import pytest

from trainer.memory import make_zeros


@pytest.mark.parametrize("shape", [(1,), (3, 5), (16, 16, 7, 3)])
def test_zeros_begin_where_a_cache_line_does(shape):
    kept = [make_zeros(shape) for _ in range(5)]
    for zeros in kept:
        assert zeros.shape == shape
        assert zeros.dtype == np.float32
        assert zeros.ctypes.data % 64 == 0
        assert not zeros.any()
        zeros += 1
