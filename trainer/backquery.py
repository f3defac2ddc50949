"""Backquery: what a network has in mind when it thinks of a digit.

Three pictures of each digit, which show different things:

- the average of a data set's pictures of it, which needs no network at all;
- the talk's backquery, which sends an answer backwards through the links;
- the picture that excites its output node most, which gradient ascent climbs to from grey.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import logit
from threadpoolctl import threadpool_limits

from shared.digit_image import to_inputs
from shared.feedforward import ACTIVATIONS, OUTPUT_ACTIVATION, FeedForward, FloatArray
from shared.reading import NO, YES
from trainer.datasets import Dataset
from trainer.errors import BadSettingError

Signals: TypeAlias = npt.NDArray[np.float64]

DIGITS = 10

# How many steps the ascent takes, and how far each goes: the brightest change of a pixel.
STEPS, LENGTH = 200, 0.02

# Half ink everywhere.
GREY = 0.5


def make_minds(network: FeedForward, dataset: Dataset) -> dict[str, FloatArray]:
    """All three pictures of each digit, by what they are called; float32 (10, 784) each, as inputs.

    Raises
    ------
    BadSettingError : if a digit is missing from the data set
    """
    # Matrix products of this size take longer to share out between cores than to do.
    with threadpool_limits(1, "blas"):
        excited = climb(network)
    return {
        f"average of\n{dataset.name}": average_digits(dataset),
        "backquery:\nan answer sent\nbackwards": backquery(network),
        "what excites\nits node most": excited,
    }


def average_digits(dataset: Dataset) -> FloatArray:
    """The average picture of each digit: float32 (10, 784), as inputs, 0.01 to 1.

    Raises
    ------
    BadSettingError : if a digit is missing from the data set
    """
    missing = sorted(set(range(DIGITS)) - set(dataset.labels.tolist()))
    if missing:
        raise BadSettingError(f"{dataset.name}: no picture of a {missing[0]} in it to take the average of")
    means = [
        dataset.images[dataset.labels == digit].mean(axis=0, dtype=np.float64) for digit in range(DIGITS)
    ]
    return to_inputs((np.stack(means) / 255).astype(np.float32))


def backquery(network: FeedForward) -> FloatArray:
    """Ask backwards: which inputs would come of an answer, for each digit; float32 (10, 784), 0.01 to 1.

    From the output layer on, each layer's signals become sums by the inverse of what squashes them, less
    the biases; the sums go back through the links, and what arrives at the layer before is stretched from
    its lowest to its highest until it could be signals, as in the book. No sums before a relu below 0 can
    be told from its signals, since it passes only what is above: there the signals are taken as the sums.
    As a relu's signals know no highest either, its biases would drown what comes of one answer: so what all
    answers have in common, and the biases with it, is left out there.

    Source: Rashid, "Make Your Own Neural Network", part 3, "Inside the mind of a neural network".
    """
    signals = np.where(np.eye(DIGITS, dtype=np.bool_), YES, NO)
    for index in reversed(range(len(network.weights))):
        is_output = index == len(network.weights) - 1
        activation = OUTPUT_ACTIVATION if is_output else network.activation
        sums = logit(signals) if activation == "sigmoid" else signals
        if network.biases is not None:
            sums = sums - network.biases[index]
        arrived = sums @ network.weights[index].astype(np.float64)
        if activation == "relu":
            arrived -= arrived.mean(axis=0)
        # Inputs reach from 0.01 to 1; a sigmoid's signals must stay off 1, whose inverse is infinite.
        signals = _stretch(arrived, NO, YES if index else 1.0)
    return signals.astype(np.float32)


def _stretch(arrived: Signals, lowest: float, highest: float) -> Signals:
    """Stretch each row until it reaches from the lowest to the highest; a row that is all alike stays low."""
    above = arrived - arrived.min(axis=1, keepdims=True)
    spans = above.max(axis=1, keepdims=True)
    spans[spans == 0] = 1
    stretched: Signals = lowest + (highest - lowest) * above / spans
    return stretched


def climb(network: FeedForward, steps: int = STEPS) -> FloatArray:
    """Find the inputs that excite each output node most, from grey; float32 (10, 784), 0.01 to 1.

    Each step goes up the gradient of the node's sum, before sigmoid, which flattens where it is most
    excited; pixels stay between paper and ink.

    Source: Erhan, Bengio, Courville and Vincent, "Visualizing Higher-Layer Features of a Deep
    Network" (2009).
    """
    inputs = np.full((DIGITS, network.layers[0]), GREY, np.float32)
    for _ in range(steps):
        gradients = find_input_gradients(network, inputs)
        largest = np.abs(gradients).max(axis=1, keepdims=True)
        largest[largest == 0] = 1
        inputs += np.float32(LENGTH) * gradients / largest
        np.clip(inputs, np.float32(NO), np.float32(1), out=inputs)
    return inputs


def find_input_gradients(network: FeedForward, inputs: FloatArray) -> FloatArray:
    """How the sum of output node i changes with the inputs in row i: float32 (10, 784)."""
    signals = network.forward(inputs)
    slope = ACTIVATIONS[network.activation].slope
    gradients: FloatArray = np.eye(DIGITS, dtype=np.float32)
    for index in reversed(range(len(network.weights))):
        gradients = gradients @ network.weights[index]
        if index:
            gradients *= slope(signals[index])
    return gradients
