"""The feed-forward network: the only forward pass there is, for the trainer and the edge alike."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from shared.errors import WrongShapeError

FloatArray = npt.NDArray[np.float32]

# From so many signals on, numpy's tanh makes a sigmoid quicker than scipy's expit: of 20,000 in a fifth.
# For fewer, expit saves 2 of a query's 11 microseconds.
MANY = 1000

# e to this power is still a float32.
LARGEST_POWER = np.float32(80)


Squash: TypeAlias = Callable[[FloatArray, FloatArray], object]


class Activation(NamedTuple):
    """What a node does with the sum of its signals, and how steeply.

    Attributes
    ----------
    squash : writes f(x) to its second argument, which may be x itself
    squash_many : the same, for `MANY` signals and more
    slope : f'(x), told from f(x) alone
    """

    squash: Squash
    squash_many: Squash
    slope: Callable[[FloatArray], FloatArray]


def _squash_sigmoid(x: FloatArray, out: FloatArray) -> None:
    half = np.float32(0.5)
    np.multiply(x, half, out)
    np.tanh(out, out)
    np.multiply(out, half, out)
    np.add(out, half, out)


def _squash_relu(x: FloatArray, out: FloatArray) -> None:
    np.maximum(x, np.float32(0), out=out)


def squash_sigmoid_by_exp(x: FloatArray, out: FloatArray) -> None:
    """Sigmoid by one exponential: tanh takes a Pi Zero twice as long."""
    np.negative(x, out)
    np.minimum(out, LARGEST_POWER, out=out)
    np.exp(out, out)
    np.add(out, np.float32(1), out)
    np.reciprocal(out, out)


if sys.maxsize > 2**32:
    from scipy.special import expit as _squash_few_sigmoid
else:  # a Pi Zero, which importing scipy.special would cost 0.2 s and 11 MB
    _squash_few_sigmoid = squash_sigmoid_by_exp

ACTIVATIONS = {
    "sigmoid": Activation(
        _squash_few_sigmoid, _squash_sigmoid, slope=lambda output: output * (np.float32(1) - output)
    ),
    "relu": Activation(
        _squash_relu,
        _squash_relu,
        slope=lambda output: (output > 0).astype(np.float32),
    ),
}

# Whatever the hidden nodes do, an output is a chance, 0 to 1.
OUTPUT_ACTIVATION = "sigmoid"


# From one layer to the next: the links, turned so that signals are multiplied by them, the biases, what
# squashes the sums, and where they go.
Step: TypeAlias = tuple[FloatArray, FloatArray | None, Squash, FloatArray | None]


class FeedForward:
    """A feed-forward network of any number of layers.

    Parameters
    ----------
    weights : one matrix for each layer of links, shape (nodes in next layer, nodes in this layer);
        ``weights[0][j, i]`` is the link from input node i to hidden node j
    biases : one vector for each matrix, shape (nodes in next layer,), or None for a network without
    activation : what hidden nodes do, a name in `ACTIVATIONS`; output nodes are always sigmoid

    All arrays are kept as float32 in C order, without a copy where they already are. They may be changed
    in place, but not replaced by others. The signals between the layers live in buffers that are made once
    for each batch size, so two threads must not share a network.

    Raises
    ------
    WrongShapeError : if the arrays do not fit together, or the activation is unknown

    Source: Rashid, "Make Your Own Neural Network": X = W . I, O = sigmoid(X); relu: Nair and Hinton,
    "Rectified Linear Units Improve Restricted Boltzmann Machines" (2010).
    """

    def __init__(
        self,
        weights: Sequence[npt.ArrayLike],
        biases: Sequence[npt.ArrayLike] | None = None,
        activation: str = "sigmoid",
    ) -> None:
        self.weights: tuple[FloatArray, ...] = tuple(
            np.ascontiguousarray(matrix, dtype=np.float32) for matrix in weights
        )
        self.biases: tuple[FloatArray, ...] | None = (
            None if biases is None else tuple(np.ascontiguousarray(bias, np.float32) for bias in biases)
        )
        self.activation = activation
        self._shape: tuple[int, ...] | None = None  # of the inputs that the steps are for
        self._steps: list[Step] = []
        self._check()

    def _check(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise WrongShapeError(f"unknown activation {self.activation!r}; known: {', '.join(ACTIVATIONS)}")
        if not self.weights or any(matrix.ndim != 2 or 0 in matrix.shape for matrix in self.weights):
            raise WrongShapeError("a network needs at least one weight matrix of two dimensions")
        for index, (matrix, following) in enumerate(zip(self.weights, self.weights[1:], strict=False)):
            if following.shape[1] != matrix.shape[0]:
                raise WrongShapeError(
                    f"weights[{index}] leads to {matrix.shape[0]} nodes, "
                    f"but weights[{index + 1}] comes from {following.shape[1]}"
                )
        if self.biases is not None and [bias.shape for bias in self.biases] != [
            (matrix.shape[0],) for matrix in self.weights
        ]:
            raise WrongShapeError("biases need one vector a matrix, as long as the matrix has rows")

    @property
    def layers(self) -> tuple[int, ...]:
        """Nodes in each layer, inputs first."""
        return (self.weights[0].shape[1], *(matrix.shape[0] for matrix in self.weights))

    @property
    def links(self) -> int:
        """How many links signals go through."""
        return sum(matrix.size for matrix in self.weights)

    @property
    def parameters(self) -> list[FloatArray]:
        """All that training changes: the weight matrices, then the biases if it has any."""
        return [*self.weights, *(self.biases or [])]

    def forward(
        self, inputs: npt.ArrayLike, disturb: Callable[[FloatArray], object] | None = None
    ) -> list[FloatArray]:
        """Pass signals through the network and keep what every layer says.

        Parameters
        ----------
        inputs : shape (input nodes,) for one input, or (batch, input nodes)
        disturb : is given the signals out of each hidden layer, to change them in place, as dropout does

        Returns
        -------
        the signals out of each layer, inputs first, each (nodes,) or (batch, nodes), float32. Those of
        hidden layers are the network's own buffers: the next call writes over them.

        Raises
        ------
        WrongShapeError : if the inputs do not fit the first layer
        """
        signal = np.asarray(inputs, np.float32)
        if signal.shape != self._shape:
            self._prepare(signal.shape)
        signals = [signal]
        for links, bias, squash, out in self._steps:
            signal = signal.dot(links, out)
            if bias is not None:
                signal += bias
            squash(signal, signal)
            if disturb is not None and out is not None:
                disturb(signal)
            signals.append(signal)
        return signals

    def _prepare(self, shape: tuple[int, ...]) -> None:
        """Check the shape of inputs, and lay out the steps for such inputs."""
        nodes = self.weights[0].shape[1]
        if len(shape) not in (1, 2) or shape[-1] != nodes:
            raise WrongShapeError(
                f"inputs of shape {shape} do not fit {nodes} input nodes: give ({nodes},) or (batch, {nodes})"
            )
        self._steps = []
        for index, matrix in enumerate(self.weights):
            is_output = index == len(self.weights) - 1
            sums = (*shape[:-1], len(matrix))
            activation = ACTIVATIONS[OUTPUT_ACTIVATION if is_output else self.activation]
            squash = activation.squash if math.prod(sums) < MANY else activation.squash_many
            bias = None if self.biases is None else self.biases[index]
            # What the output layer says is the caller's to keep.
            self._steps.append((matrix.T, bias, squash, None if is_output else np.empty(sums, np.float32)))
        self._shape = shape

    def query(self, inputs: npt.ArrayLike) -> FloatArray:
        """Ask the network: the output layer's signals for one input or a batch.

        Parameters and errors are those of `forward`. Returns a new float32 array, shape
        (output nodes,) or (batch, output nodes).
        """
        # Every microsecond counts: one picture through 784-200-10 takes nine, of which reading the weights
        # alone takes six. So nothing is kept, as `forward` does; and `dot` is quicker than `matmul` and `@`,
        # which ask more questions first.
        signal = np.asarray(inputs, np.float32)
        if signal.shape != self._shape:
            self._prepare(signal.shape)
        for links, bias, squash, out in self._steps:
            signal = signal.dot(links, out)
            if bias is not None:
                signal += bias
            squash(signal, signal)
        return signal

    def share(self) -> FeedForward:
        """Return a network with the same weights, for another thread."""
        return FeedForward(self.weights, self.biases, self.activation)

    def copy(self) -> FeedForward:
        """Return a network with weights of its own."""
        return FeedForward(
            [matrix.copy() for matrix in self.weights],
            None if self.biases is None else [bias.copy() for bias in self.biases],
            self.activation,
        )
