"""The training log: a CSV file with a line for each epoch, for spreadsheets and plots."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TextIO

from trainer.training import Moment

COLUMNS = ("epoch", "steps", "learning_rate", "loss", "held_out_accuracy", "cpu_seconds")


class TrainingLog:
    """Writes a line after each epoch, at once, so that the file can be watched.

    Parameters
    ----------
    path : the file, written anew
    resume : keep the lines of the epochs before the one that training goes on with
    """

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        self._path = path
        self._kept = _read(path) if resume and path.exists() else []
        self._file: TextIO | None = None

    def report(self, moment: Moment) -> None:
        """Take notice of how training goes; see `trainer.training.train`."""
        if self._file is None:
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
            self._file.close()

    def _begin(self, epoch: int) -> None:
        # What was logged after the checkpoint is done again.
        kept = [row for row in self._kept if row.get("epoch", "").isdigit() and int(row["epoch"]) < epoch]
        self._file = self._path.open("w", newline="", encoding="utf-8")
        self._write(*COLUMNS)
        for row in kept:
            self._write(*(row.get(column, "") for column in COLUMNS))

    def _write(self, *values: object) -> None:
        assert self._file is not None
        csv.writer(self._file, lineterminator="\n").writerow(values)
        self._file.flush()


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
