"""Significance: how much a share of so many pictures can be trusted, and whether two networks differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.feedforward import FeedForward
from trainer.datasets import NO_DIGIT, Dataset
from trainer.errors import BadSettingError
from trainer.evaluation import query_dataset

CONFIDENCE_LEVEL = 0.95

# A difference that chance alone makes more often than this is not called one.
SIGNIFICANT = 0.05


def find_interval(right: int, count: int) -> tuple[float, float]:
    """Between which shares, 0 to 1, the true one lies, when `right` of `count` were right; NaN without any.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927).
    """
    from scipy.stats import binomtest  # half a second to import

    if not count:
        return float("nan"), float("nan")
    interval = binomtest(right, count).proportion_ci(CONFIDENCE_LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class Comparison:
    """How two networks read the same digits.

    Attributes
    ----------
    both : how many digits both read right
    first_only, second_only : how many only one of them did
    neither : how many none did
    """

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def images(self) -> int:
        """How many digits were read."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def chance(self) -> float:
        """How often chance alone would make two equally good networks differ at least so much, 0 to 1.

        McNemar's test, exact: of the pictures that only one of them reads right, each has as many as heads
        among so many tosses of a coin.

        Source: McNemar, "Note on the sampling error of the difference between correlated proportions or
        percentages" (1947).
        """
        from scipy.stats import binomtest

        tosses = self.first_only + self.second_only
        return float(binomtest(self.first_only, tosses).pvalue) if tosses else 1.0

    @property
    def better(self) -> int | None:
        """Which network is better, 0 or 1; None if chance alone may have made the difference."""
        if self.chance >= SIGNIFICANT:
            return None
        return int(self.second_only > self.first_only)


def compare_networks(first: FeedForward, second: FeedForward, dataset: Dataset) -> Comparison:
    """Let two networks read the digits of a data set.

    Raises
    ------
    BadSettingError : if there are no digits in it
    """
    is_digit = dataset.labels != NO_DIGIT
    if not is_digit.any():
        raise BadSettingError(f"{dataset.name}: no digits in it to compare two networks by")
    first_right, second_right = (
        (query_dataset(network, dataset).argmax(axis=1) == dataset.labels)[is_digit]
        for network in (first, second)
    )
    return compare_readings(first_right, second_right)


def compare_readings(first_right: npt.NDArray[np.bool_], second_right: npt.NDArray[np.bool_]) -> Comparison:
    """Compare two networks by which pictures each reads right, (count,) both."""
    counts = np.bincount(2 * first_right.astype(np.intp) + second_right, minlength=4).tolist()
    return Comparison(both=counts[3], first_only=counts[2], second_only=counts[1], neither=counts[0])
