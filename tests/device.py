"""All of a device but its camera and its LEDs: a test says what is seen."""

import time
from pathlib import Path

import numpy as np

from edge.config import Configuration, DeviceSettings, HealthSettings, MqttSettings, NetworkSettings
from edge.deliveries import Deliveries
from edge.health import Health
from edge.live_settings import LiveSettings
from edge.mqtt import MqttOutput
from edge.settling import Prediction
from edge.weights_store import WeightsStore
from shared.digit_finder import Box
from shared.reading import Reading
from shared.topics import Topics
from shared.weights import TrainedNetwork, load_weights

READINGS = [
    Reading(
        digit,
        0.95,
        np.eye(10, dtype=np.float32)[digit],
        np.zeros((28, 28), np.float32),
        Box(100, 60, 80, 120),
    )
    for digit in range(10)
]


class Device:
    """A device.

    Parameters
    ----------
    settings : of its broker
    name : its own
    run : what its events' ids begin with
    state : its folder; without one it takes no weights
    keys : of who may deliver
    trial_s : how long new weights are watched
    """

    def __init__(
        self,
        settings: MqttSettings,
        name: str = "bench",
        *,
        run: str = "run",
        health_s: float = 1.0,
        state: Path | None = None,
        keys: tuple[str, ...] = (),
        trial_s: float = 1.0,
        own: TrainedNetwork | None = None,
    ) -> None:
        self.health = Health()
        self.seen: list[int] = []
        self._run = run
        configuration = Configuration(
            device=DeviceSettings(name),
            network=NetworkSettings(keys=keys),
            mqtt=settings,
            health=HealthSettings(interval_s=health_s),
        )
        self.deliveries = Deliveries(
            own or load_weights(),
            None if state is None else WeightsStore(state),
            keys,
            name,
            trial_s,
            pace_s=0.1,
            health=self.health,
        )
        self.output = MqttOutput(
            Topics(name), LiveSettings(configuration, state), self.deliveries, self.health, lambda: None
        )

    def see(self, digit: int) -> None:
        """Announce a digit."""
        self.seen.append(digit)
        seq = len(self.seen)
        self.output.announce(Prediction(READINGS[digit], f"{self._run}-{seq}", seq, time.monotonic()))

    def see_many(self, count: int, pause_s: float = 0.02) -> None:
        """Announce digits, one after the other."""
        for _ in range(count):
            self.see(len(self.seen) % 10)
            time.sleep(pause_s)

    @property
    def is_online(self) -> bool:
        """Whether the broker has accepted it."""
        return self.health.state_of("broker") == "ok"
