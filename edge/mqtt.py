"""MQTT: says over a broker what is held up, and keeps what it could not say yet.

paho-mqtt is met here and nowhere else. It runs a thread of its own for the network; its callbacks only
leave a note here, and all else happens in the daemon's own thread, in `tend`. So no lock is needed, and
no callback can fail: an exception in one would end paho's thread without a word.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.camera import Frame
from edge.clock import tell_time
from edge.config import MqttSettings
from edge.errors import BrokerError, ConfigurationError
from edge.health import Health, measure_memory_mb, measure_temperature_c
from edge.outbox import Message, Outbox
from edge.settling import Prediction
from shared.digit_finder import NoDigit
from shared.messages import (
    Availability,
    EventMessage,
    HealthMessage,
    InfoMessage,
    PredictionMessage,
    Topics,
    encode,
    encode_image,
)
from shared.reading import Reading

log = logging.getLogger(__name__)

PART = "broker"
QOS = 1
KEEPALIVE_S = 30

# Reconnecting waits longer each time, from about a second to this; the first wait is drawn at random, so
# that a broker that comes back does not meet all its devices at once.
LONGEST_WAIT_S = 30

# How long the network thread rests after it failed, so that a hostile broker does not keep it spinning.
RECOVERY_S = 1.0

# Messages handed to paho and not confirmed yet: as many as Mosquitto is ready to receive at a time.
MOST_IN_FLIGHT = 20

# How long a clean stop may take to bring out its last words.
FAREWELL_S = 2.0

# The prediction is said again with every health message; the broker forgets it when three are missed.
EXPIRY_INTERVALS = 3


class MqttOutput:
    """Publishes predictions, health and what this device is.

    Parameters
    ----------
    settings : the broker
    topics : the device's own
    model : the first twelve digits of the weights' hash
    info : what the device is
    health : told when the broker cannot be reached or refuses something
    health_interval_s : between two health messages
    """

    name = "mqtt"

    def __init__(
        self,
        settings: MqttSettings,
        topics: Topics,
        model: str,
        info: InfoMessage,
        health: Health,
        health_interval_s: float,
    ) -> None:
        self._topics = topics
        self._model = model
        self._health = health
        self._health_interval_s = health_interval_s
        self._next_health = time.monotonic() + health_interval_s
        self._notes: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._outbox = Outbox(settings.queued_events)
        self._in_flight: dict[int, str] = {}
        self._connected = False
        self._prediction = PredictionMessage(digit=None)
        self._info = Message(topics.info, encode(info), retain=True)
        self._where = f"{settings.host}:{settings.port}"
        self._health.report(PART, f"connecting to {self._where}", logging.INFO)
        self._client = make_client(settings, topics)
        self._client.will_set(topics.availability, encode(Availability("offline")), QOS, retain=True)
        self._client.on_connect = self._note_connect
        self._client.on_connect_fail = self._note_connect_fail
        self._client.on_disconnect = self._note_disconnect
        self._client.on_publish = self._note_publish
        self._client.connect_async(settings.host, settings.port, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def announce(self, prediction: Prediction) -> None:
        """Publish an event, and after it the prediction that is retained."""
        reading = prediction.reading
        outputs = tuple(round(float(output), 6) for output in reading.outputs)
        confidence, now = round(reading.confidence, 6), tell_time()
        latency_ms = round(1000 * (time.monotonic() - prediction.time), 1)
        event = EventMessage(
            digit=reading.digit,
            confidence=confidence,
            outputs=outputs,
            id=prediction.id,
            model=self._model,
            seq=prediction.seq,
            latency_ms=latency_ms,
            image=encode_image(reading.image),
            ts=now,
        )
        self._prediction = PredictionMessage(
            reading.digit, confidence, outputs, prediction.id, self._model, now
        )
        self._outbox.put_event(Message(self._topics.event, encode(event)))
        self._outbox.put_state(self._tell_prediction())
        self.tend()

    def withdraw(self) -> None:
        """Publish that nothing is held up any more."""
        self._prediction = PredictionMessage(digit=None)
        self._outbox.put_state(self._tell_prediction())
        self.tend()

    def follow(self, frame: Frame, reading: Reading | NoDigit) -> None:
        """Keep the connection's business going with every frame."""
        self.tend()

    def tend(self) -> None:
        """Take note of what the network thread left, and send what waits."""
        while True:
            try:
                note = self._notes.get_nowait()
            except Empty:
                break
            note()
        if time.monotonic() >= self._next_health:
            self._next_health = time.monotonic() + self._health_interval_s
            if self._connected:
                self._outbox.put_state(self._tell_prediction())
                self._outbox.put_state(self._tell_health())
        while self._connected and len(self._in_flight) < MOST_IN_FLIGHT:
            message = self._outbox.take()
            if message is None:
                break
            self._send(message)

    def close(self) -> None:
        """Say that nothing is held up and that the device goes offline, and disconnect."""
        self.withdraw()
        self._outbox.put_state(self._tell_availability("offline"))
        until = time.monotonic() + FAREWELL_S
        while self._connected and time.monotonic() < until:
            self.tend()
            if not len(self._outbox) and not self._in_flight:
                break
            time.sleep(0.01)
        self._client.disconnect()
        self._client.loop_stop()

    def _send(self, message: Message) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if message.expiry_s is not None:
            properties.MessageExpiryInterval = message.expiry_s
        # Whatever rc says, paho has the message now and repeats it until the broker confirms it; giving it
        # to paho again would double it.
        info = self._client.publish(message.topic, message.payload, QOS, message.retain, properties)
        self._in_flight[info.mid] = message.topic

    def _tell_prediction(self) -> Message:
        expiry_s = max(1, round(EXPIRY_INTERVALS * self._health_interval_s))
        return Message(self._topics.prediction, encode(self._prediction), retain=True, expiry_s=expiry_s)

    def _tell_availability(self, state: Literal["online", "offline"]) -> Message:
        return Message(self._topics.availability, encode(Availability(state)), retain=True)

    def _tell_health(self) -> Message:
        frames_per_s, frame_ms = self._health.take_frame_rate()
        temperature_c = measure_temperature_c()
        message = HealthMessage(
            uptime_s=round(self._health.uptime_s, 1),
            frames_per_s=round(frames_per_s, 2),
            frame_ms=round(frame_ms, 2),
            memory_mb=round(measure_memory_mb(), 1),
            queued=self._outbox.events,
            dropped=self._outbox.dropped,
            camera=self._health.state_of("camera"),
            leds=self._health.state_of("leds"),
            problems=self._health.problems,
            temperature_c=None if temperature_c is None else round(temperature_c, 1),
        )
        return Message(self._topics.health, encode(message))

    # Called by paho's thread: leave a note, no more.

    def _note_connect(self, *arguments: Any) -> None:
        reason_code = arguments[3]
        self._notes.put(lambda: self._on_connect(reason_code))

    def _note_connect_fail(self, *_arguments: Any) -> None:
        self._notes.put(lambda: self._health.report(PART, f"no broker at {self._where}: trying again"))

    def _note_disconnect(self, *arguments: Any) -> None:
        reason_code = arguments[3]
        self._notes.put(lambda: self._on_disconnect(reason_code))

    def _note_publish(self, *arguments: Any) -> None:
        mid, reason_code = arguments[2], arguments[3]
        self._notes.put(lambda: self._on_publish(mid, reason_code))

    # The notes, as they are read by the daemon's thread.

    def _on_connect(self, reason_code: Any) -> None:
        if reason_code.is_failure:
            self._health.report(PART, _describe_refusal(self._where, reason_code))
            return
        log.info("connected to %s as %s", self._where, self._topics.device)
        self._connected = True
        self._health.report(PART, None)
        # A broker may have forgotten everything; 'online' comes after the state that it vouches for.
        self._outbox.put_state_first(self._tell_availability("online"))
        self._outbox.put_state_first(self._info)
        self._outbox.put_state_first(self._tell_prediction())

    def _on_disconnect(self, reason_code: Any) -> None:
        if self._connected:
            self._health.report(PART, f"lost {self._where} ({reason_code}): trying again")
        self._connected = False

    def _on_publish(self, mid: int, reason_code: Any) -> None:
        topic = self._in_flight.pop(mid, None)
        if topic is not None and reason_code.is_failure:
            self._health.report(PART, f"refuses {topic} ({reason_code}): check its access control")


