import os
import time

import pytest

from shared.atomic_file import check_writable, write_atomically


def test_it_replaces_a_file_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_it_as_they_may_any_file(tmp_path):
    (tmp_path / "plain").touch()
    write_atomically(tmp_path / "file", b"")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_what_is_no_plain_file_is_left_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match="not a plain file"):
        write_atomically(tmp_path / "pipe", b"new")
    assert (tmp_path / "pipe").is_fifo()


def test_a_name_may_be_as_long_as_the_system_lets_it(tmp_path):
    path = tmp_path / ("\u00e9" * 127)  # 254 bytes
    check_writable(path)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["x" * 300, "file/below", "missing/file", "pipe", "folder", "/proc/none"])
def test_what_cannot_be_written_is_found_before(tmp_path, name):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    for attempt in (check_writable, lambda path: write_atomically(path, b"new")):
        with pytest.raises(OSError) as caught:  # noqa: PT011
            attempt(tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before


def test_trying_leaves_everything_as_it_was(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    check_writable(tmp_path / "file")
    check_writable(tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["file", "w[1]*.npz", "x" * 200])
def test_what_a_killed_process_left_is_removed_once_it_is_old(tmp_path, name):
    path, start = tmp_path / name, f".{name[:40]}."
    old, young = tmp_path / f"{start}0123abcd.tmp", tmp_path / f"{start}4567abcd.tmp"
    others = [tmp_path / other for other in (".other.0123abcd.tmp", f"{start}mine.tmp", f"{start}0123abcd")]
    for there in (old, young, *others):
        there.touch()
        if there is not young:
            os.utime(there, (time.time() - 4000,) * 2)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert set(tmp_path.iterdir()) == {path, young, *others}
