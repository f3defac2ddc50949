"""Disturbances: what changes the signals out of hidden layers while a network learns."""

from __future__ import annotations

from typing import Protocol

from shared.feedforward import FloatArray


class Disturbance(Protocol):
    """Changes a batch's signals, layer by layer, and knows the errors' way back through that."""

    def begin(self) -> None:
        """Forget the last batch."""
        ...

    def __call__(self, signals: FloatArray) -> None:
        """Change the signals out of the next hidden layer, (batch, nodes), in place."""
        ...

    def go_back(self, layer: int, errors: FloatArray, signals: FloatArray) -> FloatArray:
        """Make of the errors of a layer's changed signals those of what they were before, in place.

        Parameters
        ----------
        layer : 0 is the first hidden one
        errors : how the loss changes with each signal, (batch, nodes)
        signals : as they were changed, (batch, nodes)

        Returns
        -------
        the signals before that, where their errors are not zero
        """
        ...


class Disturbances:
    """Several of them, one after the other; or none."""

    def __init__(self, *parts: Disturbance) -> None:
        self._parts = parts

    def begin(self) -> None:
        """See `Disturbance`."""
        for part in self._parts:
            part.begin()

    def __call__(self, signals: FloatArray) -> None:
        """See `Disturbance`."""
        for part in self._parts:
            part(signals)

    def go_back(self, layer: int, errors: FloatArray, signals: FloatArray) -> FloatArray:
        """See `Disturbance`."""
        for part in reversed(self._parts):
            signals = part.go_back(layer, errors, signals)
        return signals
