"""Fields: a network whose first layers look at small fields of a picture, everywhere with the same links.

It is no network for a device, and is never exported: it teaches. What it says of deformed pictures is what a
plain network learns, which reads them better then than it does by the labels alone.

Source: LeCun and others, "Backpropagation Applied to Handwritten Zip Code Recognition" (1989).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from shared.digit_image import IMAGE_SIZE
from shared.errors import WrongShapeError
from shared.feedforward import ACTIVATIONS, OUTPUT_ACTIVATION, FeedForward, FloatArray
from trainer.initialisation import draw_links

FIELD = 3  # places from side to side of a field
ASKED = 128  # pictures at a time: what is in the fields takes nine times the room
FOLDED = 2  # layers, the first ones, that first make one place of four


@dataclass(frozen=True)
class Fields:
    """The fields of one layer: one about each place of a square map, over its edge, where there is nothing.

    Attributes
    ----------
    side : places of the map from side to side
    channels : signals at each place
    folded : whether each place is made of four of what comes in
    """

    side: int
    channels: int
    folded: bool = False

    @property
    def places(self) -> int:
        """How many places, and so fields, there are."""
        return self.side**2

    def spread(self, signals: FloatArray) -> FloatArray:
        """Lay out what fields hold: (batch, places * channels) becomes (batch * places, 9 * channels)."""
        count, side, channels = len(signals), self.side, self.channels
        around = np.zeros((count, side + 2, side + 2, channels), np.float32)
        around[:, 1:-1, 1:-1] = self._fold(signals).reshape(count, side, side, channels)
        picture, row, place, _ = around.strides
        # Each of a field's three rows is one run of memory.
        rows = np.lib.stride_tricks.as_strided(
            around,
            (count, side, side, FIELD, FIELD * channels),
            (picture, row, place, row, around.itemsize),
            writeable=False,
        )
        spread: FloatArray = rows.reshape(count * self.places, FIELD * FIELD * channels)
        return spread

    def gather(self, errors: FloatArray) -> FloatArray:
        """Add up at each place what the fields around say of it: errors go back the way of `spread`."""
        side, channels = self.side, self.channels
        count = len(errors) // self.places
        of_fields = errors.reshape(count, side, side, FIELD, FIELD, channels)
        around = np.zeros((count, side + 2, side + 2, channels), np.float32)
        for down in range(FIELD):
            for across in range(FIELD):
                around[:, down : down + side, across : across + side] += of_fields[:, :, :, down, across]
        return self._unfold(around[:, 1:-1, 1:-1])

    def _fold(self, signals: FloatArray) -> FloatArray:
        if not self.folded:
            return signals
        return signals.reshape(len(signals), self.side, 2, self.side, 2, -1).transpose(0, 1, 3, 2, 4, 5)

    def _unfold(self, errors: FloatArray) -> FloatArray:
        if self.folded:
            errors = errors.reshape(len(errors), self.side, self.side, 2, 2, -1).transpose(0, 1, 3, 2, 4, 5)
        return errors.reshape(len(errors), -1)


class FieldNetwork(FeedForward):
    """A network whose first layers have fields; those that follow are as in any other.

    Parameters
    ----------
    weights : of a layer with fields, shape (nodes at each place, 9 * channels); all its places share them
    biases, activation : as in `FeedForward`; of a layer with fields one for each node at a place
    fields : of the first layers, in turn

    Raises
    ------
    WrongShapeError : if they do not fit together
    """

    def __init__(
        self,
        weights: Sequence[npt.ArrayLike],
        biases: Sequence[npt.ArrayLike],
        activation: str,
        fields: Sequence[Fields],
    ) -> None:
        self.fields = tuple(fields)
        super().__init__(weights, biases, activation)

    def _check(self) -> None:
        come = [matrix.shape[1] for matrix in self.weights]
        for index, each in enumerate(self.fields):
            if come[index] != FIELD**2 * each.channels:
                raise WrongShapeError(f"weights[{index}] come from {come[index]} signals, not from a field's")
            come[index] = each.places * each.channels
        if list(self.layers[:-1]) != come:
            raise WrongShapeError(f"layers of {self.layers} signals do not fit what comes from {come}")

    @property
    def layers(self) -> tuple[int, ...]:
        """Signals out of each layer, inputs first."""
        places = [each.places for each in self.fields] + [1] * (len(self.weights) - len(self.fields))
        begin = self.fields[0].places * self.fields[0].channels
        nodes = (count * len(matrix) for count, matrix in zip(places, self.weights, strict=True))
        return (begin, *nodes)

    @property
    def links(self) -> int:
        """How many links signals go through, those that are shared as often as they are."""
        shared = sum(
            (each.places - 1) * matrix.size for each, matrix in zip(self.fields, self.weights, strict=False)
        )
        return super().links + shared

    def forward(
        self, inputs: npt.ArrayLike, disturb: Callable[[FloatArray], object] | None = None
    ) -> list[FloatArray]:
        """Pass a batch's signals through the network, as `FeedForward` does; all layers' are the caller's."""
        signals = [np.asarray(inputs, np.float32)]
        if signals[0].ndim != 2 or signals[0].shape[1] != self.layers[0]:
            raise WrongShapeError(f"inputs of shape {signals[0].shape}: give (batch, {self.layers[0]})")
        assert self.biases is not None
        for index, (matrix, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            is_output = index == len(self.weights) - 1
            seen = self.fields[index].spread(signals[-1]) if index < len(self.fields) else signals[-1]
            sums = seen @ matrix.T
            sums += bias
            ACTIVATIONS[OUTPUT_ACTIVATION if is_output else self.activation].squash_many(sums, sums)
            signals.append(sums.reshape(len(signals[0]), -1))
            if disturb is not None and not is_output:
                disturb(signals[-1])
        return signals

    def query(self, inputs: npt.ArrayLike) -> FloatArray:
        """Ask the network: the output layer's signals for a batch, some of it at a time."""
        given = np.asarray(inputs, np.float32)
        parts = [self.forward(given[start : start + ASKED])[-1] for start in range(0, len(given), ASKED)]
        return np.concatenate(parts)

    def share(self) -> FieldNetwork:
        """Return a network with the same weights."""
        assert self.biases is not None
        return FieldNetwork(self.weights, self.biases, self.activation, self.fields)

    def copy(self) -> FieldNetwork:
        """Return a network with weights of its own."""
        weights, biases = ([array.copy() for array in arrays] for arrays in (self.weights, self.biases or ()))
        return FieldNetwork(weights, biases, self.activation, self.fields)


def initialise_fields(
    at_each: Sequence[int], hidden: int, random: np.random.Generator, outputs: int = 10
) -> FieldNetwork:
    """Make a network with fields, as many nodes at each of their places, then hidden nodes, all relu.

    Link weights are drawn as `trainer.backpropagation.initialise` draws them.
    """
    side, channels = IMAGE_SIZE, 1
    fields, shapes = [], []
    for index, nodes in enumerate(at_each):
        folded = index < FOLDED
        if folded:
            side, channels = side // 2, 4 * channels
        fields.append(Fields(side, channels, folded))
        shapes.append((nodes, FIELD**2 * channels))
        channels = nodes
    shapes += [(after, before) for before, after in pairwise((side**2 * channels, hidden, outputs))]
    return FieldNetwork(*draw_links(shapes, random, "relu"), "relu", fields)
