"""Batch normalisation: signals out of hidden nodes that are 0 on average and 1 strong, whatever is learnt."""

from __future__ import annotations

from typing import NamedTuple

from shared.feedforward import FeedForward, FloatArray

# Added to a variance, lest a node that always says the same be made infinitely loud.
LEAST_VARIANCE = 1e-3


class _Layer(NamedTuple):
    """A layer's signals as they were, (batch, nodes), and over the batch their means and scales, (nodes,)."""

    signals: FloatArray
    mean: FloatArray
    scale: FloatArray


class BatchNormalisation:
    """Makes each hidden node's signals 0 on average over a batch, with a variance of 1.

    It is what comes out of a node that is normalised, rather than the sum that goes in. So there is no
    scale or shift to learn, as the next layer's link weights and biases do both, and so it folds into those.

    Source: Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
    Covariate Shift" (2015), algorithm 1 and the gradients of section 3.
    """

    def __init__(self) -> None:
        self._layers: list[_Layer] = []

    def begin(self) -> None:
        """Forget the last batch."""
        self._layers = []

    def __call__(self, signals: FloatArray) -> None:
        """Normalise a hidden layer's signals, in place."""
        before, mean = signals.copy(), signals.mean(axis=0)
        signals -= mean
        scale = ((signals * signals).mean(axis=0) + LEAST_VARIANCE) ** -0.5
        signals *= scale
        self._layers.append(_Layer(before, mean, scale))

    def go_back(self, layer: int, errors: FloatArray, signals: FloatArray) -> FloatArray:
        """Make of the errors of normalised signals those of what they were before; see `Disturbance`."""
        before, mean, scale = self._layers[layer]
        normalised = (before - mean) * scale
        # A signal also moves the mean and the variance that all others of the batch are measured by.
        normalised *= (errors * normalised).mean(axis=0)
        errors -= errors.mean(axis=0)
        errors -= normalised
        errors *= scale
        return before

    def fold(self, network: FeedForward) -> FeedForward:
        """Make the network that says without normalisation what `network` says with the last batch's."""
        folded = network.copy()
        if folded.biases is None:
            raise ValueError("a network without biases has no place for what normalisation subtracts")
        following = zip(self._layers, folded.weights[1:], folded.biases[1:], strict=True)
        for (_, mean, scale), links, bias in following:
            links *= scale
            bias -= links @ mean
        return folded


def fold_normalisation(network: FeedForward, inputs: FloatArray) -> FeedForward:
    """Make a network that needs no normalisation of one that learnt with it.

    Parameters
    ----------
    network : whose signals were normalised; it needs biases
    inputs : float32 (count, input nodes), of pictures like those that its last epoch learnt from, thousands
        of them if there are so many: their means and variances become part of the weights

    Source: Ioffe and Szegedy (2015), algorithm 2; means and variances measured on many pictures with the
    weights as they are, as in Wu and Johnson, "Rethinking 'Batch' in BatchNorm" (2021), section 3, rather
    than gathered while these changed. So averaged weights have means and variances of their own.
    """
    normalisation = BatchNormalisation()
    network.forward(inputs, normalisation)
    return normalisation.fold(network)
