"""Backpropagation: how the link weights learn from the errors at the output layer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from shared.feedforward import ACTIVATIONS, FeedForward, FloatArray
from shared.reading import NO, YES
from trainer.disturbances import Disturbance, Disturbances
from trainer.fields import FieldNetwork
from trainer.initialisation import draw_links
from trainer.losses import LOSSES

NOTHING = Disturbances()


def initialise(
    layers: Sequence[int], random: np.random.Generator, *, biases: bool = False, activation: str = "sigmoid"
) -> FeedForward:
    """Make a network whose link weights are small and random.

    They are drawn from a normal distribution with standard deviation 1 / sqrt(links into a node), as in
    the book, and sqrt(2) times as much for relu; biases begin at zero.
    """
    shapes = [(after, before) for before, after in pairwise(layers)]
    weights, zeros = draw_links(shapes, random, activation)
    return FeedForward(weights, zeros if biases else None, activation)


def make_targets(labels: npt.NDArray[np.uint8], nodes: int = 10) -> FloatArray:
    """What the output nodes should say: 0.99 for the right digit, 0.01 for all others; (count, nodes).

    A label that is no node, such as that of what is no digit, asks 0.01 of all.
    """
    targets = np.full((len(labels), nodes), NO, dtype=np.float32)
    (digits,) = np.nonzero(labels < nodes)
    targets[digits, labels[digits]] = YES
    return targets


def find_gradients(
    network: FeedForward,
    signals: Sequence[FloatArray],
    targets: FloatArray,
    loss: str = "cross-entropy",
    disturbance: Disturbance = NOTHING,
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Find how the loss changes with every link weight and every bias.

    Parameters
    ----------
    network : whose `forward` gave `signals` for a batch
    signals : every layer's signals, (batch, nodes) each
    targets : float32 (batch, output nodes)
    loss : a name in `trainer.losses.LOSSES`
    disturbance : what changed the signals on their way, if anything did

    Returns
    -------
    the gradients of the mean loss for the weights and for the biases, shaped like them

    Source: Rashid, "Make Your Own Neural Network": errors go back through the links as w^T . e.
    """
    slope = ACTIVATIONS[network.activation].slope
    fields = network.fields if isinstance(network, FieldNetwork) else ()
    errors: FloatArray = LOSSES[loss].errors(signals[-1], targets) / np.float32(len(targets))
    weight_gradients: list[FloatArray] = []
    bias_gradients: list[FloatArray] = []
    for index in reversed(range(len(network.weights))):
        matrix, has_fields = network.weights[index], index < len(fields)
        if has_fields:
            weight_gradients.insert(0, fields[index].find_gradient(errors, signals[index]))
        else:
            weight_gradients.insert(0, errors.T @ signals[index])
        bias_gradients.insert(0, errors.sum(axis=0).reshape(-1, len(matrix)).sum(axis=0))
        if index:
            errors = fields[index].send_back(errors, matrix) if has_fields else errors @ matrix
            before = disturbance.go_back(index - 1, errors, signals[index])
            errors *= slope(before)
    return weight_gradients, bias_gradients
