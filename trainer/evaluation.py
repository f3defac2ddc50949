"""Evaluation: how well a network reads pictures it did not learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.digit_image import to_inputs
from shared.feedforward import FeedForward, FloatArray
from trainer.datasets import Dataset

# Pictures queried at once: large enough for quick matrix products, small enough for the cache.
BATCH = 1000


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How a network did on a data set.

    Attributes
    ----------
    confusion : int (10, 10), the confusion matrix: [label, digit read] -> pictures
    """

    confusion: npt.NDArray[np.int64]

    @property
    def images(self) -> int:
        """How many pictures were read."""
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        """How many were read right."""
        return int(self.confusion.trace())

    @property
    def accuracy(self) -> float:
        """Share read right, 0 to 1."""
        return self.correct / self.images

    @property
    def recall(self) -> npt.NDArray[np.float64]:
        """(10,): of the pictures of a digit, the share read as that digit; NaN without such pictures."""
        return _divide(self.confusion.diagonal(), self.confusion.sum(axis=1))

    @property
    def precision(self) -> npt.NDArray[np.float64]:
        """(10,): of the pictures read as a digit, the share that are that digit; NaN if never read."""
        return _divide(self.confusion.diagonal(), self.confusion.sum(axis=0))


def _divide(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    shares = np.full(len(whole), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares


def query_dataset(network: FeedForward, dataset: Dataset) -> FloatArray:
    """Query a network with every picture: float32 (count, 10)."""
    return np.concatenate(
        [
            network.query(to_inputs(dataset.images[start : start + BATCH] * np.float32(1 / 255)))
            for start in range(0, len(dataset), BATCH)
        ]
    )


def measure_accuracy(network: FeedForward, dataset: Dataset) -> float:
    """Share of a data set that a network reads right, 0 to 1."""
    return float((query_dataset(network, dataset).argmax(axis=1) == dataset.labels).mean())


def evaluate(network: FeedForward, dataset: Dataset) -> Evaluation:
    """Let a network read a data set and count what it reads."""
    confusion = np.zeros((10, 10), np.int64)
    np.add.at(confusion, (dataset.labels, query_dataset(network, dataset).argmax(axis=1)), 1)
    return Evaluation(confusion)
