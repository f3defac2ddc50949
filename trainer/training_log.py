"""The training log: a CSV file with a line for each epoch, for spreadsheets and plots."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from trainer.errors import BadSettingError
from trainer.side_file import SideFile
from trainer.training import Moment

COLUMNS = ("epoch", "steps", "learning_rate", "loss", "held_out_accuracy", "cpu_seconds")


class TrainingLog:
    """Writes a line after each epoch, at once, so that the file can be watched.

    Parameters
    ----------
    path : the file, written anew
    resume : keep the lines of the epochs before the one that training goes on with
    warn : is told, once, that lines cannot be written; they are kept until they can

    Raises
    ------
    BadSettingError : if the file is to be gone on with, and is no training log
    """

    def __init__(
        self, path: Path, *, resume: bool = False, warn: Callable[[str], None] = lambda _: None
    ) -> None:
        self._path = path
        self._kept = _read(path) if resume and path.exists() else []
        self._is_begun = False
        self._file: BinaryIO | None = None
        self._left = b""
        self._side_file = SideFile(path, warn)

    def report(self, moment: Moment) -> None:
        """Take notice of how training goes; see `trainer.training.train`."""
        if not self._is_begun:
            self._is_begun = True
            self._begin(moment.epoch)
        if moment.ends_epoch:
            accuracy = "" if moment.epoch_accuracy is None else f"{moment.epoch_accuracy:.6f}"
            self._write(
                moment.epoch,
                moment.steps,
                f"{moment.learning_rate:.6g}",
                f"{moment.loss:.6f}",
                accuracy,
                f"{moment.cpu_seconds:.2f}",
            )

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            with self._side_file.attempt():
                self._file.close()

    def _begin(self, epoch: int) -> None:
        self._write(*COLUMNS)
        for row in self._kept:
            # What was logged after the checkpoint is done again.
            if int(row[0]) < epoch:
                self._write(*row)

    def _write(self, *values: object) -> None:
        self._left += f"{','.join(map(str, values))}\n".encode()
        with self._side_file.attempt():
            if self._file is None:
                # Without a buffer it is known what a full disk took, and the rest is written later.
                self._file = self._path.open("wb", buffering=0)
            while self._left:
                self._left = self._left[self._file.write(self._left) :]


def is_training_log(path: Path) -> bool:
    """Tell whether a file is a training log, and not something else that would be missed."""
    try:
        _read(path)
    except BadSettingError:
        return False
    return True


def _read(path: Path) -> list[list[str]]:
    """Read the lines below the columns' names."""
    text = path.read_text(encoding="utf-8", errors="replace")
    # A power cut may have left the last line unfinished.
    names, *rows = [line.split(",") for line in text.split("\n")[:-1]] or [[]]
    if text and (
        tuple(names) != COLUMNS
        or not all(len(row) == len(COLUMNS) and re.fullmatch("[0-9]{1,9}", row[0]) for row in rows)
    ):
        raise BadSettingError(
            f"{path} is no training log that could be gone on with: name another with --log"
        )
    return rows
