"""MQTT as an output: says over a broker what is held up, how the device is, and does what it is asked."""

from __future__ import annotations

import json
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from edge.allowance import Allowance
from edge.broker import is_open_to_others
from edge.camera import Frame
from edge.clock import tell_time
from edge.deliveries import Deliveries
from edge.description import describe
from edge.discovery import describe_device
from edge.errors import RefusedRequestError
from edge.health import Health
from edge.link import BrokerLink, Subscription
from edge.live_settings import LiveSettings
from edge.machine import identify_machine
from edge.outbox import Kind, Message, Outbox
from edge.requests import Requests
from edge.settling import Prediction
from edge.view import ViewFinder
from shared import __version__
from shared.digit_finder import NoDigit
from shared.messages import (
    CHANNELS,
    Availability,
    ConfigureRequest,
    CorrectRequest,
    EventMessage,
    PredictionMessage,
    ResponseMessage,
    RestartRequest,
    ViewRequest,
    WeightsRequest,
    encode,
    encode_image,
)
from shared.reading import Reading
from shared.topics import HOME_ASSISTANT_STATUS, WEIGHTS_FOR_ALL, Topics

log = logging.getLogger(__name__)

PART, SETTINGS, NAME = "broker", "settings", "name"

# The prediction is said again with every health message; the broker forgets it when three are missed.
EXPIRY_INTERVALS = 3

# A problem that comes or goes is told at once, but no more often than this.
PROBLEM_INTERVAL_S = 1.0

# Home Assistant has started: within this time it is told anew what there is, not by all devices at once.
BIRTH_WAIT_S = 3.0

# Events that can still be corrected.
MOST_RECENT = 100

# Two devices of one name tell each other that they are there, but do not go on to for ever.
TWIN_WAIT_S = 5.0


