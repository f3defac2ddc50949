"""Mistakes: the pictures that a network reads wrong and is most sure of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.feedforward import FeedForward
from shared.reading import tell_confidences
from trainer.datasets import NO_DIGIT, Dataset
from trainer.evaluation import query_dataset


class Mistake(NamedTuple):
    """A picture that was read wrong.

    Attributes
    ----------
    place : which of the data set's pictures, from 0
    image : uint8 (28, 28), 0 = paper, 255 = ink
    label : what it is, 0 to 9, or `NO_DIGIT`
    digit : what the network read
    confidence : how sure it was of that, 0 to 1
    """

    place: int
    image: npt.NDArray[np.uint8]
    label: int
    digit: int
    confidence: float

    @property
    def meaning(self) -> str:
        """What it is, for people."""
        return "no digit" if self.label == NO_DIGIT else str(self.label)


def find_mistakes(network: FeedForward, dataset: Dataset, count: int) -> list[Mistake]:
    """Find the worst mistakes: what is read wrong with most confidence, that first; `count` at most.

    What is no digit is read wrong whatever the network reads.
    """
    outputs = query_dataset(network, dataset)
    read, confidences = outputs.argmax(axis=1), tell_confidences(outputs)
    wrong = np.flatnonzero(read != dataset.labels)
    # Where two are equally sure, the earlier picture comes first.
    worst = wrong[np.argsort(-confidences[wrong], kind="stable")][:count]
    return [
        Mistake(
            int(place),
            dataset.images[place],
            int(dataset.labels[place]),
            int(read[place]),
            float(confidences[place]),
        )
        for place in worst
    ]
