"""Backpropagation: how the link weights learn from the errors at the output layer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas

from shared.feedforward import ACTIVATIONS, FeedForward, FloatArray
from shared.reading import NO, YES

# The signal of a sigmoid node that nothing excites.
RESTING_SIGNAL = 0.5

# On their way back to a hidden layer errors shrink by sigmoid's slope, 1/4 at most, and by the small
# link weights; steps ten times as long there learn fastest (measured for 784-200-10).
HIDDEN_PACE = 10.0


def initialise(layers: Sequence[int], random: np.random.Generator, *, biases: bool = False) -> FeedForward:
    """Make a network whose link weights are small and random.

    They are drawn from a normal distribution with standard deviation 1 / sqrt(links into a node), as in
    the book; biases begin at zero.
    """
    weights = [
        random.normal(0.0, before**-0.5, (after, before)).astype(np.float32)
        for before, after in pairwise(layers)
    ]
    return FeedForward(weights, [np.zeros(nodes, np.float32) for nodes in layers[1:]] if biases else None)


def make_targets(labels: npt.NDArray[np.uint8], nodes: int = 10) -> FloatArray:
    """What the output nodes should say: 0.99 for the right digit, 0.01 for all others; (count, nodes).

    A label that is no node, such as that of what is no digit, asks 0.01 of all.
    """
    targets = np.full((len(labels), nodes), NO, dtype=np.float32)
    (digits,) = np.nonzero(labels < nodes)
    targets[digits, labels[digits]] = YES
    return targets


def measure_loss(outputs: FloatArray, targets: FloatArray) -> float:
    """Cross-entropy of outputs against targets, (batch, nodes) each: sum over nodes, mean over the batch."""
    safe = np.clip(outputs, 1e-7, 1 - 1e-7)
    return float(-(targets * np.log(safe) + (1 - targets) * np.log(1 - safe)).sum() / len(outputs))


def find_gradients(
    network: FeedForward, signals: Sequence[FloatArray], targets: FloatArray
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Find how the loss changes with every link weight and every bias.

    Parameters
    ----------
    network : whose `forward` gave `signals` for a batch; its output layer is sigmoid
    signals : every layer's signals, (batch, nodes) each
    targets : float32 (batch, output nodes)

    Returns
    -------
    the gradients of the mean cross-entropy for the weights and for the biases, shaped like them

    Source: Rashid, "Make Your Own Neural Network": errors go back through the links as w^T . e. With
    cross-entropy the slope of the output layer cancels (Bishop, "Pattern Recognition and Machine
    Learning", section 5.3), so that an output that is badly wrong is not stuck.
    """
    slope = ACTIVATIONS[network.activation].slope
    errors: FloatArray = (signals[-1] - targets) / np.float32(len(targets))
    weight_gradients: list[FloatArray] = []
    bias_gradients: list[FloatArray] = []
    for index in reversed(range(len(network.weights))):
        weight_gradients.insert(0, errors.T @ signals[index])
        bias_gradients.insert(0, errors.sum(axis=0))
        if index:
            errors = (errors @ network.weights[index]) * slope(signals[index])
    return weight_gradients, bias_gradients


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
    momentum : how much of the last step goes into the next, 0 to 1

    Source: Schraudolph, "Centering neural network gradient factors" (1998), done here without biases;
    momentum: Polyak (1964).
    """

    def __init__(self, network: FeedForward, common_input: FloatArray, momentum: float = 0.9) -> None:
        self.network = network
        self.momentum = np.float32(momentum)
        self._common = [common_input] + [
            np.full(nodes, RESTING_SIGNAL, np.float32) for nodes in network.layers[1:-1]
        ]
        self._shortening = []
        for common in self._common:
            length = float(common @ common)
            self._shortening.append(common * np.float32(max(0.0, 1 - 1 / length) / length if length else 0.0))
        self._weight_steps = [np.zeros_like(matrix) for matrix in network.weights]
        self._bias_steps = [np.zeros_like(bias) for bias in network.biases or []]

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
            rate = learning_rate * (1.0 if index == last else HIDDEN_PACE)
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
