"""The daemon: camera -> find -> normalise -> query -> settle -> outputs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from threading import Event
from typing import Protocol

from edge.camera import Camera, Frame, open_camera
from edge.deliveries import Deliveries
from edge.errors import CameraError
from edge.health import Health
from edge.leds import LedOutput
from edge.live_settings import LiveSettings
from edge.service import notify
from edge.settling import Prediction, Settling, Withdrawal
from edge.sight import Sight
from edge.terminal import TerminalOutput
from edge.weights_store import WeightsStore
from shared.digit_finder import NoDigit
from shared.errors import InklingError
from shared.reading import DigitReader, Reading
from shared.topics import Topics
from shared.weights import TrainedNetwork

log = logging.getLogger(__name__)

# systemd waits four times as long for a sign of life (WatchdogSec=20).
SIGN_OF_LIFE_S = 5.0


class Output(Protocol):
    """What the daemon tells of predictions."""

    name: str

    def announce(self, prediction: Prediction) -> None:
        """Say a digit that was settled."""

    def withdraw(self) -> None:
        """Say that it is not held up any more."""

    def follow(self, frame: Frame, reading: Reading | NoDigit) -> None:
        """Do what has to be done with every frame."""

    def close(self) -> None:
        """End: say so where that is customary, and let go of everything."""


def run_daemon(
    live: LiveSettings, trained: TrainedNetwork, stop: Event, *, show: bool, as_json: bool
) -> bool:
    """Open what the configuration names, and read digits until `stop` is set or the camera has no more.

    Returns whether somebody asked for a restart.

    Raises
    ------
    CameraError, PinError, ConfigurationError : if a part cannot be opened, or the camera died for good
    """
    configuration = live.configuration
    topics = Topics(configuration.device.name)
    restart = Event()

    def restart_daemon() -> None:
        restart.set()
        stop.set()

    with ExitStack() as parts:
        leds = LedOutput(configuration.leds)
        parts.callback(_close, leds)
        health = Health(leds.tell_problems)
        deliveries = Deliveries(
            trained,
            None if live.folder is None else WeightsStore(live.folder),
            configuration.network.keys,
            topics.device,
            configuration.network.trial_s,
            1 / configuration.camera.frames_per_second,
            health,
        )
        outputs: list[Output] = [leds]
        if show or as_json:
            outputs.append(TerminalOutput(leds, as_json=as_json))
        if configuration.mqtt.enabled:
            from edge.mqtt import MqttOutput  # paho takes a fifth of a second to import on a Pi Zero

            mqtt = MqttOutput(topics, live, deliveries, health, restart_daemon)
            parts.callback(_close, mqtt)
            outputs.append(mqtt)
        try:
            camera = open_camera(configuration.camera)
            parts.callback(camera.close)
            log.info(
                "%s reads with weights %s from a %s camera",
                topics.device,
                deliveries.running.name,
                configuration.camera.kind,
            )
            watch(camera, deliveries, live, leds, outputs, health, stop)
        except CameraError as error:
            health.report("camera", str(error))  # the outputs still tell it
            raise
        finally:
            notify("STOPPING=1")
    return restart.is_set()


def watch(
    camera: Camera,
    deliveries: Deliveries,
    live: LiveSettings,
    leds: LedOutput,
    outputs: Sequence[Output],
    health: Health,
    stop: Event,
) -> None:
    """Read every frame, settle, and tell the outputs."""
    reader, sight = DigitReader(deliveries.running.network), Sight(health)
    settling = Settling(live.configuration.settling)
    next_sign = 0.0
    for frame in camera.frames(stop, lambda problem: health.report("camera", problem)):
        begin = time.monotonic()
        settling.settings = live.configuration.settling
        leds.dim(live.configuration.leds.brightness)
        reading = _read(reader, frame, deliveries)
        deliveries.observe(time.monotonic() - begin)
        sight.observe(reading, frame.time)
        change = settling.observe(reading, frame.time)
        for output in outputs:
            _tell(output, health, frame, reading, change)
        end = time.monotonic()
        health.count_frame(end - begin)
        if end >= next_sign:
            notify(f"READY=1\nWATCHDOG=1\nSTATUS={'; '.join(health.problems) or 'reading digits'}")
            next_sign = end + SIGN_OF_LIFE_S


def _read(reader: DigitReader, frame: Frame, deliveries: Deliveries) -> Reading | NoDigit:
    """Read a frame with the network that runs now; if that is on trial and fails, with the one before."""
    reader.network = deliveries.running.network
    try:
        return reader.read(frame.pixels)
    except Exception as error:
        if not deliveries.blame(reader.network, error):
            raise
    reader.network = deliveries.running.network
    return reader.read(frame.pixels)


def _tell(
    output: Output,
    health: Health,
    frame: Frame,
    reading: Reading | NoDigit,
    change: Prediction | Withdrawal | None,
) -> None:
    """Tell one output; what it raises stays with it."""
    problem = None
    acts: tuple[Callable[[], None], ...] = (
        lambda: output.follow(frame, reading),
        lambda: _tell_change(output, change),
    )
    for act in acts:
        try:
            act()
        except (InklingError, OSError) as error:
            problem = f"failed: {error}"
        except Exception as error:  # the libraries of pins raise all kinds
            problem = f"failed: {error!r}"
    health.report(output.name, problem)


def _tell_change(output: Output, change: Prediction | Withdrawal | None) -> None:
    if isinstance(change, Prediction):
        output.announce(change)
    elif change is not None:
        output.withdraw()


def _close(output: Output) -> None:
    try:
        output.close()
    except Exception:  # the other outputs still have to be closed
        log.exception("%s: while closing", output.name)
