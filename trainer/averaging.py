"""Averaging: a network whose weights are the mean of those that training went through."""

from __future__ import annotations

import numpy as np

from shared.feedforward import FeedForward

# A step moves the weights little: taking every few of them into the mean costs less and says the same.
TAKE_EVERY = 4


class WeightAverage:
    """The moving average of a network's weights.

    At first it is the plain mean of all steps; once there are more than it looks back on, older ones fade.

    Parameters
    ----------
    network : whose weights are averaged as it learns

    Source: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992).
    """

    def __init__(self, network: FeedForward) -> None:
        self.network = network.copy()
        self._learning = network

    def take(self, step: int, steps: float) -> None:
        """Take in the weights after a step, counted from 1; the average looks back on so many `steps`."""
        if step > TAKE_EVERY and step % TAKE_EVERY:
            return
        share = 1 / max(min(step, steps) / TAKE_EVERY, 1)
        for average, current in zip(self.network.parameters, self._learning.parameters, strict=True):
            average += (current - average) * np.float32(share)
