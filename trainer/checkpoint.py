"""Checkpoints: where a training stands after an epoch, on the disk, to go on from after a power cut."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.atomic_file import write_atomically
from shared.errors import InklingError
from shared.records import read_record
from trainer.errors import BadCheckpointError, MissingCheckpointError
from trainer.side_file import SideFile

Arrays = Sequence[npt.NDArray[Any]]

# Changes with what a checkpoint keeps, and with the settings that there are.
FORMAT = 3


@dataclass
class Standing:
    """Where a training stands at the end of an epoch.

    Random numbers need no place here: each epoch draws its own, told by the seed and the epoch.

    Attributes
    ----------
    epoch : epochs done
    steps : batches learnt from
    accuracy : the best on the held-out pictures so far; None without any
    since_best : epochs since then
    cpu_seconds : what it cost so far
    """

    epoch: int = 0
    steps: int = 0
    accuracy: float | None = None
    since_best: int = 0
    cpu_seconds: float = 0.0


class Checkpoint:
    """A file that keeps where a training stands.

    Parameters
    ----------
    path : written whole or not at all, every time anew
    options : what the command was told, as JSON has it, for `read_options`
    every_s : seconds of a clock between two of them, at least
    warn : is told, once, that it cannot be written
    """

    def __init__(
        self,
        path: Path,
        options: dict[str, Any] | None = None,
        every_s: float = 10.0,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.path = path
        self._options = options or {}
        self._every_s = every_s
        self._side_file = SideFile(path, warn)
        self._written: float | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is one of this training, and not of another."""
        return self._written is not None

    def is_due(self) -> bool:
        """Whether there is none yet, or the last one is old enough for another."""
        return self._written is None or time.monotonic() - self._written >= self._every_s

    def save(self, standing: Standing, arrays: Arrays, purpose: dict[str, Any]) -> None:
        """Write where training stands; where that fails the one before stays, until another is due.

        Parameters
        ----------
        arrays : all that changes as it learns: weights, the optimiser's memory, averages, the best so far
        purpose : what makes this training another than others; `load` compares it
        """
        about = {
            "format": FORMAT,
            "standing": asdict(standing),
            "purpose": purpose,
            "options": self._options,
        }
        file = io.BytesIO()
        members: dict[str, Any] = {f"array_{index}": array for index, array in enumerate(arrays)}
        np.savez(file, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **members)
        with self._side_file.attempt():
            write_atomically(self.path, file.getvalue())
        self._written = time.monotonic()

    def load(self, arrays: Arrays, purpose: dict[str, Any]) -> Standing:
        """Read where training stood; the arrays' content is put into `arrays`.

        Raises
        ------
        MissingCheckpointError, BadCheckpointError : saying what to do
        """
        about, kept = _read(self.path)
        changed = [key for key, value in purpose.items() if about["purpose"].get(key) != value]
        kinds = [[(array.shape, array.dtype) for array in some] for some in (kept, arrays)]
        if changed or kinds[0] != kinds[1]:
            raise BadCheckpointError(
                f"{self.path} is of another training: {', '.join(changed) or 'the network'} is not the same; "
                "train as it was begun, or without --resume"
            )
        for array, content in zip(arrays, kept, strict=True):
            np.copyto(array, content)
        self._written = time.monotonic()
        return read_record(Standing, about["standing"])

    def remove(self) -> None:
        """Remove the file: the training is done."""
        self.path.unlink(missing_ok=True)


def read_options(path: Path) -> dict[str, Any]:
    """Read what the command was told that a checkpoint is of; errors are those of `Checkpoint.load`."""
    options: dict[str, Any] = _read(path)[0]["options"]
    return options


def _read(path: Path) -> tuple[dict[str, Any], list[npt.NDArray[Any]]]:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            arrays = [file[f"array_{index}"] for index in range(len(file.files) - 1)]
        read_record(Standing, about["standing"])
        if not isinstance(about["purpose"], dict) or not isinstance(about["options"], dict):
            raise BadCheckpointError("no tables")
        if about["format"] != FORMAT:
            raise BadCheckpointError("another format")
    except FileNotFoundError as error:
        raise MissingCheckpointError(
            f"no checkpoint at {path}: that training was finished, or ended before its first checkpoint; "
            "train without --resume"
        ) from error
    except Exception as error:  # damaged archives raise all kinds of errors
        if isinstance(error, OSError) and not isinstance(error, InklingError):
            raise
        raise BadCheckpointError(
            f"{path} is no checkpoint of this version: train without --resume"
        ) from error
    return about, arrays
