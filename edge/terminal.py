"""The terminal as an output: what the camera shows, what is read, and the LEDs, drawn or as JSON."""

from __future__ import annotations

import json

from edge.camera import Frame
from edge.leds import LedOutput
from edge.settling import Prediction
from shared.digit_finder import NoDigit
from shared.reading import Reading, show_confidence


class TerminalOutput:
    """Prints what happens.

    Parameters
    ----------
    leds : whose pins are drawn, read back after they were set
    as_json : one object a line, with the keys `shows` (what the camera shows now, if it knows), `digit` and
        `confidence` (what was settled; null: withdrawn), and `leds` (their picture, a list of lines)
    """

    name = "terminal"

    def __init__(self, leds: LedOutput, *, as_json: bool) -> None:
        self._leds = leds
        self._as_json = as_json
        self._shows: str | None = None

    def announce(self, prediction: Prediction) -> None:
        """Print what was settled."""
        reading = prediction.reading
        text = f"reads {reading.digit}, confidence {show_confidence(reading.confidence)}"
        self._print(
            text, digit=reading.digit, confidence=round(reading.confidence, 6), leds=self._leds.draw()
        )

    def withdraw(self) -> None:
        """Print that nothing is held up any more."""
        self._print("nothing held up", digit=None, confidence=None, leds=self._leds.draw())

    def follow(self, frame: Frame, reading: Reading | NoDigit) -> None:
        """Print what the camera shows when that changes."""
        if frame.shows != self._shows:
            self._shows = frame.shows
            self._print(f"camera shows {frame.shows or 'nothing'}", shows=frame.shows)

    def close(self) -> None:
        """Nothing to let go of."""

    def _print(self, text: str, leds: list[str] | None = None, **keys: object) -> None:
        if self._as_json:
            line = json.dumps(keys if leds is None else {**keys, "leds": leds})
        else:
            line = "\n    ".join([text, *(leds or [])])
        print(line, flush=True)
