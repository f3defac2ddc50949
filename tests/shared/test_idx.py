import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import DataError, MissingDataError
from shared.idx import read_idx
from tests.idx_files import make_idx, write_idx


def test_images_and_labels_are_read(tmp_path):
    images = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    write_idx(tmp_path / "images", images)
    write_idx(tmp_path / "labels", images[:, 0, 0])
    np.testing.assert_array_equal(read_idx(tmp_path / "images"), images)
    np.testing.assert_array_equal(read_idx(tmp_path / "labels"), [0, 12])


def test_a_missing_file_says_how_to_fetch_it(tmp_path):
    with pytest.raises(MissingDataError, match="inkling-trainer fetch"):
        read_idx(tmp_path / "none")


@given(content=st.binary(max_size=40))
def test_any_other_file_is_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "other"
    path.write_bytes(content)
    if content[:3] == b"\0\0\x08":
        return
    with pytest.raises(DataError):
        read_idx(path)


@pytest.mark.parametrize("change", [-1, 1])
def test_a_file_of_the_wrong_length_is_refused(tmp_path, change):
    content = make_idx(np.zeros((2, 3, 4), np.uint8))
    (tmp_path / "file").write_bytes(content[:change] if change < 0 else content + b"x")
    with pytest.raises(DataError, match=r"bytes where \(2, 3, 4\) was promised"):
        read_idx(tmp_path / "file")