class SupervisedClient(paho.Client):
    """A client whose network thread outlives whatever a broker sends.

    An exception in paho's thread, from a malformed packet say, would end it without a word, and
    `is_connected()` would go on being true.
    """

    def loop_forever(self, timeout: float = 1.0, retry_first_connection: bool = False) -> MQTTErrorCode:
        """Do the network's work until the client is disconnected; paho's thread calls this."""
        while True:
            try:
                return super().loop_forever(timeout, retry_first_connection)
            except Exception:
                log.exception("the connection to the broker failed in an unforeseen way: connecting anew")
            time.sleep(RECOVERY_S)
            # What came half of a packet is forgotten with the old connection.
            with suppress(Exception):  # whatever it was, it is tried again above
                self.reconnect()


def make_client(settings: MqttSettings, topics: Topics, purpose: str = "") -> SupervisedClient:
    """Make a client with its credentials, not connected yet; `purpose` sets its id apart from the daemon's.

    Raises
    ------
    ConfigurationError : if the password cannot be read
    """
    client = SupervisedClient(
        CallbackAPIVersion.VERSION2, client_id=f"inkling-{topics.device}{purpose}", protocol=paho.MQTTv5
    )
    client.reconnect_delay_set(random.uniform(0.5, 1.5), LONGEST_WAIT_S)  # type: ignore[arg-type]
    client.max_inflight_messages_set(MOST_IN_FLIGHT)
    if settings.username:
        client.username_pw_set(settings.username, _read_password(settings.password_file))
    return client


def try_broker(settings: MqttSettings, topics: Topics, timeout_s: float) -> None:
    """Connect once, and leave again.

    Raises
    ------
    BrokerError : if the broker does not answer or refuses us, saying what to do
    ConfigurationError : if the password cannot be read
    """
    where = f"{settings.host}:{settings.port}"
    # Under the device's own client id it would throw out a daemon that runs.
    client = make_client(settings, topics, purpose="-check")
    answers: SimpleQueue[Any] = SimpleQueue()
    client.on_connect = lambda *arguments: answers.put(arguments[3])
    try:
        client.connect(settings.host, settings.port, keepalive=KEEPALIVE_S)
        client.loop_start()
        reason_code = answers.get(timeout=timeout_s)
    except Empty as error:
        raise BrokerError(
            f"{where} takes the connection but does not answer: is it an MQTT broker?"
        ) from error
    except (OSError, ValueError) as error:
        raise BrokerError(
            f"no broker at {where} ({getattr(error, 'strerror', None) or error}): "
            "start one, or correct mqtt.host and mqtt.port"
        ) from error
    finally:
        client.disconnect()
        client.loop_stop()
    if reason_code.is_failure:
        raise BrokerError(_describe_refusal(where, reason_code))


def _describe_refusal(where: str, reason_code: Any) -> str:
    return f"{where} refuses us ({reason_code}): check mqtt.username and mqtt.password_file"


def _read_password(path: str) -> str | None:
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"mqtt.password_file {path} cannot be read ({error}): make it readable to the service"
        ) from error
