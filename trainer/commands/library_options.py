"""Options of commands that use the library of own digits."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.commands.options import add_data_directory

if TYPE_CHECKING:
    from trainer.library import Library


def add_library(parser: argparse.ArgumentParser) -> None:
    """Add `--library` and `--data-dir`."""
    parser.add_argument(
        "--library",
        type=Path,
        metavar="FILE",
        help="where own digits are kept (default: library.sqlite beside MNIST)",
    )
    add_data_directory(parser)


def open_library(options: argparse.Namespace) -> Library:
    """Open the library that the options name; it is made if it is missing."""
    from trainer.library import Library, find_library

    return Library(find_library(options.library, options.data_dir))
