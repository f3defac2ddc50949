"""LEDs: the digit on a seven-segment display, on one of ten LEDs or on four, and a status LED.

gpiozero drives them; `GPIOZERO_PIN_FACTORY=mock` gives it pins on a machine that has none.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, cycle, repeat
from typing import TYPE_CHECKING, Any, Protocol

from edge.camera import Frame
from edge.errors import PinError
from shared.digit_finder import NoDigit
from shared.reading import Reading

if TYPE_CHECKING:
    from edge.config import LedSettings
    from edge.settling import Prediction

# How often the status LED blinks before a pause, for the first part that has a problem.
BLINKS = {"broker": 2, "camera": 3, "sight": 3, "leds": 4}
BLINKS_FOR_OTHERS = 5
BLINK_S = 0.2
PAUSE_BLINKS = 5

NO_PINS = (
    "no pins to drive LEDs with ({}): on a Pi 'sudo apt install python3-gpiozero python3-lgpio', gpiozero at "
    'least 2.0, and join the group gpio; elsewhere set GPIOZERO_PIN_FACTORY=mock, or leds.kind = "none"'
)

# The segments a to g of each digit.
SEGMENTS = (
    "1111110", "0110000", "1101101", "1111001", "0110011",
    "1011011", "1011111", "1110000", "1111111", "1111011",
)  # fmt: skip

# On four LEDs zero is ten, as on a telephone's dial: with all of them dark nothing is held up.
BINARY_ZERO = 10


class DigitDisplay(Protocol):
    """What can show a digit on a Pi's pins."""

    pins_needed: int

    def __init__(self, pins: Sequence[int], active_high: bool, brightness: float) -> None:
        """Take the pins, and show nothing."""

    def show(self, digit: int | None) -> None:
        """Show a digit, or with None nothing."""

    def draw(self) -> list[str]:
        """Draw in characters, a line each, what the pins are truly set to."""

    def close(self) -> None:
        """Turn all off and give the pins back."""


class LedRow(ABC):
    """LEDs in a row, each with a meaning of its own."""

    pins_needed: int
    legend = ""

    def __init__(self, pins: Sequence[int], active_high: bool, brightness: float) -> None:
        from gpiozero import LEDBoard

        self._board: Any = LEDBoard(*pins, active_high=active_high, pwm=brightness < 1)
        self._brightness = brightness

    @staticmethod
    @abstractmethod
    def choose(digit: int | None) -> Sequence[int]:
        """Tell which LEDs to light, 0 or 1 for each."""

    def show(self, digit: int | None) -> None:
        """Light the LEDs of a digit."""
        self._board.value = tuple(self._brightness * lit for lit in self.choose(digit))

    def draw(self) -> list[str]:
        """Draw lit LEDs as * over what they stand for."""
        return ["".join("*" if led.is_lit else "." for led in self._board.leds), self.legend]

    def close(self) -> None:
        """Turn all off and give the pins back."""
        self._board.off()
        self._board.close()


class SevenSegmentDisplay(LedRow):
    """A seven-segment display; pins for the segments a to g in that order."""

    pins_needed = 7

    @staticmethod
    def choose(digit: int | None) -> Sequence[int]:
        """The digit's segments."""
        return [0] * 7 if digit is None else [int(lit) for lit in SEGMENTS[digit]]

    def draw(self) -> list[str]:
        """Draw the segments as _ and |."""
        a, b, c, d, e, f, g = (segment.is_lit for segment in self._board.leds)
        return [
            f" {'_' if a else ' '} ",
            f"{'|' if f else ' '}{'_' if g else ' '}{'|' if b else ' '}",
            f"{'|' if e else ' '}{'_' if d else ' '}{'|' if c else ' '}",
        ]


class TenLeds(LedRow):
    """Ten LEDs, pins for 0 to 9; the digit's own is lit."""

    pins_needed = 10
    legend = "0123456789"

    @staticmethod
    def choose(digit: int | None) -> Sequence[int]:
        """The digit's LED."""
        return [int(index == digit) for index in range(10)]


class BinaryLeds(LedRow):
    """Four LEDs that show the digit in binary, pins for 8, 4, 2 and 1; zero is shown as ten."""

    pins_needed = 4
    legend = "8421"

    @staticmethod
    def choose(digit: int | None) -> Sequence[int]:
        """The digit's bits."""
        number = 0 if digit is None else digit or BINARY_ZERO
        return [number >> bit & 1 for bit in (3, 2, 1, 0)]


# Each kind in the configuration.
DISPLAYS: dict[str, type[DigitDisplay]] = {
    "seven-segment": SevenSegmentDisplay,
    "ten": TenLeds,
    "binary": BinaryLeds,
}


