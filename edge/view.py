"""The view: a small picture of what the camera sees and what the network sees, for who aims the camera."""

from __future__ import annotations

import io
import time
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.camera import Frame
from shared.digit_finder import Box, NoDigit
from shared.digit_image import IMAGE_SIZE
from shared.reading import Reading

# The camera's picture is no wider than this, in pixels; beside it is the network's, so many times enlarged.
WIDEST = 320
ENLARGED = 4

BOX_COLOUR = (255, 176, 0)
BACKGROUND = (32, 32, 32)
JPEG_QUALITY = 80

# Seconds between two pictures: what a Pi Zero has the time for while it reads, too.
INTERVAL_S = 0.5


class Glimpse(NamedTuple):
    """What was seen in a frame, grey uint8 (height, width), and what was read in it."""

    pixels: npt.NDArray[np.uint8]
    reading: Reading | NoDigit


class ViewFinder:
    """Keeps what was seen last, while somebody wants to look at it.

    Frames come from the daemon's thread, all else is called in the link's.
    """

    def __init__(self) -> None:
        self._wanted_until = float("-inf")
        self._next = 0.0
        self._one_is_owed = False
        self._glimpse: Glimpse | None = None

    def ask(self, seconds: float) -> dict[str, Any]:
        """Look for so many seconds; for 0, once."""
        self._wanted_until = max(self._wanted_until, time.monotonic() + seconds)
        self._one_is_owed = True
        return {"seconds": seconds}

    def observe(self, frame: Frame, reading: Reading | NoDigit) -> bool:
        """Take a frame if one is wanted now; tells whether it was."""
        now = time.monotonic()
        if not self._one_is_owed and (now > self._wanted_until or now < self._next):
            return False
        self._one_is_owed, self._next = False, now + INTERVAL_S
        self._glimpse = Glimpse(frame.pixels.copy(), reading)  # a camera may use the frame again
        return True

    def take(self) -> bytes | None:
        """Draw what was seen, unless it has been drawn."""
        glimpse, self._glimpse = self._glimpse, None
        return None if glimpse is None else draw_view(glimpse)


def draw_view(glimpse: Glimpse) -> bytes:
    """Draw a JPEG: the frame with the digit's box, and beside it what the network saw, white on black."""
    from PIL import Image, ImageDraw  # only who is asked for a picture pays for it

    frame = Image.fromarray(glimpse.pixels).convert("RGB")
    scale = min(1.0, WIDEST / frame.width)
    frame = frame.resize((round(frame.width * scale), round(frame.height * scale)))
    side = ENLARGED * IMAGE_SIZE
    picture = Image.new("RGB", (frame.width + side, max(frame.height, side)), BACKGROUND)
    picture.paste(frame, (0, 0))
    if isinstance(glimpse.reading, Reading):
        ImageDraw.Draw(picture).rectangle(_scale(glimpse.reading.box, scale), outline=BOX_COLOUR, width=2)
        digit = Image.fromarray(np.rint(glimpse.reading.image * 255).astype(np.uint8))
        picture.paste(digit.resize((side, side), Image.Resampling.NEAREST), (frame.width, 0))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def _scale(box: Box, scale: float) -> tuple[float, float, float, float]:
    x, y, width, height = box
    return scale * x, scale * y, scale * (x + width) - 1, scale * (y + height) - 1
