"""Trials: the runs of an experiment, side by side on the cores or machines there are, and kept when done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from shared import __version__
from shared.atomic_file import write_atomically
from shared.errors import DataError
from trainer.datasets import Dataset, Progress
from trainer.errors import BadSettingError
from trainer.experiments import Bytes, Trial, run_trial

# How long a cluster may take to answer, in seconds.
PATIENCE_S = 10


@dataclass(frozen=True)
class Row:
    """A line of an experiment's table: what came of one value.

    Attributes
    ----------
    value : what was tried
    accuracies : of each seed, 0 to 1, in their order; those whose weights ran away are left out
    seeds : how many were tried
    """

    value: float
    accuracies: tuple[float, ...]
    seeds: int

    @property
    def mean(self) -> float:
        """Mean accuracy; NaN if the weights always ran away."""
        return float(np.mean(self.accuracies)) if self.accuracies else float("nan")

    @property
    def spread(self) -> float:
        """Standard deviation between seeds; NaN if there are fewer than two."""
        return float(np.std(self.accuracies, ddof=1)) if len(self.accuracies) > 1 else float("nan")


class FinishedTrials:
    """Trials that are done, kept in a small file, so that an experiment can go on where it ended.

    Parameters
    ----------
    path : the file, JSON; it need not be there yet
    learnt, tests : the data, since other data give other results

    Raises
    ------
    DataError : if the file is damaged
    """

    def __init__(self, path: Path, learnt: Dataset, tests: Dataset) -> None:
        self._path = path
        self._origin = [__version__, learnt.describe()["sha256"], tests.describe()["sha256"]]
        self._results: dict[str, list[float | None]] = {}
        if not path.exists():
            return
        try:
            content = json.loads(path.read_bytes())
            self._results = {key: [_read_share(share) for share in shares] for key, shares in content.items()}
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(
                f"{path}: not the finished runs of an experiment: delete it to begin anew"
            ) from error

    def find(self, trial: Trial) -> list[float] | None:
        """What came of a trial, or None if it is still to be run."""
        shares = self._results.get(self._name(trial))
        if shares is None or len(shares) != len(trial.values):
            return None
        return [float("nan") if share is None else share for share in shares]

    def add(self, trial: Trial, accuracies: Sequence[float]) -> None:
        """Keep what came of a trial."""
        self._results[self._name(trial)] = [None if np.isnan(share) else share for share in accuracies]
        write_atomically(self._path, (json.dumps(self._results, indent=1) + "\n").encode())

    def _name(self, trial: Trial) -> str:
        return json.dumps([*self._origin, asdict(trial)], sort_keys=True)


def _read_share(share: object) -> float | None:
    if share is None:
        return None
    if not isinstance(share, float | int) or not 0 <= share <= 1:
        raise ValueError(share)
    return float(share)


def run_trials(
    trials: Sequence[Trial],
    finished: FinishedTrials,
    learnt: Dataset,
    tests: Dataset,
    *,
    jobs: int = -1,
    scheduler: str | None = None,
    progress: Progress = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Run all trials that are not finished yet.

    Parameters
    ----------
    jobs : how many run side by side; -1 as many as there are cores. On a cluster its workers decide
    scheduler : the address of a Dask cluster's scheduler, such as tcp://10.0.0.5:8786
    stop : is asked after every trial whether to end here

    Returns
    -------
    whether all are finished

    Raises
    ------
    BadSettingError : if there is no cluster at that address, or no Dask
    """
    from joblib import Parallel, delayed

    todo = [trial for trial in trials if finished.find(trial) is None]
    progress(1 - len(todo) / len(trials))
    if not todo:
        return True
    # Plain arrays: joblib maps them into its workers' memory, Dask sends them to each worker once.
    arrays = (learnt.images, learnt.labels, tests.images, tests.labels)
    try:
        with _choose_workers(scheduler):
            results = Parallel(jobs, return_as="generator_unordered")(
                delayed(_run)(trial, *arrays) for trial in todo
            )
            for done, (trial, accuracies) in enumerate(results, 1):
                finished.add(trial, accuracies)
                progress(1 - (len(todo) - done) / len(trials))
                if stop() and done < len(todo):
                    results.close()
                    return False
    except KeyboardInterrupt:  # a terminal's Ctrl-C reaches joblib's workers, too, and comes back from them
        return False
    return True


def _run(
    trial: Trial, images: Bytes, labels: Bytes, test_images: Bytes, test_labels: Bytes
) -> tuple[Trial, list[float]]:
    return trial, run_trial(trial, (images, labels), (test_images, test_labels))


@contextmanager
def _choose_workers(scheduler: str | None) -> Iterator[None]:
    if scheduler is None:
        yield
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise BadSettingError(
            "Dask is not installed here: pip install 'inkling-pi[cluster]' on all its machines"
        ) from error
    from joblib import parallel_config

    try:
        client = Client(scheduler, timeout=PATIENCE_S)
    except (OSError, ValueError) as error:
        raise BadSettingError(
            f"no Dask scheduler at {scheduler}: start one with 'dask scheduler', and workers with "
            "'dask worker ADDRESS'"
        ) from error
    with client, parallel_config("dask", wait_for_workers_timeout=PATIENCE_S):
        yield


def tabulate(trials: Sequence[Trial], finished: FinishedTrials) -> list[Row]:
    """Put what came of the trials together, a row a value, in the values' order."""
    found: dict[float, list[float]] = {}
    for trial in trials:
        for value, accuracy in zip(trial.values, finished.find(trial) or (), strict=True):
            found.setdefault(value, []).append(accuracy)
    return [
        Row(value, tuple(one for one in accuracies if not np.isnan(one)), len(accuracies))
        for value, accuracies in found.items()
    ]
