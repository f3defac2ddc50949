"""Views: pictures of what a device's camera sees, checked before anybody opens them."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

from PIL import Image

from shared.errors import BadPictureError
from shared.messages import ViewRequest
from shared.topics import Topics
from trainer.broker import Broker
from trainer.errors import BrokerError, NoAnswerError
from trainer.words import VIEW, Word

# For so many seconds a device can be asked at a time.
LONGEST_REQUEST_S = 60.0

# A device looks twice a second; a camera that gives no frame for so long is stalled.
PICTURE_TIMEOUT_S = 5.0

# Pixels on a side; a device's view has a few hundred.
LARGEST_SIDE = 4096


def look(broker: Broker, device: str, seconds: float) -> Iterator[bytes]:
    """Ask for a device's view and yield it, JPEG by JPEG, for so many seconds; for 0, once.

    Raises
    ------
    NoAnswerError : if no picture comes, although the device answers
    BadPictureError : if what comes is no JPEG
    BrokerError, RefusedRequestError : as `Broker.ask` does
    """
    broker.subscribe(Topics(device).view)
    begin = time.monotonic()
    while True:
        left = seconds - (time.monotonic() - begin)
        broker.ask(device, ViewRequest(seconds=max(0.0, min(left, LONGEST_REQUEST_S))))
        yield from _receive(broker, device, min(left, LONGEST_REQUEST_S))
        if time.monotonic() - begin >= seconds:
            return


def _receive(broker: Broker, device: str, seconds: float) -> Iterator[bytes]:
    """Yield what comes within so many seconds, and at least one picture."""
    until, patience = time.monotonic() + seconds, time.monotonic() + PICTURE_TIMEOUT_S
    came = False
    while (now := time.monotonic()) < until or not came:
        if now > patience:
            raise NoAnswerError(
                f"{device} answers but shows no picture for {PICTURE_TIMEOUT_S:g} s: its camera may be "
                f"stalled; see its problems: inkling-trainer watch --device {device}"
            )
        for word in broker.hear(min(0.25, patience - now)):
            if isinstance(word, Word) and word.kind == VIEW and isinstance(word.message, bytes):
                check_view(word.message)
                came, patience = True, time.monotonic() + PICTURE_TIMEOUT_S
                yield word.message
        if broker.problem is not None:
            raise BrokerError(broker.problem)


def check_view(content: bytes) -> None:
    """Check that a view is a whole JPEG of a sensible size.

    Raises
    ------
    BadPictureError : if it is not
    """
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
            if max(picture.size) > LARGEST_SIDE:
                raise BadPictureError(f"a view of {picture.width} x {picture.height} pixels: it is not kept")
            picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if isinstance(error, BadPictureError):
            raise
        raise BadPictureError("what came as a view is no JPEG: it is not kept") from error
