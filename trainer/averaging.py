"""Averaging: a network whose weights are the mean of those that training went through."""

from __future__ import annotations

import numpy as np

from shared.feedforward import FeedForward

# A step moves the weights little: taking every few of them into the mean costs less and says the same.
TAKE_EVERY = 4


class WeightAverage:
    """The moving average of a network's weights.

    At first it is the plain mean of all steps; once there are more than `steps`, older ones fade.

    Parameters
    ----------
    network : whose weights are averaged as it learns
    steps : how far back the average looks

    Source: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992).
    """

    def __init__(self, network: FeedForward, steps: float) -> None:
        self.network = network.copy()
        self._learning = network
        self._longest = max(steps / TAKE_EVERY, 1.0)

    def take(self, step: int) -> None:
        """Take in the weights after a step, counted from 1."""
        if step > TAKE_EVERY and step % TAKE_EVERY:
            return
        share = 1 / max(min(step / TAKE_EVERY, self._longest), 1)
        for average, current in zip(self.network.parameters, self._learning.parameters, strict=True):
            average += (current - average) * np.float32(share)