class MqttOutput:
    """Publishes predictions, health and what this device is, and answers requests.

    The daemon's thread and the link's put what is to be said into the outbox; the link's brings it out.

    Parameters
    ----------
    topics : the device's own
    live : the configuration
    deliveries : the network that reads, and how it is replaced by another
    health : told when the broker cannot be reached or refuses something
    restart : ends the daemon so that it starts anew
    """

    name = "mqtt"

    def __init__(
        self,
        topics: Topics,
        live: LiveSettings,
        deliveries: Deliveries,
        health: Health,
        restart: Callable[[], object],
    ) -> None:
        settings = live.configuration.mqtt
        self._topics = topics
        self._live = live
        self._deliveries = deliveries
        self._health = health
        self._restart = restart
        self._machine = identify_machine()
        self._prediction = PredictionMessage(digit=None)
        self._availability = Availability("online")
        # What holds now is said by two threads, and what one says must not be older than what the other did.
        self._state = Lock()
        self._recent: deque[tuple[str, int]] = deque(maxlen=MOST_RECENT)
        self._view = ViewFinder()
        self._told_problems: tuple[str, ...] | None = None
        self._told_stuck = False
        self._next_health = self._soonest_health = float("inf")
        self._greet_at, self._introduced = float("inf"), float("-inf")
        self._outbox = Outbox(settings.queued_events)
        acts: dict[str, Callable[[Any], dict[str, Any]]] = {
            "view": self._look,
            "correct": self._correct,
            "configure": self._configure,
            "weights": self._change_weights,
            "restart": self._start_anew,
        }
        self._requests, self._allowance = Requests(topics, acts), Allowance()
        self.will = self._address(Availability("offline"))
        self.subscriptions = (
            Subscription(topics.request("+")),
            Subscription(topics.availability),  # of which it hears only what others say
            *([Subscription(HOME_ASSISTANT_STATUS)] if settings.home_assistant else []),
            *(
                [
                    Subscription(topic, retained=True)
                    for topic in (WEIGHTS_FOR_ALL, topics.weights)
                    if live.configuration.network.keys
                ]
            ),
        )
        health.report(SETTINGS, live.problem)
        self._link = BrokerLink(
            settings,
            f"inkling-{topics.device}-{self._machine.id}",
            self._outbox,
            self,
            lambda problem, level: health.report(PART, problem, level),
        )
        if settings.password_file and is_open_to_others(settings.password_file):
            log.warning("mqtt.password_file %s can be read by anybody: chmod 640", settings.password_file)
        self._link.start()

    @property
    def dropped(self) -> int:
        """How many events were given up."""
        return self._outbox.dropped

    # What the daemon's thread says.

    def announce(self, prediction: Prediction) -> None:
        """Publish an event, and after it the prediction that is retained."""
        reading = prediction.reading
        outputs = tuple(round(float(output), 6) for output in reading.outputs)
        confidence, now = round(reading.confidence, 6), tell_time()
        event = EventMessage(
            digit=reading.digit,
            confidence=confidence,
            outputs=outputs,
            id=prediction.id,
            model=self._deliveries.running.name,
            seq=prediction.seq,
            latency_ms=round(1000 * (time.monotonic() - prediction.time), 1),
            image=encode_image(reading.image),
            ts=now,
        )
        self._recent.append((event.id, event.digit))
        with self._state:
            self._prediction = PredictionMessage(event.digit, confidence, outputs, event.id, event.model, now)
            self._say(event, self._prediction)

    def withdraw(self) -> None:
        """Publish that nothing is held up any more."""
        with self._state:
            self._prediction = PredictionMessage(digit=None)
            self._say(self._prediction)

    def follow(self, frame: Frame, reading: Reading | NoDigit) -> None:
        """Keep what is seen, if somebody wants to look at it."""
        if self._view.observe(frame, reading):
            self._link.wake()

    def close(self) -> None:
        """Say that nothing is held up and that the device goes offline, also why, and disconnect."""
        if self._health.problems != (self._told_problems or ()):
            self._tell_health()
        with self._state:
            self._prediction, self._availability = PredictionMessage(digit=None), Availability("offline")
            self._say(self._prediction, self._availability)
        self._link.leave()
        if lost := self._outbox.events + self._link.events_in_flight:
            log.warning("the broker has not taken %d event%s: lost", lost, "s" * (lost > 1))

    # What the link's thread says and hears.

    def greet(self) -> Sequence[Message]:
        """Tell everything; another device of our name that is still there will answer that it is."""
        self._health.report(NAME, None)
        return self._introduce()

    def _introduce(self) -> Sequence[Message]:
        """Tell everything anew: a broker may have forgotten it. 'online' comes after what it vouches for."""
        self._introduced = time.monotonic()
        self._told_problems = None
        self._soonest_health = time.monotonic() + PROBLEM_INTERVAL_S
        self._next_health = time.monotonic() + self._live.configuration.health.interval_s
        return (
            *self._tell_discovery(),
            self._address(describe(self._live.configuration, self._deliveries)),
            self._address(self._prediction),
            self._address(self._availability),
        )

    def hear(self, topic: str, payload: bytes | bytearray, retained: bool) -> None:
        """Answer a request; greet a Home Assistant that has just started."""
        if topic == HOME_ASSISTANT_STATUS:
            if payload == b"online":
                self._greet_at = time.monotonic() + random.uniform(0, BIRTH_WAIT_S)
            return
        if topic == self._topics.availability:
            self._meet_twin(payload)
            return
        if topic in (WEIGHTS_FOR_ALL, self._topics.weights):
            if payload:  # else a delivery was taken back
                self._hear_delivery(bytes(payload), for_all=topic == WEIGHTS_FOR_ALL)
            return
        response = self._requests.answer(topic, payload, retained)
        if response is not None:
            self._respond(*response)

    def _hear_delivery(self, content: bytes, *, for_all: bool) -> None:
        response = self._deliveries.take(content, for_all=for_all)
        # A flood of what nobody signed is not answered one by one.
        if response is None or response.transaction is not None or self._allowance.take():
            self._tell_weights(response)

    def _respond(self, verb: str, content: bytes) -> None:
        self._outbox.put(Message(self._topics.response(verb), content, Kind.PASSING))

    def _tell_weights(self, response: ResponseMessage | None) -> None:
        """Tell what came of a delivery, and what runs now."""
        self._say(describe(self._live.configuration, self._deliveries))
        if response is not None:
            self._respond("weights", encode(response))

    def tend(self) -> None:
        """Tell health when it is due, Home Assistant what there is, and pictures to who wants them."""
        # One at a time: over a slow link many would keep back all else, and a later one is worth more.
        # It is drawn before the lock is taken: what is announced does not wait for a picture.
        picture = None if self._link.in_flight else self._view.take()
        with self._state:
            if self._availability.state == "online":  # else the last word has been said
                self._tell_what_is_due()
                if picture:
                    self._outbox.put(Message(self._topics.view, picture, Kind.PASSING))

    def _tell_what_is_due(self) -> None:
        now = time.monotonic()
        if now >= self._greet_at:
            self._greet_at = float("inf")
            for message in self._introduce():
                self._outbox.put(message)
        if is_due := now >= self._next_health:
            self._next_health = now + self._live.configuration.health.interval_s
            self._say(self._prediction)  # or the broker would forget it
        problems = self._health.problems
        if is_due or (problems != self._told_problems and now >= self._soonest_health):
            self._told_problems, self._soonest_health = problems, now + PROBLEM_INTERVAL_S
            self._tell_health()

    def mind(self) -> None:
        """End a trial of weights when it is time: bad ones must not read for as long as an outage lasts."""
        verdict, is_stuck = self._deliveries.judge(), self._deliveries.is_stuck
        if verdict is not None or is_stuck != self._told_stuck:
            self._told_stuck = is_stuck
            self._tell_weights(verdict)

    def _tell_health(self) -> None:
        queued = self._outbox.events + self._link.events_in_flight
        self._say(self._health.describe(queued, self.dropped))

    def _meet_twin(self, payload: bytes | bytearray) -> None:
        """Another device speaks under our name: say so, and that we are here."""
        is_there = payload == encode(Availability("online"))
        is_known = is_there and self._health.state_of(NAME) != "ok"
        self._health.report(
            NAME,
            f"another device is called {self._topics.device}, too: give one of them another device.name"
            if is_there
            else None,
        )
        if time.monotonic() - self._introduced > TWIN_WAIT_S or (not is_known and self._allowance.take()):
            self._introduced = time.monotonic()
            with self._state:
                self._say(self._prediction, self._availability)

    # What it is asked.

    def _look(self, request: ViewRequest) -> dict[str, Any]:
        return self._view.ask(request.seconds)

    def _correct(self, request: CorrectRequest) -> dict[str, Any]:
        digit = dict(self._recent).get(request.id)
        if digit is None:
            raise RefusedRequestError(f"id {request.id[:40]!r} is none of the last {MOST_RECENT} events'")
        return {"id": request.id, "digit": digit, "label": request.label}

    def _configure(self, request: ConfigureRequest) -> dict[str, Any]:
        settings = self._live.change(request)
        self._health.report(SETTINGS, self._live.problem)
        # At once: what others keep of it was to last for some of the intervals before, and no longer.
        self._next_health = time.monotonic()
        self._say(describe(self._live.configuration, self._deliveries))
        for message in self._tell_discovery():  # which knows how often health is told
            self._outbox.put(message)
        return settings

    def _change_weights(self, request: WeightsRequest) -> dict[str, Any]:
        response = self._deliveries.take_again()
        if response is None:
            return {"state": "trial"}
        if response.error is not None:
            raise RefusedRequestError(response.error)
        return response.data or {}

    def _start_anew(self, request: RestartRequest) -> dict[str, Any]:
        self._restart()
        return {}

    def _say(self, *messages: object) -> None:
        for message in messages:
            self._outbox.put(self._address(message))
        self._link.wake()

    def _address(self, message: object) -> Message:
        """Put one of `shared.messages`' messages into its envelope."""
        channel = CHANNELS[type(message)]
        interval_s = self._live.configuration.health.interval_s
        return Message(
            f"{self._topics.base}/{channel.topic}",
            encode(message),
            Kind.EVENT if isinstance(message, EventMessage) else Kind.STATE,
            channel.retained,
            max(1, round(EXPIRY_INTERVALS * interval_s)) if channel.expires else None,
        )

    def _tell_discovery(self) -> Sequence[Message]:
        configuration = self._live.configuration
        if not configuration.mqtt.home_assistant:
            return ()
        discovery = describe_device(
            self._topics, self._machine, __version__, EXPIRY_INTERVALS * configuration.health.interval_s
        )
        payload = json.dumps(discovery, separators=(",", ":")).encode()
        return (Message(self._topics.discovery, payload, Kind.STATE, retain=True),)
