"""Losses: how wrong the outputs are, and what each output node's sum had to do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from shared.feedforward import FloatArray

# So near to 0 and 1 an output counts, for its logarithm to be finite.
SURE = 1e-7


class Loss(NamedTuple):
    """How wrong sigmoid outputs are, float32 (batch, output nodes), against targets of that shape.

    Attributes
    ----------
    measure : the sum over nodes, averaged over the batch
    errors : how an input's loss changes with the sum of signals into each output node, (batch, output nodes)
    """

    measure: Callable[[FloatArray, FloatArray], float]
    errors: Callable[[FloatArray, FloatArray], FloatArray]


def measure_cross_entropy(outputs: FloatArray, targets: FloatArray) -> float:
    """Each output is taken as the chance that its digit is there: -log of the chance of what is there."""
    safe = np.clip(outputs, SURE, 1 - SURE)
    return float(-(targets * np.log(safe) + (1 - targets) * np.log(1 - safe)).sum() / len(outputs))


def measure_squared_error(outputs: FloatArray, targets: FloatArray) -> float:
    """Half the squared distance, so that the error itself is what goes back."""
    return float(((outputs - targets) ** 2).sum() / (2 * len(outputs)))


def measure_focal(outputs: FloatArray, targets: FloatArray) -> float:
    """What the errors below add up to on the way from the target to the output; 0 where both are the same."""

    output, target = (np.clip(chances, SURE, 1 - SURE, dtype=np.float64) for chances in (outputs, targets))
    ways = (
        target**2 * np.log(output / target)
        - (1 - target) ** 2 * np.log((1 - output) / (1 - target))
        - (output - target)
    )
    return float(2 * np.abs(ways).sum() / len(outputs))


def find_focal_errors(outputs: FloatArray, targets: FloatArray) -> FloatArray:
    """Cross-entropy's errors, each weighed by its own size: twice that, so that an error of a half stays."""
    errors = outputs - targets
    weighed: FloatArray = 2 * np.abs(errors) * errors
    return weighed


# The talk learns from the squared error, with errors (output - target) * output * (1 - output). With
# cross-entropy the slope of the output layer cancels (Bishop, "Pattern Recognition and Machine Learning",
# section 5.3), so that an output that is badly wrong is not stuck.
# With "focal" a network too small to learn everything spends itself on what it reads wrong rather than on
# making sure of what it reads right. Lin et al., "Focal Loss for Dense Object Detection" (2017), weigh the
# loss; here it is the errors, so that the loss is still least at the targets. Where a picture may be one
# digit or another, outputs become less sure than the odds are, about their root: calibration mends that.
LOSSES = {
    "cross-entropy": Loss(measure_cross_entropy, lambda outputs, targets: outputs - targets),
    "focal": Loss(measure_focal, find_focal_errors),
    "squared-error": Loss(
        measure_squared_error, lambda outputs, targets: (outputs - targets) * outputs * (1 - outputs)
    ),
}
