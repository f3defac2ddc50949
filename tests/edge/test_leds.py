import os
import shutil
import time
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin, MockPWMPin

from edge.camera import Frame
from edge.config import LedSettings
from edge.errors import PinError
from edge.leds import BLINK_S, DISPLAYS, PAUSE_BLINKS, LedOutput, make_pattern
from shared.digit_finder import NoDigit
from tests.conftest import wait_until

SEGMENTS = {  # a b c d e f g, as in every data sheet
    0: "1111110", 1: "0110000", 2: "1101101", 3: "1111001", 4: "0110011",
    5: "1011011", 6: "1011111", 7: "1110000", 8: "1111111", 9: "1111011",
}  # fmt: skip
SEVEN = (5, 6, 13, 19, 26, 16, 20)
TEN = tuple(range(4, 14))
FOUR = (4, 17, 27, 22)
FRAME = Frame(np.zeros((240, 320), np.uint8), 0.0)


@pytest.fixture(autouse=True)
def pins():
    """gpiozero's own mock pins, in place of a Pi's."""
    before = Device.pin_factory
    Device.pin_factory = MockFactory()
    yield Device.pin_factory
    if Device.pin_factory is not None:
        Device.pin_factory.reset()
    Device.pin_factory = before


def levels(pins, numbers):
    return "".join(str(int(pins.pin(number).state)) for number in numbers)


@pytest.mark.parametrize("digit", range(10))
def test_a_seven_segment_display_lights_the_segments_of_each_digit(pins, digit):
    output = LedOutput(LedSettings("seven-segment", SEVEN))
    output.show(digit)
    assert levels(pins, SEVEN) == SEGMENTS[digit]
    output.show(None)
    assert levels(pins, SEVEN) == "0000000"
    output.close()


def test_a_common_anode_display_is_driven_the_other_way_round(pins):
    output = LedOutput(LedSettings("seven-segment", SEVEN, active_high=False))
    assert levels(pins, SEVEN) == "1111111"
    output.show(1)
    assert levels(pins, SEVEN) == "1001111"
    output.close()


@pytest.mark.parametrize("digit", range(10))
def test_of_ten_leds_the_digits_own_is_lit(pins, digit):
    output = LedOutput(LedSettings("ten", TEN))
    output.show(digit)
    assert levels(pins, TEN) == "".join("1" if index == digit else "0" for index in range(10))
    output.close()


@pytest.mark.parametrize(
    ("digit", "bits"), [(1, "0001"), (6, "0110"), (9, "1001"), (0, "1010"), (None, "0000")]
)
def test_four_leds_show_binary_and_zero_differs_from_nothing(pins, digit, bits):
    output = LedOutput(LedSettings("binary", FOUR))
    output.show(digit)
    assert levels(pins, FOUR) == bits
    output.close()


def states(pins, numbers):
    return [round(float(pins.pin(number).state), 3) for number in numbers]


@pytest.mark.parametrize(("kind", "numbers"), [("seven-segment", SEVEN), ("ten", TEN), ("binary", FOUR)])
def test_leds_can_be_dimmed_while_they_show_a_digit_and_be_bright_again(kind, numbers):
    pins = Device.pin_factory = MockFactory(pin_class=MockPWMPin)
    output = LedOutput(LedSettings(kind, numbers))
    output.show(7)
    bright = states(pins, numbers)
    output.dim(0.25)
    assert states(pins, numbers) == [state / 4 for state in bright]
    output.show(8)
    assert max(states(pins, numbers)) == 0.25
    output.dim(1.0)
    output.show(7)
    assert states(pins, numbers) == bright
    output.follow(FRAME, NoDigit.NOTHING)
    output.close()
    assert not any(states(pins, numbers))


@pytest.mark.parametrize("at_start", [0.5, 1.0])
def test_pins_that_cannot_be_dimmed_stay_bright_and_that_is_said(pins, at_start):
    output = LedOutput(LedSettings("seven-segment", SEVEN, brightness=at_start))
    output.dim(0.5)
    output.show(1)
    assert levels(pins, SEVEN) == SEGMENTS[1]
    with pytest.raises(PinError, match=r"cannot be dimmed .*: leds\.brightness must be 1"):
        output.follow(FRAME, NoDigit.NOTHING)
    output.dim(1.0)
    output.follow(FRAME, NoDigit.NOTHING)
    assert levels(pins, SEVEN) == SEGMENTS[1]
    output.close()


def test_leds_that_fail_when_they_are_dimmed_are_a_problem_and_not_the_daemons_end(monkeypatch):
    Device.pin_factory = MockFactory(pin_class=MockPWMPin)
    output = LedOutput(LedSettings("binary", FOUR))

    def fail(*_):
        raise Exception("GPIO busy")  # as lgpio does

    monkeypatch.setitem(DISPLAYS, "binary", fail)
    output.dim(0.5)
    output.show(3)
    with pytest.raises(PinError, match=r"cannot be dimmed \(GPIO busy\): restart"):
        output.follow(FRAME, NoDigit.NOTHING)
    output.close()


