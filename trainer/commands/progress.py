"""How commands show what they are doing: on standard error, and only to people."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from shared.command_line import discard_output
from trainer.datasets import Progress as ReportShare
from trainer.training import Moment


class _Lossy:
    """A stream that ends nothing where it cannot be written, as on a full disk: messages are lost then."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            discard_output(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            discard_output(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Messages(Console):
    @property  # type: ignore[misc]  # nobody sets it
    def file(self) -> IO[str]:
        return cast("IO[str]", _Lossy(super().file))


messages = _Messages(stderr=True, highlight=False, markup=False)


# A program is told of progress no more often.
TELL_EVERY_S = 0.2

# A bar's whole, which rich counts in whole numbers.
PARTS = 10**6


@contextmanager
def show_share(text: str, *, keep: bool = False, as_json: bool = False) -> Iterator[ReportShare]:
    """Show a progress bar for work that reports the share done; and keep it there, if it took long."""
    if as_json:
        tell = _tell_programs(text)
        yield lambda share: tell(share, {})
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=messages, transient=not keep, disable=not messages.is_terminal) as bar:
        task = bar.add_task(text, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def _tell_programs(text: str) -> Callable[[float, dict[str, object]], None]:
    """Print progress for programs: a JSON object a line, with what is done now and which share of it."""
    next_time = 0.0

    def tell(share: float, more: dict[str, object]) -> None:
        nonlocal next_time
        if time.monotonic() >= next_time or share >= 1:
            next_time = time.monotonic() + TELL_EVERY_S
            print(json.dumps({"doing": text, "share": share, **more}), file=messages.file, flush=True)

    return tell


@contextmanager
def show_training(whose: str = "", *, as_json: bool = False) -> Iterator[Callable[[Moment], None]]:
    """Show how training goes: the epoch, and whose it is, the loss, the accuracy and the time left."""
    if as_json:
        tell = _tell_programs("training")
        yield lambda moment: tell(moment.share, {"epoch": moment.epoch, "loss": moment.loss})
        return
    columns = (
        TextColumn(f"{whose}epoch {{task.fields[epoch]}}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("loss {task.fields[loss]:.3f}  {task.fields[accuracy]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=messages) as bar:
        task: TaskID | None = None

        def report(moment: Moment) -> None:
            nonlocal task
            if task is None:
                # Begun where a checkpoint was, lest the time left be told from what was not done now.
                task = bar.add_task(
                    "training",
                    completed=round(moment.share * PARTS),
                    total=PARTS,
                    epoch=1,
                    loss=float("nan"),
                    accuracy="",
                )
            accuracy = "" if moment.accuracy is None else f"held out {moment.accuracy:.2%}"
            bar.update(
                task,
                completed=round(moment.share * PARTS),
                epoch=moment.epoch,
                loss=moment.loss,
                accuracy=accuracy,
            )

        yield report
