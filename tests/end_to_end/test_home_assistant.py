"""Home Assistant itself hears what a device says: its own schemas, templates and entities must take it."""

import base64
import io
import json
import os
import queue
import subprocess
import threading
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple
from unittest.mock import ANY

import paho.mqtt.client as paho
import platformdirs
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions
from PIL import Image

from deploy.broker import find_free_port
from edge.discovery import describe_device
from edge.machine import Machine, identify_machine
from shared.messages import (
    CHANNELS,
    REQUESTS,
    Availability,
    EventMessage,
    HealthMessage,
    InfoMessage,
    PredictionMessage,
    RestartRequest,
    Topics,
    ViewRequest,
    decode,
    encode,
)
from tests.conftest import run_broker, wait_until
from tests.subscriber import TOPICS

FOLDER = Path(
    os.environ.get("INKLING_HOME_ASSISTANT") or platformdirs.user_cache_path("inkling") / "home-assistant"
)
CORE = Path(__file__).with_name("home_assistant_core.py")

pytestmark = pytest.mark.skipif(
    not (FOLDER / "ready").exists(), reason="no Home Assistant: deploy/home_assistant/setup.sh sets it up"
)

JPEG = b"\xff\xd8\xff\xe0 not all of it \xff\xd9"


class Said(NamedTuple):
    """A message on its way to the broker."""

    topic: str
    payload: bytes
    retain: bool


class Peer:
    """A client of the broker that hears everything as it was said, and says things too."""

    def __init__(self, port):
        self.heard = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        subscribed = threading.Event()
        self._client.on_message = lambda _client, _userdata, message: self.heard.append(
            Said(message.topic, bytes(message.payload), message.retain)
        )
        self._client.on_subscribe = lambda *_arguments: subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe("#", options=SubscribeOptions(qos=1, retainAsPublished=True))
        assert subscribed.wait(15)

    def say(self, message):
        self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)

    def topics(self):
        return [message.topic for message in list(self.heard)]

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


