"""Photographs as own digits: found, normalised and read as the Pi would, and put into the library."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from shared.digit_image import to_inputs
from shared.errors import BadPictureError, DataError, MissingDataError
from shared.photograph import SUFFIXES
from shared.reading import tell_confidence, weigh
from shared.weights import TrainedNetwork
from trainer.datasets import Picture, read_picture, tell_label
from trainer.library import Library
from trainer.own_digits import Sight

# What the library calls who saw a photograph; no device can be called so.
PHOTOGRAPHS = "(photographs)"


@dataclass(frozen=True)
class Unread:
    """A photograph that could not be read, and why."""

    path: Path
    why: str


def add_photographs(
    library: Library,
    folder: Path,
    trained: TrainedNetwork,
    progress: Callable[[float], None] = lambda _: None,
) -> Iterator[tuple[bool, int | None] | Unread]:
    """Add a folder's photographs, and those of its folders, to the library.

    Yields
    ------
    for each, whether it is new in the library, and its label, if its name or its folder's tells; or why it
    could not be read

    Raises
    ------
    MissingDataError : if there are no pictures
    LibraryError : if they cannot be kept
    """
    if not folder.is_dir():
        raise MissingDataError(f"{folder} is no folder: name one with photographs in it")
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]
    if not paths:
        raise MissingDataError(f"{folder}: no pictures in it ({', '.join(sorted(SUFFIXES))})")
    for done, path in enumerate(paths, 1):
        try:
            picture = read_picture(path)
            content = path.read_bytes()
        except (DataError, BadPictureError, OSError) as error:
            yield Unread(path, str(error))
        else:
            sight = _see(path, content, picture, trained)
            is_new = bool(library.add([sight]))
            label, number = tell_label(path), library.find(sight.id, PHOTOGRAPHS)
            # What a person has said of it since counts for more than its name.
            if label is not None and number is not None and library.take(number).label is None:
                library.label([(number, label)], "name")
            yield is_new, label
        progress(done / len(paths))


def _see(path: Path, content: bytes, picture: Picture, trained: TrainedNetwork) -> Sight:
    outputs = trained.network.query(to_inputs(picture.image * np.float32(1 / 255)))
    return Sight(
        PHOTOGRAPHS,
        hashlib.sha256(content).hexdigest()[:16],
        datetime.fromtimestamp(path.stat().st_mtime, UTC),
        picture.image,
        int(outputs.argmax()),
        weigh(tell_confidence(outputs), picture.likelihood),
        tuple(round(float(output), 6) for output in outputs),
        trained.name,
    )
