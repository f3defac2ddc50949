"""The check: tries each part of the device, and says what is wrong with it and what to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from threading import Event

from edge.camera import open_camera
from edge.config import Configuration
from edge.errors import CameraError
from edge.leds import LedOutput
from edge.self_test import check_network
from shared import surroundings
from shared.errors import InklingError
from shared.topics import Topics
from shared.weights import load_weights

BROKER_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Finding:
    """What was found out about a part: `ok`, and a sentence that says what it is or what to do."""

    part: str
    ok: bool
    text: str


def check_parts(configuration: Configuration) -> Iterator[Finding]:
    """Try the weights, the camera, the LEDs and the broker, one after the other."""
    parts: dict[str, Callable[[Configuration], str]] = {
        "weights": check_weights,
        "camera": check_camera,
        "leds": check_leds,
        "broker": check_broker,
    }
    for part, check in parts.items():
        try:
            yield Finding(part, True, check(configuration))
        except (InklingError, OSError) as error:
            yield Finding(part, False, str(error))


def check_weights(configuration: Configuration) -> str:
    """Load the weights and have them read drawn digits, as weights that are delivered have to."""
    trained = load_weights(configuration.network.path)
    check_network(trained.network)
    surroundings.prepare()
    return f"{trained.name}, layers {'-'.join(map(str, trained.network.layers))}"


def check_camera(configuration: Configuration) -> str:
    """Take one frame."""
    problems: list[str | None] = []
    with closing(open_camera(configuration.camera)) as camera:
        frame = next(camera.frames(Event(), problems.append), None)
    if any(problems):
        raise CameraError("; ".join(problem for problem in problems if problem))
    if frame is None:
        raise CameraError(f"the {configuration.camera.kind} camera gives no frames")
    height, width = frame.pixels.shape
    return f"{configuration.camera.kind}, {width}x{height}, mean grey {frame.pixels.mean():.0f} of 255"


def check_leds(configuration: Configuration) -> str:
    """Light every digit in turn, so that whoever stands by can see it."""
    leds = configuration.leds
    with closing(LedOutput(leds)) as output:
        if leds.kind == "none":
            return "none" if leds.status_pin is None else f"status LED on pin {leds.status_pin}"
        for digit in range(10):
            output.show(digit)
            time.sleep(0.1)
        output.show(None)
    return f"{leds.kind} on pins {', '.join(map(str, leds.pins))}: each digit was shown in turn"


def check_broker(configuration: Configuration) -> str:
    """Connect to the broker with the device's credentials."""
    settings = configuration.mqtt
    if not settings.enabled:
        return "not used (mqtt.enabled = false)"
    from edge.broker import try_broker

    try_broker(settings, Topics(configuration.device.name), BROKER_TIMEOUT_S)
    return f"{settings.where} accepts us as {configuration.device.name}"