def test_the_drawing_is_of_the_pins_as_they_are(pins):
    output = LedOutput(LedSettings("seven-segment", SEVEN))
    output.show(2)
    assert output.draw() == [" _ ", " _|", "|_ "]
    output.close()
    output = LedOutput(LedSettings("ten", TEN))
    output.show(2)
    assert output.draw() == ["..*.......", "0123456789"]
    output.close()
    output = LedOutput(LedSettings("binary", FOUR))
    output.show(2)
    assert output.draw() == ["..*.", "8421"]
    output.close()


@pytest.mark.parametrize("settings", [LedSettings("ten", TEN), LedSettings("binary", FOUR)])
def test_closing_turns_everything_off_and_gives_the_pins_back(pins, settings):
    output = LedOutput(settings)
    output.show(3)
    numbers = settings.pins
    output.close()
    assert levels(pins, numbers) == "0" * len(numbers)
    LedOutput(settings).close()


def test_the_status_led_is_lit_while_all_is_well(pins):
    output = LedOutput(LedSettings(status_pin=21))
    wait_until(lambda: levels(pins, [21]) == "1")
    time.sleep(3 * BLINK_S)
    assert levels(pins, [21]) == "1"
    output.close()
    assert levels(pins, [21]) == "0"


def test_the_status_led_blinks_while_something_is_wrong(pins):
    output = LedOutput(LedSettings(status_pin=21))
    output.tell_problems(["camera"])
    for level in "0101":
        wait_until(lambda level=level: levels(pins, [21]) == level)
    output.tell_problems([])
    wait_until(lambda: levels(pins, [21]) == "1")
    output.close()


@pytest.mark.parametrize("blinks", [2, 3, 5])
def test_a_pattern_is_so_many_blinks_and_a_pause_for_ever(blinks):
    once = [1, 0] * blinks + [0] * PAUSE_BLINKS
    assert list(islice(make_pattern(blinks), 2 * len(once))) == once * 2


def test_no_pins_at_all_says_what_to_do(monkeypatch):
    Device.pin_factory = None
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "pigpio")
    with pytest.raises(PinError, match=r"no pins to drive LEDs with \(.*\): .*GPIOZERO_PIN_FACTORY=mock"):
        LedOutput(LedSettings("binary", FOUR))


def test_why_there_are_no_pins_is_said_whatever_their_library_raises(monkeypatch):
    def fail():
        raise Exception("can not open gpiochip")  # as lgpio does

    monkeypatch.setattr(Device, "ensure_pin_factory", fail)
    with pytest.raises(PinError, match=r"no pins .*\(can not open gpiochip\).*python3-lgpio"):
        LedOutput(LedSettings("binary", FOUR))


def test_a_pin_that_another_program_has_is_said_and_the_others_given_back(pins, monkeypatch):
    def output_with_state(self, state):
        if self.info.name == "GPIO27":
            raise Exception("GPIO busy")  # as lgpio does
        self.function = "output"
        self.state = state

    with monkeypatch.context() as busy:
        busy.setattr(MockPin, "output_with_state", output_with_state)
        with pytest.raises(PinError, match=r"cannot be used \(GPIO busy\): check leds.pins"):
            LedOutput(LedSettings("binary", FOUR))
    LedOutput(LedSettings("binary", FOUR)).close()


def test_without_leds_no_pins_are_needed(monkeypatch):
    Device.pin_factory = None
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "pigpio")
    output = LedOutput(LedSettings())
    output.show(3)
    output.tell_problems(["camera"])
    assert output.draw() == []
    output.close()


def test_pins_that_are_taken_are_said_and_the_others_given_back(pins):
    first = LedOutput(LedSettings(status_pin=17))
    with pytest.raises(PinError, match=r"pins cannot be used .*GPIO17"):
        LedOutput(LedSettings("binary", FOUR))
    first.close()
    LedOutput(LedSettings("binary", FOUR)).close()


def test_lgpio_gets_a_folder_where_it_could_not_write_in_the_working_directory(monkeypatch):
    monkeypatch.setenv("LG_WD", "")  # so that it is put back afterwards
    monkeypatch.delenv("LG_WD")
    with closing(LedOutput(LedSettings("binary", FOUR))):
        assert "LG_WD" not in os.environ
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with closing(LedOutput(LedSettings("binary", FOUR))):
        folder = Path(os.environ["LG_WD"])
    assert folder.is_dir()
    shutil.rmtree(folder)
