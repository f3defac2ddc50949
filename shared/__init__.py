"""What the trainer and the edge must agree on: one forward pass, one weights file, one way to see.

    from shared import FeedForward, find_digit, load_weights, normalise

    network: FeedForward = load_weights().network
    found = find_digit(frame)  # uint8 (height, width), grey -> a FoundDigit, or a NoDigit that says why not
    image = normalise(found.ink)  # float32 (28, 28), as MNIST has them; 0.0 = paper

`shared.reading.read_digit` does it all and says how sure it is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.digit_finder import find_digit
    from shared.digit_image import normalise
    from shared.feedforward import FeedForward
    from shared.weights import load_weights

__version__ = "0.1.0"

__all__ = ["FeedForward", "__version__", "find_digit", "load_weights", "normalise"]

_ROOMS = {
    "FeedForward": "feedforward",
    "find_digit": "digit_finder",
    "load_weights": "weights",
    "normalise": "digit_image",
}


def __getattr__(name: str) -> Any:
    """Import one of these when it is asked for (PEP 562): who needs only an error need not wait for numpy."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'shared' has no attribute {name!r}")
    return getattr(import_module(f"shared.{_ROOMS[name]}"), name)