class HomeAssistant:
    """Home Assistant's core as a process, and what it told."""

    def __init__(self, folder, port):
        self.states = {}
        self.attributes = defaultdict(dict)
        self.complaints = []
        self._answers = queue.SimpleQueue()
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [FOLDER / "bin/python", "-B", CORE, folder, str(port), str(find_free_port())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        assert self._wait_for_answer() == "loaded", self.log.read_text()

    def _listen(self):
        for line in self._process.stdout:
            message = json.loads(line)
            if "entity" in message:
                self.attributes[message["entity"]] = message["attributes"]
                self.states[message["entity"]] = message["state"]
            elif "complaint" in message:
                self.complaints.append(message["complaint"])
            else:
                self._answers.put(message)

    def _wait_for_answer(self):
        message = self._answers.get(timeout=60)
        assert "error" not in message, message["error"]
        return message["answer"]

    def ask(self, verb, **request):
        self._process.stdin.write(json.dumps({"verb": verb, **request}) + "\n")
        self._process.stdin.flush()
        return self._wait_for_answer()

    def take_complaints(self):
        complaints, self.complaints = self.complaints, []
        return complaints

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        finally:
            self._process.kill()
            self._process.wait()
            self._thread.join()
            self._process.stdout.close()


@pytest.fixture(scope="module")
def module_broker(tmp_path_factory):
    yield from run_broker(tmp_path_factory.mktemp("home-assistant") / "broker")


@pytest.fixture(scope="module")
def home_assistant(module_broker, tmp_path_factory):
    home_assistant = HomeAssistant(tmp_path_factory.mktemp("home-assistant"), module_broker.port)
    yield home_assistant
    home_assistant.close()


@pytest.fixture
def peer(module_broker):
    peer = Peer(module_broker.port)
    yield peer
    peer.close()


class Device:
    """What a device would say."""

    def __init__(self, name, machine_id, expire_after_s=180.0):
        self.topics = Topics(name)
        self.machine = Machine(machine_id, "Raspberry Pi Zero W Rev 1.1")
        self.description = describe_device(self.topics, self.machine, "1.2.3", expire_after_s)

    def discovery(self):
        return Said(self.topics.discovery, json.dumps(self.description).encode(), True)

    def say(self, message):
        channel = CHANNELS[type(message)]
        return Said(f"{self.topics.base}/{channel.topic}", encode(message), channel.retained)

    def greet(self):
        info = InfoMessage("inkling-pi 1.2.3", {"sha256": "0123456789abcdef" * 4}, {})
        return [
            self.discovery(),
            self.say(info),
            self.say(PredictionMessage(None)),
            self.say(Availability("online")),
        ]


def make_event(digit, **more):
    outputs = tuple(0.98 if node == digit else 0.01 for node in range(10))
    return EventMessage(
        digit, 0.9876, outputs, f"id-{digit}", "0123456789ab", digit + 1, 250.0, "AAAA" * 9, **more
    )


def make_health(**more):
    parts = {"camera": "ok", "leds": "ok", "problems": (), **more}
    return HealthMessage(9.5, 9.97, 41.2, 63.4, queued=0, dropped=2, **parts)


class Twin:
    """A device's entities in Home Assistant, held against what the device said last.

    Parameters
    ----------
    discovery : is published; every component must become an entity, and is enabled if it was not
    """

    def __init__(self, home_assistant, peer, discovery):
        self._home_assistant = home_assistant
        self._peer = peer
        self._latest = {}
        self._topics = Topics(discovery.topic.split("/")[2])
        components = json.loads(discovery.payload)["components"]
        self.entities = {}

        def find_entities():
            known = home_assistant.ask("entities")
            self.entities = {
                key: known[component["unique_id"]]["entity"]
                for key, component in components.items()
                if component["unique_id"] in known
            }
            return len(self.entities) == len(components)

        peer.say(discovery)
        wait_until(find_entities)
        home_assistant.ask("enable")
        wait_until(lambda: set(self.entities.values()) <= set(home_assistant.states))

    def state(self, key):
        return self._home_assistant.states.get(self.entities[key])

    def attributes(self, key):
        return self._home_assistant.attributes[self.entities[key]]

    def follow(self, message):
        """Publish what the device says; soon all entities must be as it said last."""
        self._peer.say(message)
        self._latest[message.topic] = message.payload
        try:
            wait_until(lambda: not self._differences())
        except AssertionError as error:
            raise AssertionError(f"{message}: {self._differences()}") from error
        if message.topic == self._topics.event:
            assert "image" not in self.attributes("event")

    def _differences(self):
        return [
            f"{key} is {self.state(key)} {self.attributes(key)}, not {state} {attributes}"
            for key, (state, attributes) in self._expect().items()
            if state not in (self.state(key), ANY) or not attributes.items() <= self.attributes(key).items()
        ] + ([] if self._shows_view() else ["another view"])

    def _expect(self):
        """The state that entities must have, by their component's name, and attributes among others."""
        if self._read(Availability) != Availability("online"):
            return {key: ("unavailable", {}) for key in self.entities}
        expected = {}
        if prediction := self._read(PredictionMessage):
            digit, confidence = prediction.digit, prediction.confidence
            content = json.loads(self._latest[self._topics.prediction])
            expected["digit"] = "none" if digit is None else str(digit), content
            expected["confidence"] = "unknown" if confidence is None else f"{100 * confidence:.1f}", {}
        if info := self._read(InfoMessage):
            name = info.weights["sha256"][:12]
            expected["weights"] = "off", {"installed_version": name, "latest_version": name}
        if health := self._read(HealthMessage):
            temperature_c = health.temperature_c
            expected |= {
                "problem": ("on" if health.problems else "off", {"problems": list(health.problems)}),
                "temperature": ("unknown" if temperature_c is None else str(temperature_c), {}),
                "frame_rate": (str(health.frames_per_s), {}),
                "memory": (str(health.memory_mb), {}),
                "dropped_events": (str(health.dropped), {}),
            }
        if event := self._latest.get(self._topics.event):
            expected["event"] = (
                ANY,
                {key: value for key, value in json.loads(event).items() if key != "image"},
            )
        return expected

    def _read(self, kind):
        payload = self._latest.get(f"{self._topics.base}/{CHANNELS[kind].topic}")
        return None if payload is None else decode(kind, payload)

    def _shows_view(self):
        if self._topics.view not in self._latest:
            return True
        image = self._home_assistant.ask("image", entity=self.entities["view"])
        content = base64.b64decode(image["content"])
        return image["type"] == "image/jpeg" and content == self._latest[self._topics.view]


def test_its_schemas_take_the_discovery_message_and_see_what_is_wrong(home_assistant):
    device = Device("schemas", "00000000000000a1")
    assert home_assistant.ask("validate", discovery=device.description) == []
    del device.description["components"]["digit"]["state_topic"]
    device.description["components"]["temperature"]["unit_of_measurement"] = "fps"
    (first, second) = home_assistant.ask("validate", discovery=device.description)
    assert first.startswith("digit: required key not provided")
    assert second.startswith("temperature: The unit of measurement `fps` is not valid")


def test_every_component_becomes_an_entity_of_one_device(home_assistant, peer):
    device = Device("living-room", "00000000000000a2")
    peer.say(device.discovery())
    components = device.description["components"]
    ours = f"inkling_{device.machine.id}"

    def find_entities():
        known = home_assistant.ask("entities")
        return {unique_id: entity for unique_id, entity in known.items() if unique_id.startswith(ours)}

    wait_until(lambda: len(find_entities()) == len(components))
    assert find_entities() == {
        component["unique_id"]: {
            "entity": component["default_entity_id"],
            "category": component.get("entity_category"),
            "enabled": component.get("enabled_by_default", True),
        }
        for component in components.values()
    }
    assert home_assistant.ask("devices")[-1] == {
        "identifiers": [ours],
        "name": "Inkling living-room",
        "model": "Raspberry Pi Zero W Rev 1.1",
        "software": "1.2.3",
    }
    assert home_assistant.take_complaints() == []


def test_every_digit_problem_and_figure_is_accepted(home_assistant, peer):
    device = Device("contract", "00000000000000a3")
    twin = Twin(home_assistant, peer, device.discovery())
    for message in device.greet():
        twin.follow(message)
    for digit in range(10):
        event = make_event(digit, ts="2026-11-25T03:00:00Z" if digit % 2 else None)
        seen = twin.state("event")
        twin.follow(device.say(event))
        assert twin.state("event") != seen
        twin.follow(
            device.say(PredictionMessage(digit, event.confidence, event.outputs, event.id, event.model))
        )
        twin.follow(device.say(PredictionMessage(digit, 1.0)))
        twin.follow(device.say(PredictionMessage(None)))
    twin.follow(device.say(make_health()))
    twin.follow(device.say(make_health(problems=("camera: no 'frame' for {{ 9 }} s",), temperature_c=48.3)))
    twin.follow(device.say(make_health(problems=("sight: too dark", "leds: no pins"))))
    twin.follow(device.say(make_health()))
    twin.follow(Said(device.topics.view, JPEG, False))
    twin.follow(device.say(Availability("offline")))
    assert home_assistant.take_complaints() == []


def test_what_is_no_digit_is_refused_so_that_the_tests_would_notice(home_assistant, peer):
    device = Device("wrong", "00000000000000a4")
    twin = Twin(home_assistant, peer, device.discovery())
    for message in device.greet():
        twin.follow(message)
    peer.say(Said(device.topics.prediction, b'{"digit": 11}', False))
    peer.say(Said(device.topics.event, b'{"event_type": "letter"}', False))
    wait_until(lambda: len(home_assistant.complaints) == 2)
    (first, second) = sorted(home_assistant.take_complaints())
    assert "Invalid event type letter" in first
    assert "Ignoring invalid option" in second
    assert twin.state("digit") == "none"


def test_without_health_nothing_is_known_of_how_the_device_is(home_assistant, peer):
    device = Device("silent", "00000000000000a5", expire_after_s=0.9)
    twin = Twin(home_assistant, peer, device.discovery())
    for message in device.greet():
        twin.follow(message)
    peer.say(device.say(make_health(problems=("camera: gone",))))
    wait_until(lambda: twin.state("problem") == "on")
    wait_until(lambda: twin.state("problem") == twin.state("memory") == "unavailable")
    assert twin.state("digit") == "none"


def test_buttons_ask_what_the_device_understands(home_assistant, peer):
    device = Device("buttons", "00000000000000a6")
    twin = Twin(home_assistant, peer, device.discovery())
    for message in device.greet():
        twin.follow(message)
    for key, verb in (("look", "view"), ("restart", "restart")):
        home_assistant.ask("call", domain="button", service="press", entity=twin.entities[key])
        topic = device.topics.request(verb)
        wait_until(lambda topic=topic: topic in peer.topics())
        (request,) = [message for message in peer.heard if message.topic == topic]
        assert not request.retain
        understood = decode(REQUESTS[verb], request.payload, allow_unknown=False)
        assert understood == (ViewRequest(seconds=10) if key == "look" else RestartRequest())


def test_all_that_a_daemon_says_is_accepted(home_assistant, peer, start, broker):
    """Two digits, with somebody who looks; from its first word to its last."""
    daemon = Peer(broker.port)
    process = start([3, 8], port=broker.port)
    wait_until(lambda: TOPICS.availability in daemon.topics())
    daemon.say(Said(TOPICS.request("view"), encode(ViewRequest(seconds=2)), False))
    assert process.wait(timeout=40) == 0
    wait_until(lambda: daemon.topics().count(TOPICS.availability) == 2)
    daemon.close()
    said = [message for message in daemon.heard if message.topic != TOPICS.request("view")]
    channels = {f"{TOPICS.base}/{channel.topic}" for channel in CHANNELS.values()}
    assert {message.topic for message in said} == {
        *channels,
        TOPICS.discovery,
        TOPICS.view,
        TOPICS.response("view"),
    }
    (discovery,) = [message for message in said if message.topic == TOPICS.discovery]
    assert discovery.retain
    assert len(discovery.payload) < 8000
    assert home_assistant.ask("validate", discovery=json.loads(discovery.payload)) == []

    twin = Twin(home_assistant, peer, discovery)
    for message in said:
        twin.follow(message)
    assert home_assistant.take_complaints() == []


def test_a_press_of_a_button_brings_a_picture_of_a_running_daemon(home_assistant, module_broker, start):
    process = start(hold_s=60.0, port=module_broker.port)
    known = {}

    def find(key):
        known.update(home_assistant.ask("entities"))
        machine = identify_machine().id
        return known.get(f"inkling_{machine}_{key}", {}).get("entity")

    wait_until(lambda: home_assistant.states.get(find("look")) == "unknown")
    home_assistant.ask("call", domain="button", service="press", entity=find("look"))
    wait_until(lambda: home_assistant.states[find("view")] != "unknown")
    image = home_assistant.ask("image", entity=find("view"))
    assert Image.open(io.BytesIO(base64.b64decode(image["content"]))).format == "JPEG"
    process.terminate()
    assert process.wait(timeout=20) == 0
    wait_until(lambda: home_assistant.states[find("view")] == "unavailable")
    assert home_assistant.take_complaints() == []
