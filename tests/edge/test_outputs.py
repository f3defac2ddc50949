"""What happens to one part of the daemon stays with it."""

from threading import Event

import numpy as np

from edge.camera import Frame
from edge.config import Configuration, LedSettings
from edge.daemon import watch
from edge.deliveries import Deliveries
from edge.health import Health
from edge.leds import LedOutput
from edge.live_settings import LiveSettings
from tests.edge.test_deliveries import OWN


class Faulty:
    """An output that fails as libraries of pins do: with an error of no kind."""

    name = "faulty"

    def follow(self, frame, reading):
        raise Exception("GPIO busy")


class FewFrames:
    """A camera that gives ten frames of nothing."""

    def frames(self, stop, report):
        for number in range(10):
            yield Frame(np.full((240, 320), 200, np.uint8), number / 10)


class Counter:
    """An output that counts what it is told."""

    name = "counter"

    def __init__(self):
        self.frames = 0

    def follow(self, frame, reading):
        self.frames += 1


def test_an_output_that_fails_is_a_problem_and_keeps_no_other_from_being_told():
    health, counter = Health(), Counter()
    live = LiveSettings(Configuration(), None)
    deliveries = Deliveries(OWN, None, [], "bench", 0.0, 0.1, health)
    outputs = [Faulty(), counter]
    watch(FewFrames(), deliveries, live, LedOutput(LedSettings()), outputs, health, Event())
    assert counter.frames == 10
    assert health.problems == ("faulty: failed: Exception('GPIO busy')",)
