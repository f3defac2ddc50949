"""Weights are replaced while frames are read: none is missed, and nothing piles up."""

import threading
import time
from itertools import count

import numpy as np

from edge.camera import Frame
from edge.config import Configuration, LedSettings
from edge.daemon import watch
from edge.deliveries import Deliveries
from edge.health import Health, measure_memory_mb
from edge.leds import LedOutput
from edge.live_settings import LiveSettings
from edge.weights_store import WeightsStore
from shared.reading import Reading
from shared.strokes import draw_digit
from tests.edge.test_deliveries import KEY, OWN, make_weights, run

DELIVERIES = 100


class FullRate:
    """A camera that gives the next frame as soon as the last one is done."""

    def __init__(self):
        paper = np.full((240, 320), 200, np.uint8)
        ink = np.kron(draw_digit(7, np.random.default_rng(0)), np.ones((6, 6)))
        paper[30:198, 80:248] = 200 - np.uint8(160 * ink)
        self._noise = np.random.default_rng(0).integers(-20, 20, (8, 240, 320))
        self._paper = paper.astype(np.int16)
        self.taken = 0

    def frames(self, stop, report):
        for self.taken in count(1):
            if stop.is_set():
                return
            pixels = np.clip(self._paper + self._noise[self.taken % 8], 0, 255).astype(np.uint8)
            yield Frame(pixels, time.monotonic())

    def close(self):
        pass


class Counter:
    """An output that counts what it is told."""

    name = "counter"

    def __init__(self):
        self.followed = self.digits = 0
        self.announced = []

    def follow(self, frame, reading):
        self.followed += 1
        self.digits += isinstance(reading, Reading) and reading.digit == 7

    def announce(self, prediction):
        self.announced.append(prediction.reading.digit)

    def withdraw(self):
        self.announced.append(None)

    def close(self):
        pass


def test_a_hundred_deliveries_at_full_rate_miss_no_frame_and_leave_nothing_behind(tmp_path):
    contents = [make_weights(tmp_path, note) for note in "ab"]
    health, camera, counter, stop = Health(), FullRate(), Counter(), threading.Event()
    deliveries = Deliveries(OWN, WeightsStore(tmp_path / "state"), (KEY,), "bench", 0.0, 0.1, health)
    daemon = threading.Thread(
        target=watch,
        args=(
            camera,
            deliveries,
            LiveSettings(Configuration(), None),
            LedOutput(LedSettings()),
            [counter],
            health,
            stop,
        ),
    )
    daemon.start()
    memory_mb = 0.0
    for serial in range(1, DELIVERIES + 1):
        assert deliveries.take(run(contents[serial % 2], serial), for_all=False) is None
        while (answer := deliveries.judge()) is None:
            time.sleep(0.001)
        assert answer.status == "ok", answer.error
        if serial == DELIVERIES // 4:
            memory_mb = measure_memory_mb()
    stop.set()
    daemon.join()
    assert counter.followed >= camera.taken - 1 > DELIVERIES * 10
    assert counter.digits == counter.followed  # and each was read right, by whichever network
    assert counter.announced == [7]
    assert measure_memory_mb() - memory_mb < 10
    assert threading.active_count() == 1 or not daemon.is_alive()
    assert len(list((tmp_path / "state" / "weights").iterdir())) == 3
