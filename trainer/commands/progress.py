"""How commands show what they are doing: on standard error, and only to people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from trainer.datasets import Progress as ReportShare
from trainer.training import Moment

messages = Console(stderr=True, highlight=False, markup=False)


@contextmanager
def show_share(text: str, *, keep: bool = False) -> Iterator[ReportShare]:
    """Show a progress bar for work that reports the share done; and keep it there, if it took long."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=messages, transient=not keep, disable=not messages.is_terminal) as bar:
        task = bar.add_task(text, total=1.0)
        yield lambda share: bar.update(task, completed=share)


@contextmanager
def show_training() -> Iterator[Callable[[Moment], None]]:
    """Show how training goes: the epoch, the loss, the accuracy and the time left."""
    columns = (
        TextColumn("epoch {task.fields[epoch]}"),
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
                    "training", completed=moment.done, epoch=1, loss=float("nan"), accuracy=""
                )
            accuracy = "" if moment.accuracy is None else f"held out {moment.accuracy:.2%}"
            bar.update(
                task,
                completed=moment.done,
                total=moment.total,
                epoch=moment.epoch,
                loss=moment.loss,
                accuracy=accuracy,
            )

        yield report
