"""Aiming: tells live how well a digit is framed, to whoever sets the camera up over SSH."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from dataclasses import asdict, dataclass
from threading import Event
from typing import TextIO

from edge.camera import open_camera
from edge.config import Configuration
from edge.sight import WHAT_TO_DO
from shared.digit_finder import Box, FoundDigit, NoDigit
from shared.digit_image import measure_blur
from shared.feedforward import FeedForward
from shared.ink import Bytes
from shared.reading import search_and_read, show_confidence
from shared.traits import FULL_SIZE

# Seconds between two looks: quick enough to aim by, and a Pi Zero has time left for SSH.
INTERVAL_S = 0.25

LARGE = 0.85  # of the frame's shorter side: what is larger is soon cut off

ADVICE = {
    NoDigit.NOTHING: "no digit: hold one up, dark on bright paper",
    NoDigit.NOT_ONE: "not one digit: hold up one alone",
    **WHAT_TO_DO,
}

# Characters for advice about a digit, and before the figure that is always there: a line has 79.
ADVICE_WIDTH, WIDTH = 22, 70

# From the start of the line, and what was longer before is gone.
REWRITE, CLEAR = "\r", "\x1b[K"


@dataclass(frozen=True)
class Framing:
    """How a digit sits in a frame; all but the last two are None where there is none.

    Attributes
    ----------
    digit, confidence : what is read, and the chance that it is right
    box : where, in pixels
    size : its longer side, as a share of the frame's shorter one
    right, down : from the middle of the frame to the digit's, as shares of its width and height
    blur : how far the sides of its strokes reach, as a share of its longer side
    brightness : the frame's mean grey, 0 to 255
    advice : what to do, or that all is good
    """

    digit: int | None
    confidence: float | None
    box: Box | None
    size: float | None
    right: float | None
    down: float | None
    blur: float | None
    brightness: float
    advice: str


def judge_framing(frame: Bytes, network: FeedForward, needed_confidence: float) -> Framing:
    """Tell how a digit sits in a grey frame, uint8 (height, width), and if it is sure enough to be said."""
    search, reading = search_and_read(frame, network)
    brightness = round(float(frame.mean()), 1)
    if isinstance(reading, NoDigit):
        return Framing(None, None, None, None, None, None, None, brightness, ADVICE[reading])
    found, box = search.found, reading.box
    assert isinstance(found, FoundDigit)
    height, width = frame.shape
    size = max(box.width, box.height) / min(frame.shape)
    if box.x == 0 or box.y == 0 or box.x + box.width == width or box.y + box.height == height:
        advice = "move it to the middle"
    elif size < FULL_SIZE:
        advice = "hold it nearer"
    elif size > LARGE:
        advice = "hold it further away"
    elif reading.confidence < needed_confidence:
        advice = "hold still, upright"
    else:
        advice = "good"
    return Framing(
        digit=reading.digit,
        confidence=round(reading.confidence, 6),
        box=box,
        size=round(size, 3),
        right=round((box.x + box.width / 2) / width - 0.5, 3),
        down=round((box.y + box.height / 2) / height - 0.5, 3),
        blur=round(float(measure_blur(found.ink)), 3),
        brightness=brightness,
        advice=advice,
    )


def aim(configuration: Configuration, network: FeedForward, stop: Event, screen: Screen) -> None:
    """Look again and again, until `stop` is set or the camera has no more.

    Raises
    ------
    CameraError : if there is no camera, or it died for good
    """
    with closing(open_camera(configuration.camera)) as camera:
        due = 0.0
        for frame in camera.frames(stop, screen.report):
            if frame.time >= due:
                screen.show(judge_framing(frame.pixels, network, configuration.settling.confidence))
                due = frame.time + INTERVAL_S


class Screen:
    """Where framings are printed: on a terminal in one line, over and over; elsewhere a line each.

    Parameters
    ----------
    stream : such as standard output
    as_json : one object a line, with the keys of `Framing`, also on a terminal
    """

    def __init__(self, stream: TextIO, *, as_json: bool) -> None:
        self._stream = stream
        self._as_json = as_json
        self._in_place = stream.isatty() and not as_json

    def show(self, framing: Framing) -> None:
        """Print a framing."""
        self._print(json.dumps(asdict(framing)) if self._as_json else describe(framing))

    def report(self, problem: str | None) -> None:
        """Print what is wrong with the camera."""
        if problem is not None:
            self._print(json.dumps({"problem": problem}) if self._as_json else f"camera: {problem}")

    def close(self) -> None:
        """Leave the line that was printed over and over."""
        if self._in_place:
            print(file=self._stream)

    def _print(self, line: str) -> None:
        if self._in_place:
            # A line that wraps could not be printed over.
            columns = shutil.get_terminal_size().columns
            print(f"{REWRITE}{line[: columns - 1]}{CLEAR}", end="", file=self._stream, flush=True)
        else:
            print(line, file=self._stream, flush=True)


def describe(framing: Framing) -> str:
    """Tell a framing in one line, the figures in the same places each time."""
    text = framing.advice
    if framing.digit is not None and framing.confidence is not None:
        shares = (framing.size, framing.right, framing.down, framing.blur)
        size, right, down, blur = (round(100 * (share or 0.0)) for share in shares)
        text = (
            f"{text:{ADVICE_WIDTH}}{framing.digit} ({show_confidence(framing.confidence)}) size {size:3}% "
            f"right {right:+3}% down {down:+3}% blur {blur:2}%"
        )
    return f"{text:{WIDTH}} grey {framing.brightness:3.0f}"
