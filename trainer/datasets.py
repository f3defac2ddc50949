"""Data sets: labelled 28x28 pictures, from MNIST's files, from the talk's CSV files, or from image files."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from shared.atomic_file import write_atomically
from shared.digit_finder import FoundDigit, NoDigit, find_digit
from shared.digit_image import IMAGE_SIZE, normalise
from shared.errors import DataError, MissingDataError
from shared.idx import TEST_IMAGES, TEST_LABELS, TRAINING_IMAGES, TRAINING_LABELS, read_digits
from shared.photograph import SUFFIXES, read_photograph

PIXELS = IMAGE_SIZE * IMAGE_SIZE

# The label of a picture of no digit at all.
NO_DIGIT = 10

# Lines of a CSV file that are parsed at once: enough to be quick, few enough to show progress.
CSV_LINES = 2000

# The book's files: its author's own digits are called 2828_my_own_3.png and so on.
_BOOK_NAME = re.compile(r".*_(\d)")

# Why there is no digit in a picture, and what to do.
_WITHOUT_DIGIT = {
    NoDigit.NOTHING: "no digit found in it: crop it closer",
    NoDigit.NOT_ONE: "more than one digit found in it: crop it to one",
    NoDigit.TOO_DARK: "too dark: take it again in more light",
    NoDigit.BLOWN_OUT: "blown out: take it again in less light",
    NoDigit.BLURRED: "blurred: take it again, in focus",
}

Progress = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled pictures.

    Attributes
    ----------
    name : for people, such as "MNIST training images"
    images : uint8 (count, 28, 28), 0 = paper, 255 = ink
    labels : uint8 (count,), 0 to 9, or `NO_DIGIT`
    """

    name: str
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def digits(self) -> int:
        """How many of the pictures are of a digit."""
        return int(np.count_nonzero(self.labels != NO_DIGIT))

    def describe(self) -> dict[str, object]:
        """Name, size and hash, for the model card."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return {"name": self.name, "images": len(self), "sha256": digest.hexdigest()}

    def join(self, other: Dataset) -> Dataset:
        """Put another data set's pictures behind these."""
        return Dataset(
            f"{self.name}, {other.name}",
            np.concatenate((self.images, other.images)),
            np.concatenate((self.labels, other.labels)),
        )

    def take(self, places: npt.NDArray[np.intp]) -> Dataset:
        """Take the pictures at some places, in that order."""
        return Dataset(self.name, self.images[places], self.labels[places])

    def split(self, held_out: int, seed: int) -> tuple[Dataset, Dataset]:
        """Part into all but `held_out` pictures, and those, chosen by the seed."""
        order = np.random.default_rng(seed).permutation(len(self))
        out = self.take(np.sort(order[:held_out]))
        return self.take(np.sort(order[held_out:])), replace(out, name=f"{self.name}, {held_out} held out")


def load_mnist(directory: Path, *, test: bool) -> Dataset:
    """Load MNIST's training or test images from its idx files.

    Raises
    ------
    MissingDataError : if MNIST was not fetched yet
    DataError : if the files are damaged
    """
    image_name, label_name, name = (
        (TEST_IMAGES, TEST_LABELS, "MNIST test images")
        if test
        else (TRAINING_IMAGES, TRAINING_LABELS, "MNIST training images")
    )
    return Dataset(name, *read_digits(directory / image_name, directory / label_name))


def load_dataset(path: Path, *, test: bool = False, progress: Progress = lambda _: None) -> Dataset:
    """Load a data set from whatever `path` is.

    Parameters
    ----------
    path : a CSV file in the talk's form (label, then 784 pixels from 0 to 255), an .npz file with a data
        set's `images` and `labels`, a folder with MNIST's idx files, a folder of pictures named like the
        book's (`..._3.png`), or one sorted into folders 0 to 9
    test : take MNIST's test images rather than its training images
    progress : is told the share that is done, 0 to 1

    Raises
    ------
    MissingDataError : if there is nothing at `path`
    DataError : naming the file, and the line of a CSV file, and what is wrong there
    """
    if not path.exists():
        raise MissingDataError(f"no data set at {path}: give a CSV file or a folder of pictures")
    if path.suffix == ".npz" and path.is_file():
        return _load_arrays(path)
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        raise DataError(f"{path}: one picture is no data set: give a folder of pictures")
    if path.is_file():
        return _load_csv(path, progress)
    if (path / TRAINING_IMAGES).exists() or (path / TEST_IMAGES).exists():
        return load_mnist(path, test=test)
    return _load_pictures(path, progress)


def save_dataset(dataset: Dataset, path: Path) -> None:
    """Write a data set to an .npz file that `load_dataset` reads."""
    file = io.BytesIO()
    np.savez_compressed(file, images=dataset.images, labels=dataset.labels)
    write_atomically(path, file.getvalue())