class StatusLed:
    """Lit while all is well; otherwise it blinks as often as `BLINKS` says, pauses, and again."""

    def __init__(self, pin: int, active_high: bool) -> None:
        from gpiozero import LED

        self._led: Any = LED(pin, active_high=active_high)
        self._led.source_delay = BLINK_S
        self.tell([])

    def tell(self, parts: Sequence[str]) -> None:
        """Show which part has a problem: the first of these."""
        self._led.source = make_pattern(BLINKS.get(parts[0], BLINKS_FOR_OTHERS) if parts else 0)

    def close(self) -> None:
        """Turn off and give the pin back."""
        self._led.source = None
        self._led.off()
        self._led.close()


def make_pattern(blinks: int) -> Iterator[int]:
    """On and off, a value each `BLINK_S`: always on for 0 blinks, else so many and a pause, for ever."""
    if not blinks:
        return repeat(1)
    return cycle(chain((1, 0) * blinks, (0,) * PAUSE_BLINKS))


def _give_lgpio_a_folder() -> None:
    """Let lgpio leave its pipe in a folder of its own where it could not in the working directory."""
    if "LG_WD" not in os.environ and not os.access(".", os.W_OK):
        folder = tempfile.mkdtemp(prefix="inkling-")
        os.environ["LG_WD"] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


class LedOutput:
    """The LEDs as an output of the daemon."""

    name = "leds"

    def __init__(self, settings: LedSettings) -> None:
        self._settings = settings
        self._display: DigitDisplay | None = None
        self._status: StatusLed | None = None
        self._digit: int | None = None
        self._problem = ""
        if settings.kind == "none" and settings.status_pin is None:
            return
        _give_lgpio_a_folder()
        try:
            from gpiozero import Device, exc

            with warnings.catch_warnings():
                # Which of its ways to the pins gpiozero tried in vain; the error says what to do.
                warnings.simplefilter("ignore", exc.PinFactoryFallback)
                Device.ensure_pin_factory()
        except Exception as error:  # each way to the pins has errors of its own, some of no common kind
            raise PinError(NO_PINS.format(error)) from error
        try:
            if settings.kind != "none":
                self._display = self._make_display(settings)
            if settings.status_pin is not None:
                self._status = StatusLed(settings.status_pin, settings.active_high)
        except Exception as error:  # a pin that another program has is a plain error of lgpio
            self.close()
            raise PinError(
                f"the LEDs' pins cannot be used ({error}): check leds.pins and leds.status_pin"
            ) from error

    def announce(self, prediction: Prediction) -> None:
        """Show the digit."""
        self.show(prediction.reading.digit)

    def withdraw(self) -> None:
        """Turn the digit off."""
        self.show(None)

    def show(self, digit: int | None) -> None:
        """Show a digit, or with None nothing."""
        self._digit = digit
        if self._display is not None:
            self._display.show(digit)

    def dim(self, brightness: float) -> None:
        """Show it as bright as this from now on, a share of full brightness.

        At full brightness pins are simply on: what flickers costs a Pi Zero time.
        """
        if self._display is None or brightness == self._settings.brightness:
            return
        self._settings = replace(self._settings, brightness=brightness)
        try:
            self._display.close()
            self._display = self._make_display(self._settings)
            self._display.show(self._digit)
        except Exception as error:  # as when they were made
            self._display, self._problem = None, f"cannot be dimmed ({error}): restart inkling-edge"

    def _make_display(self, settings: LedSettings) -> DigitDisplay:
        from gpiozero import exc

        display, self._problem = DISPLAYS[settings.kind], ""
        try:
            return display(settings.pins, settings.active_high, settings.brightness)
        except exc.PinPWMError as error:
            self._problem = f"these pins cannot be dimmed ({error}): leds.brightness must be 1"
            return display(settings.pins, settings.active_high, 1.0)

    def follow(self, frame: Frame, reading: Reading | NoDigit) -> None:
        """Nothing to do between predictions: gpiozero blinks by itself.

        Raises
        ------
        PinError : as long as the LEDs cannot be as bright as they should
        """
        if self._problem:
            raise PinError(self._problem)

    def tell_problems(self, parts: Sequence[str]) -> None:
        """Show on the status LED which part has a problem."""
        if self._status is not None:
            self._status.tell(parts)

    def draw(self) -> list[str]:
        """Draw in characters what the LEDs show."""
        return [] if self._display is None else self._display.draw()

    def close(self) -> None:
        """Turn everything off and give the pins back."""
        if self._display is not None:
            self._display.close()
        if self._status is not None:
            self._status.close()
        self._display = self._status = None
