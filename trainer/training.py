"""Training: epochs of mini-batches, and the best network that came of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from shared.digit_image import to_inputs
from shared.feedforward import FeedForward, FloatArray
from shared.weights import INPUT_NODES, LARGEST_FILE, MOST_LAYERS, OUTPUT_NODES
from trainer.backpropagation import Descent, find_gradients, initialise, make_targets, measure_loss
from trainer.datasets import Dataset
from trainer.errors import BadSettingError
from trainer.evaluation import measure_accuracy


class Augmentation(Protocol):
    """Makes new pictures, (batch, 28, 28), of those of a batch; `left` is the share of training to come."""

    def __call__(self, images: FloatArray, random: np.random.Generator, left: float) -> FloatArray:
        """Return them, made anew."""
        ...


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes
    ----------
    hidden : nodes in each hidden layer
    epochs : how often every picture is seen
    learning_rate : the first step's; it falls to zero in a straight line
    batch_size : pictures a step
    seed : the same seed gives the same weights
    biases : whether nodes have a bias; the talk's have none

    Raises
    ------
    BadSettingError : if one of them cannot be
    """

    hidden: tuple[int, ...] = (200,)
    epochs: int = 3
    learning_rate: float = 0.4
    batch_size: int = 100
    seed: int = 0
    biases: bool = False

    def __post_init__(self) -> None:
        for name, value in (
            ("number of epochs", self.epochs),
            ("learning rate", self.learning_rate),
            ("batch size", self.batch_size),
            *(("number of hidden nodes", nodes) for nodes in self.hidden),
        ):
            if not 0 < value < float("inf"):
                raise BadSettingError(f"the {name} must be more than 0, not {value}")
        layers = (INPUT_NODES, *self.hidden, OUTPUT_NODES)
        size = 4 * sum(before * after for before, after in pairwise(layers))
        if len(layers) > MOST_LAYERS or size > LARGEST_FILE // 2:
            raise BadSettingError(
                f"a network of {len(self.hidden)} hidden layers and {size >> 20} MiB is more than a Pi Zero "
                f"can carry: take fewer than {MOST_LAYERS - 1} layers and {LARGEST_FILE >> 21} MiB"
            )
        if self.seed < 0:
            raise BadSettingError(f"the seed must not be below 0, not {self.seed}")


@dataclass(frozen=True)
class Moment:
    """Where training is, as it goes.

    Attributes
    ----------
    done : batches so far, of `total`
    epoch : from 1
    loss : mean cross-entropy of the last batches
    accuracy : on the held-out pictures after the last whole epoch, or None before, or without any
    """

    done: int
    total: int
    epoch: int
    loss: float
    accuracy: float | None


@dataclass(frozen=True)
class Outcome:
    """What training gave: the best network, the epochs it took, and what they cost."""

    network: FeedForward
    epochs: float
    accuracy: float | None
    cpu_seconds: float
    stopped: bool


# How many batches pass between two reports of progress.
REPORT_EVERY = 25


def train(
    dataset: Dataset,
    settings: Settings,
    *,
    held_out: Dataset | None = None,
    augmentation: Augmentation | None = None,
    report: Callable[[Moment], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Train a network on a data set.

    Parameters
    ----------
    held_out : pictures it does not learn from; the network that reads them best is kept, and without
        them the last one
    augmentation : makes new pictures of a batch
    report : is told of progress, often enough for a progress bar
    stop : is asked after every batch whether to end here, with the best network so far

    Raises
    ------
    BadSettingError : if there is nothing to learn from, or the weights ran away
    """
    if not len(dataset):
        raise BadSettingError("no pictures left to learn from: hold out fewer")
    # Matrix products of this size take longer to share out between cores than to do.
    with threadpool_limits(1, "blas"):
        return _train(dataset, settings, held_out, augmentation, report, stop)


def _train(
    dataset: Dataset,
    settings: Settings,
    held_out: Dataset | None,
    augmentation: Augmentation | None,
    report: Callable[[Moment], None],
    stop: Callable[[], bool],
) -> Outcome:
    started = time.process_time()
    random = np.random.default_rng(settings.seed)
    network = initialise((INPUT_NODES, *settings.hidden, OUTPUT_NODES), random, biases=settings.biases)
    targets = make_targets(dataset.labels)
    common_input = to_inputs((dataset.images.mean(axis=0, dtype=np.float64) / 255).astype(np.float32))
    descent = Descent(network, common_input)
    batches = -(-len(dataset) // settings.batch_size)
    total = batches * settings.epochs
    best, best_accuracy = network, None
    done, loss, stopped = 0, float("nan"), False
    for epoch in range(1, settings.epochs + 1):
        order = random.permutation(len(dataset))
        for start in range(0, len(dataset), settings.batch_size):
            batch = order[start : start + settings.batch_size]
            images = dataset.images[batch] * np.float32(1 / 255)
            left = 1 - done / total
            if augmentation is not None:
                images = augmentation(images, random, left)
            signals = network.forward(to_inputs(images))
            if done % REPORT_EVERY == 0:
                loss = measure_loss(signals[-1], targets[batch])
                report(Moment(done, total, epoch, loss, best_accuracy))
            descent.step(*find_gradients(network, signals, targets[batch]), settings.learning_rate * left)
            done += 1
            if stopped := stop():
                break
        if not all(np.isfinite(matrix).all() for matrix in network.weights):
            raise BadSettingError(
                f"the weights ran away in epoch {epoch}: try a learning rate below {settings.learning_rate}"
            )
        if held_out is not None:
            accuracy = measure_accuracy(network, held_out)
            if best_accuracy is None or accuracy >= best_accuracy:
                best, best_accuracy = network.copy(), accuracy
        report(Moment(done, total, epoch, loss, best_accuracy))
        if stopped:
            break
    return Outcome(best, done / batches, best_accuracy, time.process_time() - started, stopped)
