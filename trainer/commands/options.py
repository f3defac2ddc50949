"""What several commands have in common: their options, where data come from, where files may go."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from shared.atomic_file import check_writable
from shared.weights import TrainedNetwork
from trainer.commands.progress import show_share
from trainer.datasets import Dataset, load_dataset, load_mnist
from trainer.errors import BadSettingError
from trainer.mnist import find_data_directory

# What `ArgumentParser.add_subparsers` gives.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

# A file, and what a message calls it; None is one that was not asked for.
Named: TypeAlias = tuple[str, Path | None]

PICTURE_FORMATS = (".png", ".svg", ".pdf")


def add_data_directory(parser: argparse.ArgumentParser) -> None:
    """Add `--data-dir`."""
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="where MNIST is kept (default: $INKLING_DATA, or the user's data directory)",
    )


def add_data(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Add `--data`, told what for, and `--data-dir`."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help=f"{purpose}: a CSV file as in the talk (label, 784 pixels), a folder of pictures named "
        "..._3.png or sorted into folders 0 to 9, or what 'simulate' made",
    )
    add_data_directory(parser)


def add_weights(parser: argparse.ArgumentParser) -> None:
    """Add the weights file to look at."""
    parser.add_argument(
        "weights",
        type=Path,
        nargs="?",
        metavar="WEIGHTS",
        help="a weights file (default: the weights that ship with Inkling)",
    )


def name_weights(path: Path | None, trained: TrainedNetwork) -> str:
    """What a picture's title calls a network: its file, and the start of its hash."""
    return f"{'the default weights' if path is None else path.name} ({trained.name})"


def load_data(path: Path | None, options: argparse.Namespace, *, test: bool) -> Dataset:
    """Load the data set that an option names, or MNIST where it names none."""
    if path is None:
        return load_mnist(find_data_directory(options.data_dir), test=test)
    with show_share(f"reading {path.name}") as progress:
        return load_dataset(path, test=test, progress=progress)


def check_output(path: Path) -> None:
    """Refuse a file that could not be written, before the work and not after it."""
    try:
        folder = path.resolve().parent
        if path.is_dir():
            raise BadSettingError(f"{path} is a folder: name a file to write to")
        if not folder.is_dir():
            raise BadSettingError(f"no folder {folder} to write {path.name} to: make it first")
        check_writable(path)
    except (OSError, RuntimeError) as error:  # of links that lead in a circle Python 3.11 makes the latter
        why = error.strerror if isinstance(error, OSError) else "its link leads in a circle"
        raise BadSettingError(f"{path} cannot be written ({why}): name another file") from error


def check_picture(option: str, path: Path) -> None:
    """Refuse a picture that could not be written, or is of no kind that is drawn."""
    check_output(path)
    if path.suffix.lower() not in PICTURE_FORMATS:
        raise BadSettingError(f"{option} {path} must end in {', '.join(PICTURE_FORMATS)}")


def check_kept_apart(outputs: Iterable[Named], inputs: Iterable[Named] = ()) -> None:
    """Refuse a file to write that is also one to read, or another one to write, by whatever name."""
    others = [(name, path) for name, path in inputs if path is not None]
    for name, path in outputs:
        if path is None:
            continue
        for other, taken in others:
            if _is_same(path, taken):
                raise BadSettingError(f"{name} {path} is {other}, too: name another file")
        others.append((name, path))


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there yet
        return os.path.realpath(one) == os.path.realpath(other)