def _load_arrays(path: Path) -> Dataset:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
    except Exception as error:  # damaged archives raise all kinds of errors
        raise DataError(f"{path}: not a data set of this project, with images and labels in it") from error
    if (
        not isinstance(images, np.ndarray)
        or not isinstance(labels, np.ndarray)
        or images.dtype != np.uint8
        or labels.dtype != np.uint8
        or labels.ndim != 1
        or not len(labels)
        or images.shape != (len(labels), IMAGE_SIZE, IMAGE_SIZE)
        or (labels > NO_DIGIT).any()
    ):
        raise DataError(f"{path}: not uint8 images of 28x28 pixels with a label from 0 to {NO_DIGIT} each")
    return Dataset(path.name, images, labels)


def _load_csv(path: Path, progress: Progress) -> Dataset:
    size = path.stat().st_size
    parts: list[npt.NDArray[np.uint8]] = []
    first, done = 1, 0
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        while lines := list(islice(file, CSV_LINES)):
            parts.append(_parse_rows(lines, path, first))
            first += len(lines)
            done += sum(map(len, lines))
            progress(done / size)
    rows = np.concatenate(parts) if parts else np.empty((0, 1 + PIXELS), np.uint8)
    if not len(rows):
        raise DataError(f"{path}: an empty file; a line is a label and 784 pixels")
    return Dataset(path.name, rows[:, 1:].reshape(-1, IMAGE_SIZE, IMAGE_SIZE), rows[:, 0])


def _parse_rows(lines: list[str], path: Path, first: int) -> npt.NDArray[np.uint8]:
    filled = [line for line in lines if line.strip()]
    if not filled:
        return np.empty((0, 1 + PIXELS), np.uint8)
    try:
        rows = np.loadtxt(filled, delimiter=",", dtype=np.int16, comments=None, ndmin=2)
        if rows.shape[1] == 1 + PIXELS and rows.min() >= 0 and rows.max() <= 255 and rows[:, 0].max() <= 9:
            return rows.astype(np.uint8)
    except ValueError:
        pass  # which line it was is found out below
    for number, line in enumerate(lines, first):
        if line.strip() and (fault := _find_fault(line)):
            raise DataError(f"{path}, line {number}: {fault}")
    raise DataError(f"{path}, lines {first} to {first + len(lines) - 1}: not a label and 784 pixels a line")


def _find_fault(line: str) -> str | None:
    values = line.split(",")
    if len(values) != 1 + PIXELS:
        return f"{len(values)} values where {1 + PIXELS} belong (a label, then 784 pixels)"
    for position, text in enumerate(values):
        digits = text.strip()
        value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 3 else -1
        if not 0 <= value <= (255 if position else 9):
            what = f"pixel {position} must be 0 to 255" if position else "the label must be 0 to 9"
            return f"{what}, not {digits[:20]!r}"
    return None


def _load_pictures(folder: Path, progress: Progress) -> Dataset:
    labelled = [
        (path, label) for path in sorted(folder.rglob("*")) if (label := tell_label(path)) is not None
    ]
    if not labelled:
        raise DataError(
            f"{folder}: no pictures named like the book's (..._3.png) or sorted into folders 0 to 9, "
            "and no MNIST: fetch MNIST with 'inkling-trainer fetch'"
        )
    images = np.empty((len(labelled), IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    for index, (path, _) in enumerate(labelled):
        images[index] = read_picture(path).image
        progress((index + 1) / len(labelled))
    return Dataset(folder.name, images, np.array([label for _, label in labelled], np.uint8))


def tell_label(path: Path) -> int | None:
    """Tell which digit a picture shows by its name or its folder's; None if neither tells, or it is none."""
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return None
    if match := _BOOK_NAME.fullmatch(path.stem):
        return int(match[1])
    return int(path.parent.name) if re.fullmatch(r"\d", path.parent.name) else None


class Picture(NamedTuple):
    """A picture as the network sees it: uint8 (28, 28), 255 = ink, and how likely there is a digit in it."""

    image: npt.NDArray[np.uint8]
    likelihood: float


def read_picture(path: Path) -> Picture:
    """Read an image file: what the finder holds for the likeliest digit in it.

    Raises
    ------
    DataError : if no digit is found in it, with why
    BadPictureError : if it is no image that can be read
    """
    grey = read_photograph(path, Image.open)
    if grey.shape == (IMAGE_SIZE, IMAGE_SIZE):
        # Made for the network already, as the book's are: it is a digit, but the ink may be dark.
        return Picture(grey if np.median(grey) < 128 else 255 - grey, 1.0)
    found = find_digit(grey)
    if not isinstance(found, FoundDigit):
        raise DataError(f"{path}: {_WITHOUT_DIGIT[found]}, or leave it out")
    return Picture(np.rint(normalise(found.ink) * 255).astype(np.uint8), found.surroundings.likelihood)
