"""Experiments: what becomes of the accuracy when one thing changes, the talk's questions and some more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from shared.digit_image import to_inputs
from shared.feedforward import FeedForward, FloatArray
from trainer.datasets import NO_DIGIT, Dataset
from trainer.errors import BadSettingError
from trainer.evaluation import BATCH
from trainer.settings import Settings
from trainer.training import train

Bytes: TypeAlias = npt.NDArray[np.uint8]

# What a trained network is put through: from inputs and a value to outputs.
Disturb: TypeAlias = Callable[[FeedForward, FloatArray, float, np.random.Generator], FloatArray]


@dataclass(frozen=True)
class Trial:
    """One network that is trained for an experiment, and what it is then put through.

    Attributes
    ----------
    experiment : its name
    values : what the experiment is tried with; more than one where the network stays the same
    settings : how the network is trained
    pictures : how many pictures it learns from
    """

    experiment: str
    values: tuple[float, ...]
    settings: Settings
    pictures: int


@dataclass(frozen=True)
class Experiment:
    """One thing that changes, and what stays.

    Attributes
    ----------
    name : as the command has it
    question : what it answers
    axis : what changes, for the picture
    values : what it is tried with
    logarithmic : whether the values are shown by their magnitude
    arrange : makes of a value, the usual settings and the number of pictures those to train with; None if
        the network stays the same
    disturb : makes of a trained network, inputs (batch, 784), a value and a random generator the outputs,
        (batch, 10); None if the network is queried as it is
    """

    name: str
    question: str
    axis: str
    values: tuple[float, ...]
    logarithmic: bool = False
    arrange: Callable[[float, Settings, int], tuple[Settings, int]] | None = None
    disturb: Disturb | None = None

    def plan(self, seeds: int, pictures: int, settings: Settings, values: Sequence[float]) -> list[Trial]:
        """Plan the trials of so many seeds, on so many pictures."""
        trials = []
        for seed in range(seeds):
            seeded = replace(settings, seed=seed)
            if self.arrange is None:
                trials.append(Trial(self.name, tuple(values), seeded, pictures))
            else:
                trials += [
                    Trial(self.name, (value,), *self.arrange(value, seeded, pictures)) for value in values
                ]
        return trials

    def choose_values(self, pictures: int, *, quick: bool) -> tuple[float, ...]:
        """The values to try: of a quick experiment the first and, from the last, every other one.

        Of training sizes those that there are.
        """
        values = self.values
        if self.arrange is _change_size:
            values = (*(value for value in values if value < pictures), float(pictures))
        every_other = values[::-2][::-1]
        return (values[0], *every_other[1:]) if quick else values


def run_trial(trial: Trial, learnt: tuple[Bytes, Bytes], tests: tuple[Bytes, Bytes]) -> list[float]:
    """Train a trial's network and measure it.

    Parameters
    ----------
    learnt, tests : images, uint8 (count, 28, 28), and labels, uint8 (count,), to learn from and to read

    Returns
    -------
    the accuracy for each of the trial's values, 0 to 1; NaN if the weights ran away
    """
    experiment = EXPERIMENTS[trial.experiment]
    random = np.random.default_rng([trial.settings.seed, trial.pictures])
    chosen = np.sort(random.permutation(len(learnt[1]))[: trial.pictures])
    # The same on one thread of any machine, whether others work beside it or not.
    with threadpool_limits(1):
        try:
            network = train(Dataset("", learnt[0][chosen], learnt[1][chosen]), trial.settings).network
        except BadSettingError:  # the settings were sound, and there are pictures
            return [float("nan")] * len(trial.values)
        disturb = experiment.disturb or _query
        return [_measure(network, Dataset("", *tests), disturb, value, random) for value in trial.values]


def _measure(
    network: FeedForward,
    dataset: Dataset,
    disturb: Disturb,
    value: float,
    random: np.random.Generator,
) -> float:
    images, labels = (part[dataset.labels != NO_DIGIT] for part in (dataset.images, dataset.labels))
    right = 0
    for start in range(0, len(labels), BATCH):
        inputs = to_inputs(images[start : start + BATCH] * np.float32(1 / 255))
        read = disturb(network, inputs, value, random).argmax(axis=1)
        right += int(np.count_nonzero(read == labels[start : start + BATCH]))
    return right / len(labels)


def _query(network: FeedForward, inputs: FloatArray, value: float, random: np.random.Generator) -> FloatArray:
    return network.query(inputs)


def _damage(
    network: FeedForward, inputs: FloatArray, value: float, random: np.random.Generator
) -> FloatArray:
    """Query with a share of the links cut, others for each batch."""
    damaged = network.copy()
    for matrix in damaged.weights:
        matrix *= random.random(matrix.shape, np.float32) >= value
    return damaged.query(inputs)


def _add_noise(
    network: FeedForward, inputs: FloatArray, value: float, random: np.random.Generator
) -> FloatArray:
    """Query with noise on every signal, out of input nodes and hidden ones."""

    def disturb(signals: FloatArray) -> None:
        signals += np.float32(value) * random.standard_normal(signals.shape, np.float32)

    noisy = inputs.copy()
    disturb(noisy)
    return network.forward(noisy, disturb)[-1]


def _change_hidden(value: float, settings: Settings, pictures: int) -> tuple[Settings, int]:
    return replace(settings, hidden=(int(value),)), pictures


def _change_rate(value: float, settings: Settings, pictures: int) -> tuple[Settings, int]:
    return replace(settings, learning_rate=value), pictures


def _change_epochs(value: float, settings: Settings, pictures: int) -> tuple[Settings, int]:
    return replace(settings, epochs=int(value)), pictures


def _change_size(value: float, settings: Settings, pictures: int) -> tuple[Settings, int]:
    """Of fewer pictures each is seen more often, so that all networks take as many steps."""
    return replace(settings, epochs=max(1, round(settings.epochs * pictures / value))), int(value)


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            "hidden-nodes",
            "how many hidden nodes does it need?",
            "hidden nodes",
            (5, 10, 20, 50, 100, 200, 400),
            logarithmic=True,
            arrange=_change_hidden,
        ),
        Experiment(
            "learning-rate",
            "how long a step is best?",
            "learning rate",
            (0.01, 0.03, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2),
            logarithmic=True,
            arrange=_change_rate,
        ),
        Experiment(
            "epochs",
            "how often must it see every picture?",
            "epochs",
            (1, 2, 3, 5, 8, 12, 20),
            arrange=_change_epochs,
        ),
        Experiment(
            "training-size",
            "how many pictures must it learn from?",
            "pictures learnt from",
            (100, 300, 1000, 3000, 10000, 30000),
            logarithmic=True,
            arrange=_change_size,
        ),
        Experiment(
            "damage",
            "how many of its links can be cut?",
            "share of the links that is cut",
            (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
            disturb=_damage,
        ),
        Experiment(
            "noise",
            "how much noise on its signals can it bear?",
            "standard deviation of the noise on every signal",
            (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0),
            disturb=_add_noise,
        ),
    )
}


def check_data(learnt: Dataset, tests: Dataset) -> None:
    """Refuse data that nothing can be learnt from or measured by.

    Raises
    ------
    BadSettingError : if there are no digits in it
    """
    for dataset in (learnt, tests):
        if not (dataset.labels != NO_DIGIT).any():
            raise BadSettingError(f"{dataset.name}: no digits in it")
