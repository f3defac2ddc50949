"""Optimisers: how far the link weights go down their gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas

from shared.feedforward import FeedForward, FloatArray

# The mean signal of a node before anything is learnt, and how much longer steps are in hidden layers. On
# their way back errors shrink by sigmoid's slope, 1/4 at most, and by the small link weights: there steps ten
# times as long learn fastest (measured for 784-200-10).
RESTING_SIGNALS = {"sigmoid": 0.5, "relu": 0.1}
HIDDEN_PACES = {"sigmoid": 10.0, "relu": 1.0}
# Signals that are normalised over batches are 0 on average, and their errors do not shrink on their way back.
NORMALISED_SIGNAL, NORMALISED_PACE = 0.0, 1.0

# Weights that Adam changes at once: with all it needs of them they stay in a core's cache.
CHUNK = 32768


class Optimiser(Protocol):
    """Changes a network's weights in place, step by step."""

    def step(
        self,
        weight_gradients: Sequence[FloatArray],
        bias_gradients: Sequence[FloatArray],
        learning_rate: float,
    ) -> None:
        """Move the weights one step down their gradients (which are used up as scratch space)."""
        ...

    @property
    def memory(self) -> list[npt.NDArray[Any]]:
        """The arrays that it remembers from step to step; a checkpoint keeps them."""
        ...


class Descent:
    """Gradient descent with momentum that does not stumble over what all signals have in common.

    Inputs between 0.01 and 1, like sigmoid's outputs around 0.5, have a large common part. The loss bends
    about thirty times more along it than in any other direction, so plain descent must crawl. Here the
    step along the common signal is shortened until it weighs as much as one bias node would; everything
    else moves at full length. The network itself stays as it is.

    Parameters
    ----------
    network : whose weights are changed in place
    common_input : float32 (input nodes,), the mean of the training inputs
    normalised : whether hidden signals are normalised over batches as it learns
    momentum : how much of the last step goes into the next, 0 to 1

    Source: Schraudolph, "Centering neural network gradient factors" (1998), done here without biases;
    momentum: Polyak (1964).
    """

    def __init__(
        self,
        network: FeedForward,
        common_input: FloatArray,
        normalised: bool = False,
        momentum: float = 0.9,
    ) -> None:
        self.network = network
        self.momentum = np.float32(momentum)
        self._hidden_pace, resting = HIDDEN_PACES[network.activation], RESTING_SIGNALS[network.activation]
        if normalised:
            self._hidden_pace, resting = NORMALISED_PACE, NORMALISED_SIGNAL
        self._common = [common_input] + [
            np.full(nodes, resting, np.float32) for nodes in network.layers[1:-1]
        ]
        self._shortening = []
        for common in self._common:
            length = float(common @ common)
            self._shortening.append(common * np.float32(max(0.0, 1 - 1 / length) / length if length else 0.0))
        self._weight_steps = [np.zeros_like(matrix) for matrix in network.weights]
        self._bias_steps = [np.zeros_like(bias) for bias in network.biases or []]

    @property
    def memory(self) -> list[npt.NDArray[Any]]:
        """The last steps of all weights and biases."""
        return [*self._weight_steps, *self._bias_steps]

    def step(
        self,
        weight_gradients: Sequence[FloatArray],
        bias_gradients: Sequence[FloatArray],
        learning_rate: float,
    ) -> None:
        """Move the weights one step down their gradients (which are used up as scratch space)."""
        last = len(weight_gradients) - 1
        for index, (matrix, step, gradient) in enumerate(
            zip(self.network.weights, self._weight_steps, weight_gradients, strict=True)
        ):
            rate = learning_rate * (1.0 if index == last else self._hidden_pace)
            # BLAS goes over each matrix once and in place, which takes half the time of numpy's operators:
            # gradient -= outer(gradient . common, shortening), then step = momentum * step - rate * gradient.
            along_common = gradient @ self._common[index]
            blas.sger(-1.0, self._shortening[index], along_common, a=gradient.T, overwrite_a=True)
            step *= self.momentum
            blas.saxpy(gradient.reshape(-1), step.reshape(-1), a=-rate)
            matrix += step
        for bias, step, gradient in zip(
            self.network.biases or [], self._bias_steps, bias_gradients, strict=False
        ):
            step *= self.momentum
            step -= gradient * np.float32(learning_rate)
            bias += step


class Adam:
    """Steps as long as the learning rate, whatever the gradient's size, unless its sign is uncertain.

    Parameters
    ----------
    network : whose weights are changed in place

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1, with the
    corrections of both means in the step's length as at the end of section 2.
    """

    # How much of the gradients' mean, and of their squares', is kept each step.
    DECAYS = np.array((0.9, 0.999))
    # What is added to the root of the mean square, lest a step be divided by nothing.
    LEAST = 1e-8

    def __init__(self, network: FeedForward) -> None:
        self._parameters = [array.reshape(-1) for array in network.parameters]
        self._means = [np.zeros_like(array) for array in self._parameters]
        self._squares = [np.zeros_like(array) for array in self._parameters]
        # Powers of the decays; an array, so that a checkpoint keeps them with the rest.
        self._fading = np.ones(2)
        self._scratch = np.empty(CHUNK, np.float32)

    @property
    def memory(self) -> list[npt.NDArray[Any]]:
        """The means of gradients and of their squares, and how much of their zero beginnings is left."""
        return [*self._means, *self._squares, self._fading]

    def step(
        self,
        weight_gradients: Sequence[FloatArray],
        bias_gradients: Sequence[FloatArray],
        learning_rate: float,
    ) -> None:
        """Move the weights one step down their gradients (which are used up as scratch space)."""
        self._fading *= self.DECAYS
        mean_correction, square_correction = 1 - self._fading
        rate = np.float32(-learning_rate * square_correction**0.5 / mean_correction)
        least = np.float32(self.LEAST * square_correction**0.5)
        new_mean, new_square = (1 - self.DECAYS).astype(np.float32)
        gradients = [*weight_gradients, *bias_gradients][: len(self._parameters)]
        for parameters, gradient, mean, square in zip(
            self._parameters, gradients, self._means, self._squares, strict=True
        ):
            flat = gradient.reshape(-1)
            for start in range(0, len(flat), CHUNK):
                part = slice(start, start + CHUNK)
                g, m, v = flat[part], mean[part], square[part]
                scratch = self._scratch[: len(g)]
                # m += (g - m) * new_mean; v += (g * g - v) * new_square; w += rate * m / (sqrt(v) + least)
                np.subtract(g, m, out=scratch)
                scratch *= new_mean
                m += scratch
                g *= g
                g -= v
                g *= new_square
                v += g
                np.sqrt(v, out=g)
                g += least
                np.divide(m, g, out=g)
                g *= rate
                parameters[part] += g


# Each is made for a network, the mean of its training inputs, float32 (input nodes,), and whether its hidden
# signals are normalised over batches.
OPTIMISERS: dict[str, Callable[[FeedForward, FloatArray, bool], Optimiser]] = {
    "momentum": Descent,
    "adam": lambda network, _common_input, _normalised: Adam(network),
}
