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

from shared.cache_line import make_zeros
from shared.digit_image import IMAGE_SIZE
from shared.errors import WrongShapeError
from shared.feedforward import ACTIVATIONS, OUTPUT_ACTIVATION, FeedForward, FloatArray
from trainer.initialisation import draw_links

FIELD = 3  # places from side to side of a field
ASKED = 64  # pictures at a time: with them what is in the fields is small enough for a processor's cache
FOLDED = 2  # layers, the first ones, that first make one place of four


@dataclass(frozen=True)
class Fields:
    """The fields of one layer: one about each place of a square map, over its edge, where there is nothing.

    Within, pictures come last in memory: what a row of a field holds of all of them is a matrix as it lies
    there, to be multiplied by the links to that row; nothing need be laid out anew for each field.

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

    def weigh(self, signals: FloatArray, matrix: FloatArray) -> FloatArray:
        """Add up what comes through the links: (batch, places * channels) becomes (batch, places * nodes)."""
        seen = self._look(signals)
        of_rows = zip(self._cut(matrix), seen, strict=True)
        links, row = next(of_rows)
        sums: FloatArray = links @ row
        for links, row in of_rows:
            sums += links @ row
        return self._flatten(sums)

    def find_gradient(self, errors: FloatArray, signals: FloatArray) -> FloatArray:
        """Find how the loss changes with the weights, of how it does with the sums that they make."""
        by_place = errors.T.reshape(self.side, self.side, -1, len(errors))
        of_rows = [(by_place @ row.swapaxes(-1, -2)).sum(axis=(0, 1)) for row in self._look(signals)]
        return np.concatenate(of_rows, axis=1)

    def send_back(self, errors: FloatArray, matrix: FloatArray) -> FloatArray:
        """Send errors back through the links, to where signals came from.

        A place is seen in the fields about it and about those around it: errors go back through these as
        signals come, but for that each link then has its place on the opposite side.
        """
        links = matrix.reshape(-1, FIELD, FIELD, self.channels)[:, ::-1, ::-1]
        fields = Fields(self.side, len(matrix))
        errors = fields.weigh(errors, links.transpose(3, 1, 2, 0).reshape(self.channels, -1))
        return self._flatten(self._unfold(errors.T.reshape(self.side, self.side, self.channels, -1)))

    @staticmethod
    def _cut(matrix: FloatArray) -> FloatArray:
        """Cut weights, (nodes, 9 * channels), by a field's rows: (3, nodes, 3 * channels)."""
        return np.ascontiguousarray(matrix.reshape(len(matrix), FIELD, -1).swapaxes(0, 1))

    def _look(self, signals: FloatArray) -> FloatArray:
        """See what is in each row of each field: (3, side, side, 3 * channels, batch)."""
        around = make_zeros((self.side + 2, self.side + 2, self.channels, len(signals)))
        inside = self._unfold(around[1:-1, 1:-1])
        inside[...] = signals.T.reshape(inside.shape)
        down, *others = around.strides
        # Three places beside each other are one run of memory.
        return np.lib.stride_tricks.as_strided(
            around,
            (FIELD, self.side, self.side, FIELD * self.channels, len(signals)),
            (down, down, *others),
            writeable=False,
        )

    def _unfold(self, maps: FloatArray) -> FloatArray:
        """See maps, (side, side, channels, batch), in the order in which they come in."""
        if not self.folded:
            return maps
        return maps.reshape(self.side, self.side, 2, 2, -1, maps.shape[-1]).transpose(0, 2, 1, 3, 4, 5)

    @staticmethod
    def _flatten(maps: FloatArray) -> FloatArray:
        return maps.reshape(-1, maps.shape[-1]).T


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
            if index < len(self.fields):
                sums = self.fields[index].weigh(signals[-1], matrix)
                bias = np.tile(bias, self.fields[index].places)
            else:
                sums = signals[-1] @ matrix.T
            sums += bias
            ACTIVATIONS[OUTPUT_ACTIVATION if is_output else self.activation].squash_many(sums, sums)
            signals.append(sums)
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
