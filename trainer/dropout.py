"""Dropout: hidden nodes that are silent by chance, so that none relies on another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.feedforward import FloatArray


class Dropout:
    """Silences hidden nodes by chance, and makes the others louder by as much: a query needs no change.

    Parameters
    ----------
    share : how many, 0 to 1
    random : which

    Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: A Simple Way to Prevent
    Neural Networks from Overfitting" (2014), section 10, "inverted".
    """

    def __init__(self, share: float, random: np.random.Generator) -> None:
        self._loudness = np.float32(1 / (1 - share))
        self._share = np.float32(share)
        self._random = random
        self._masks: list[FloatArray] = []

    def begin(self) -> None:
        """Forget the last batch's masks."""
        self._masks = []

    @property
    def masks(self) -> Sequence[FloatArray]:
        """For each hidden layer what its signals were multiplied with: (batch, nodes)."""
        return self._masks

    def __call__(self, signals: FloatArray) -> None:
        """Silence some of a hidden layer's signals, in place."""
        kept = self._random.random(signals.shape, np.float32) >= self._share
        self._masks.append(kept * self._loudness)
        signals *= self._masks[-1]

    def go_back(self, layer: int, errors: FloatArray, signals: FloatArray) -> FloatArray:
        """Silence the errors of what was silenced; see `Disturbance`."""
        errors *= self._masks[layer]
        return signals / self._loudness
