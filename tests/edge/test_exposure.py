import logging

import pytest

from edge.exposure import HELD, MOST_FRAMES, MOST_TELLINGS, OBEYING_FRAMES, SETTLED_FRAMES, Exposure

EVERYTHING = (*HELD, "AeEnable", "AwbEnable", "Brightness")


def metadata(exposure_us=20000, gain=2.0, colour_gains=(1.5, 2.0)):
    return {
        "ExposureTime": exposure_us,
        "AnalogueGain": gain,
        "ColourGains": colour_gains,
        "SensorTimestamp": 1,
    }


def observe(exposure, *frames):
    """What is told, and with which frame."""
    told = {}
    for number, frame in enumerate(frames):
        if controls := exposure.observe(frame):
            told[number] = controls
    return told


def test_what_has_settled_is_held_and_no_longer_automatic():
    exposure = Exposure(EVERYTHING)
    rising = [metadata(1000 + 1000 * step) for step in range(20)]
    told = observe(exposure, *rising, *[metadata(20100)] * SETTLED_FRAMES)
    assert list(told.values()) == [
        {
            "AeEnable": False,
            "AwbEnable": False,
            "ExposureTime": 20100,
            "AnalogueGain": 2.0,
            "ColourGains": (1.5, 2.0),
        }
    ]
    assert min(told) >= len(rising)


def test_slow_white_balance_alone_is_waited_for():
    exposure = Exposure(EVERYTHING)
    drifting = [metadata(colour_gains=(1.5, 2.0 - 0.01 * step)) for step in range(50)]
    assert not observe(exposure, *drifting)


def test_once_the_camera_obeys_there_is_nothing_more_to_do():
    exposure = Exposure(EVERYTHING)
    observe(exposure, *[metadata()] * SETTLED_FRAMES)
    assert not exposure.is_held
    assert not observe(exposure, *[metadata(19990)] * OBEYING_FRAMES)
    assert exposure.is_held


def test_a_camera_that_does_otherwise_is_told_again_and_then_left_alone(caplog):
    exposure = Exposure(EVERYTHING)
    told = observe(exposure, *[metadata()] * SETTLED_FRAMES, *[metadata(40000)] * (9 * OBEYING_FRAMES))
    assert len(told) == MOST_TELLINGS
    assert all(controls["ExposureTime"] == 20000 for controls in told.values())
    assert exposure.is_held
    assert "told to stay at" in caplog.text


def test_what_never_settles_is_held_at_last(caplog):
    exposure = Exposure(EVERYTHING)
    told = observe(exposure, *[metadata(10000 + 5000 * (step % 2)) for step in range(MOST_FRAMES)])
    assert list(told) == [MOST_FRAMES - 1]
    assert "does not settle" in caplog.text


@pytest.mark.parametrize("controls", [(), ("Brightness", "AeEnable")])
def test_a_camera_without_exposure_is_left_alone(controls):
    assert Exposure(controls).is_held


def test_only_what_the_camera_has_is_told():
    exposure = Exposure(("ColourGains", "AwbEnable"))
    told = observe(exposure, *[metadata()] * SETTLED_FRAMES)
    assert list(told.values()) == [{"AwbEnable": False, "ColourGains": (1.5, 2.0)}]


def test_a_camera_that_says_nothing_of_its_exposure_is_left_alone(caplog):
    caplog.set_level(logging.INFO)
    exposure = Exposure(EVERYTHING)
    assert not observe(exposure, *[{"SensorTimestamp": 1}] * MOST_FRAMES)
    assert exposure.is_held
