"""The reader: the network on the laptop, what it says of a drawing, and what goes on inside it."""

from __future__ import annotations

import base64
import threading
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from shared.digit_image import IMAGE_SIZE, normalise, to_inputs
from shared.errors import NoInkError
from shared.feedforward import FeedForward, FloatArray
from shared.messages import encode_image
from shared.reading import NO, tell_confidence
from shared.strokes import draw_digit
from shared.weights import TrainedNetwork
from trainer.backquery import backquery, climb, find_input_gradients
from trainer.dashboard.errors import BadRequestError

# A drawing has at most so many pixels on a side.
LARGEST_DRAWING = 512

# So many hidden nodes are shown, at most.
MOST_NODES = 400


class Reader:
    """Reads with one network; may be used in several threads."""

    def __init__(self, trained: TrainedNetwork) -> None:
        self.trained = trained
        self._network = trained.network.copy()
        self._lock = threading.Lock()  # a network's nodes hold one query's signals at a time

    def describe(self) -> dict[str, Any]:
        """Describe the network for the page."""
        return {
            "name": self.trained.name,
            "layers": list(self._network.layers),
            "activation": self._network.activation,
        }

    def read_drawing(self, content: bytes) -> dict[str, Any]:
        """Read a drawing: square, a byte a pixel, row by row, 255 = ink.

        Returns
        -------
        the answer; only "digit", which is None, if there is no ink

        Raises
        ------
        BadRequestError : if it is no square, or too large
        """
        side = round(len(content) ** 0.5)
        if side * side != len(content) or not IMAGE_SIZE <= side <= LARGEST_DRAWING:
            raise BadRequestError(
                f"a drawing of {len(content)} bytes: send {IMAGE_SIZE} to {LARGEST_DRAWING} pixels squared"
            )
        ink = np.frombuffer(content, np.uint8).reshape(side, side).astype(np.float32) / np.float32(255)
        try:
            return self._read(normalise(ink))
        except NoInkError:
            return {"digit": None}

    def read_image(self, content: bytes) -> dict[str, Any]:
        """Read a 28x28 picture, a byte a pixel, 255 = ink, as it is.

        Raises
        ------
        BadRequestError : if it has another size
        """
        if len(content) != IMAGE_SIZE * IMAGE_SIZE:
            raise BadRequestError(f"a picture of {len(content)} bytes: send {IMAGE_SIZE * IMAGE_SIZE}")
        image = np.frombuffer(content, np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE)
        return self._read(image.astype(np.float32) / np.float32(255))

    @cached_property
    def inside(self) -> dict[str, Any]:
        """What is inside the network, for the page: backqueries, and the hidden nodes' weights."""
        network = self.trained.network.copy()
        with threadpool_limits(1, "blas"):
            asked, climbed = backquery(network), climb(network)
            answers = network.query(np.concatenate((asked, climbed)))
        minds = [
            {
                "digit": digit,
                "backquery": _encode_inputs(asked[digit]),
                "backquery_read": int(answers[digit].argmax()),
                "climbed": _encode_inputs(climbed[digit]),
                "climbed_read": int(answers[10 + digit].argmax()),
            }
            for digit in range(10)
        ]
        first, last = network.weights[0], network.weights[-1]
        # The strongest first: what a node sees times what is made of it.
        strength = np.linalg.norm(first, axis=1)
        if len(network.weights) == 2:
            strength = strength * np.linalg.norm(last, axis=0)
        order = np.argsort(-strength, kind="stable")[:MOST_NODES]
        nodes = [
            {
                "number": int(index),
                "weights": _encode_signed(first[index]),
                "to": [round(float(weight), 3) for weight in last[:, index]]
                if len(network.weights) == 2
                else None,
            }
            for index in order
        ]
        return {"minds": minds, "nodes": nodes, "hidden": network.layers[1], **self.describe()}

    def _read(self, image: FloatArray) -> dict[str, Any]:
        inputs = to_inputs(image)
        with self._lock:
            outputs = self._network.query(inputs)
            spoke = find_contributions(self._network, inputs, int(outputs.argmax()))
        return {
            "digit": int(outputs.argmax()),
            "confidence": tell_confidence(outputs),
            "outputs": [round(float(output), 4) for output in outputs],
            "image": encode_image(image),
            "spoke": _encode_signed(spoke),
        }


def find_contributions(network: FeedForward, inputs: FloatArray, digit: int) -> FloatArray:
    """How much each input's ink spoke for a digit, or against it: float32 (784,).

    The gradient of the digit's sum, before its sigmoid, times what the input has above paper: to first order
    what the sum would lose if that ink were paper.

    Source: Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks" (2014), and Shrikumar et
    al., "Not Just a Black Box" (2016), for gradient times input.
    """
    gradients = find_input_gradients(network, np.tile(inputs, (10, 1)))
    contributions: FloatArray = gradients[digit] * (inputs - np.float32(NO))
    return contributions


def draw_example(digit: int, seed: int) -> str:
    """Draw an example of a digit, for who has no mouse: base64 of 28x28 bytes, 255 = ink."""
    ink = draw_digit(digit, np.random.default_rng(seed))
    return base64.b64encode(np.rint(np.clip(ink, 0, 1) * 255).astype(np.uint8).tobytes()).decode()


def _encode_inputs(inputs: FloatArray) -> str:
    """Encode inputs, 0.01 to 1, as base64 of bytes, 255 = ink."""
    ink = (inputs - np.float32(NO)) / np.float32(1 - NO)
    return base64.b64encode(np.rint(np.clip(ink, 0, 1) * 255).astype(np.uint8).tobytes()).decode()


def _encode_signed(values: npt.NDArray[np.float32]) -> str:
    """Encode values as base64 of bytes: 128 is none, 255 the largest and 1 as much on the other side."""
    largest = float(np.abs(values).max()) or 1.0
    return base64.b64encode((128 + np.rint(values / largest * 127)).astype(np.uint8).tobytes()).decode()
