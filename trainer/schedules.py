"""Learning-rate schedules: what share of the first step's length is left."""

from __future__ import annotations

import math
from collections.abc import Callable

# Each is told the share of training that is still to come, 1 to 0.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda left: 1.0,
    "linear": lambda left: left,
    # Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), equation 5.
    "cosine": lambda left: (1 - math.cos(math.pi * left)) / 2,
}
