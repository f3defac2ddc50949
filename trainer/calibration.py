"""Calibration: whether the confidence of a reading is the chance that it is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.feedforward import FeedForward
from shared.reading import tell_confidences
from trainer.datasets import Dataset
from trainer.evaluation import query_dataset

BINS = 10

# A network is never made more than this much surer of itself, or less.
WIDEST = 4.0

# As near to 0 and 1 as a confidence counts.
SURE = 1e-4


@dataclass(frozen=True, eq=False)
class Reliability:
    """How often readings were right, by the confidence they were said with.

    Attributes
    ----------
    counts : int (10,), readings with a confidence in each of equal parts of 0 to 1
    confidences : (10,), their mean confidence; NaN where there are none
    right : (10,), the share of them that was right; NaN where there are none
    """

    counts: npt.NDArray[np.int64]
    confidences: npt.NDArray[np.float64]
    right: npt.NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error: how far confidence is from the truth, on average, 0 to 1.

        Source: Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian
        Binning" (2015).
        """
        filled = self.counts > 0
        gaps = np.abs(self.confidences - self.right)[filled]
        return float(gaps @ self.counts[filled] / self.counts.sum())


def measure_reliability(network: FeedForward, dataset: Dataset) -> Reliability:
    """Compare a network's confidence with how often it is right; of what is no digit no reading is right."""
    outputs = query_dataset(network, dataset)
    return compare(tell_confidences(outputs), outputs.argmax(axis=1) == dataset.labels)


def compare(confidences: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> Reliability:
    """Compare confidences, (count,), with whether each reading was right."""
    places = np.minimum((confidences * BINS).astype(np.intp), BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    with np.errstate(invalid="ignore"):
        mean_confidences, shares = (
            np.bincount(places, weights=values, minlength=BINS) / counts for values in (confidences, right)
        )
    return Reliability(counts, mean_confidences, shares)


def find_temperature(network: FeedForward, dataset: Dataset) -> float:
    """Find what the output layer's sums should be divided by, for the confidence to mean what it says.

    Parameters
    ----------
    dataset : pictures that the network did not learn from

    Returns
    -------
    above 1 if the network is too sure of itself

    Source: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (2017); here it is
    the log loss of `tell_confidence` that is smallest.
    """
    from scipy.optimize import minimize_scalar

    outputs = np.clip(query_dataset(network, dataset).astype(np.float64), 1e-7, 1 - 1e-7)
    sums, right = np.log(outputs / (1 - outputs)), outputs.argmax(axis=1) == dataset.labels

    def lose(logarithm: float) -> float:
        tempered = 1 / (1 + np.exp(-sums / np.exp(logarithm)))
        confidences = np.clip(tell_confidences(tempered), SURE, 1 - SURE)
        return -float(np.log(np.where(right, confidences, 1 - confidences)).mean())

    found = minimize_scalar(lose, bounds=(-np.log(WIDEST), np.log(WIDEST)), method="bounded")
    return float(np.exp(found.x))


def temper(network: FeedForward, temperature: float) -> FeedForward:
    """Return a network whose output layer's sums are divided by a temperature: it reads the same digits."""
    tempered = network.copy()
    tempered.weights[-1][...] /= np.float32(temperature)
    if tempered.biases is not None:
        tempered.biases[-1][...] /= np.float32(temperature)
    return tempered
