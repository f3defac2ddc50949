"""Evaluation: how well a network reads pictures it did not learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.digit_image import to_inputs
from shared.feedforward import FeedForward, FloatArray
from shared.reading import NEEDED_CONFIDENCE, tell_confidences
from trainer.datasets import NO_DIGIT, Dataset

# Pictures queried at once: large enough for quick matrix products, small enough for the cache.
BATCH = 1000


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How a network did on a data set.

    Attributes
    ----------
    confusion : int (10, 10), the confusion matrix: [label, digit read] -> pictures of digits
    right_said : of the digits read right, the share that is said; NaN without any
    no_digits : how many pictures are of no digit
    no_digits_said : share of those that are said to be one; NaN without them
    """

    confusion: npt.NDArray[np.int64]
    right_said: float = float("nan")
    no_digits: int = 0
    no_digits_said: float = float("nan")

    @property
    def images(self) -> int:
        """How many digits were read."""
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        """How many were read right."""
        return int(self.confusion.trace())

    @property
    def accuracy(self) -> float:
        """Share read right, 0 to 1; NaN without digits."""
        return self.correct / self.images if self.images else float("nan")

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
    """Share of a data set's digits that a network reads right, 0 to 1; NaN without digits."""
    return evaluate(network, dataset).accuracy


def evaluate(
    network: FeedForward, dataset: Dataset, needed_confidence: float = NEEDED_CONFIDENCE
) -> Evaluation:
    """Let a network read a data set and count what it reads, and what it says with enough confidence."""
    outputs = query_dataset(network, dataset)
    read, said = outputs.argmax(axis=1), tell_confidences(outputs) >= needed_confidence
    is_digit = dataset.labels != NO_DIGIT
    confusion = np.zeros((10, 10), np.int64)
    np.add.at(confusion, (dataset.labels[is_digit], read[is_digit]), 1)
    right = read == dataset.labels
    return Evaluation(
        confusion,
        _mean(said[right]),
        int(np.count_nonzero(~is_digit)),
        _mean(said[~is_digit]),
    )


def _mean(values: npt.NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")
