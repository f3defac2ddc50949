"""The self-test: whether a network reads digits at all, and quickly enough for this device."""

from __future__ import annotations

import time

import numpy as np

from shared.digit_image import to_inputs
from shared.errors import BadDeliveryError
from shared.feedforward import FeedForward
from shared.strokes import draw_digit

# A network that has learnt digits at all reads most of these: drawn by program, each twice.
TEST_DIGITS, FEWEST_RIGHT = tuple(range(10)) * 2, 10

# A Pi Zero has a tenth of a second for a frame, and finding the digit takes most of it.
SLOWEST_QUERY_S = 0.05


def check_network(network: FeedForward) -> None:
    """Have a network read digits that are drawn by program.

    Raises
    ------
    BadDeliveryError : if it reads few of them, takes too long, or says what is no number
    """
    random = np.random.default_rng(0)
    right, times_s = 0, []
    for digit in TEST_DIGITS:
        inputs = to_inputs(draw_digit(digit, random))
        began = time.perf_counter()
        outputs = network.query(inputs)
        times_s.append(time.perf_counter() - began)
        if not np.isfinite(outputs).all():
            raise BadDeliveryError("its outputs are no numbers")
        right += int(np.argmax(outputs)) == digit
    if right < FEWEST_RIGHT:
        raise BadDeliveryError(f"it reads only {right} of {len(TEST_DIGITS)} drawn digits")
    if min(times_s) > SLOWEST_QUERY_S:
        raise BadDeliveryError(f"it takes {1000 * min(times_s):.0f} ms for a digit: too slow for this device")
