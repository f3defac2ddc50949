"""Home Assistant itself hears what a device says: its own schemas, templates and entities must take it."""

import base64
import io
import json
from dataclasses import replace

import pytest
from PIL import Image

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
    ViewRequest,
    WeightsRequest,
    decode,
    encode,
)
from shared.topics import Topics
from tests.conftest import ROOT, run_broker, wait_until
from tests.end_to_end.home_assistant import FOLDER, HomeAssistant, Peer, Said, Twin
from tests.subscriber import TOPICS

pytestmark = pytest.mark.skipif(
    not (FOLDER / "ready").exists(), reason="no Home Assistant: deploy/home_assistant/setup.sh sets it up"
)

JPEG = b"\xff\xd8\xff\xe0 not all of it \xff\xd9"


@pytest.fixture(scope="module")
def module_broker(tmp_path_factory):
    yield from run_broker(tmp_path_factory.mktemp("home-assistant") / "broker")


@pytest.fixture(scope="module")
def module_home_assistant(module_broker, tmp_path_factory):
    home_assistant = HomeAssistant(tmp_path_factory.mktemp("home-assistant"), module_broker.port)
    yield home_assistant
    home_assistant.close()


@pytest.fixture
def home_assistant(module_home_assistant):
    module_home_assistant.take_complaints()
    return module_home_assistant


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


def test_weights_that_were_refused_wait_as_an_update_and_can_be_tried_again(home_assistant, peer):
    device = Device("waits", "00000000000000a8")
    twin = Twin(home_assistant, peer, device.discovery())
    for message in device.greet():
        twin.follow(message)
    wanted = {"serial": 1, "state": "refused", "model": "fedcba987654", "follows": True, "why": "too slow"}
    weights = {"sha256": "0123456789abcdef" * 4, "wanted": wanted}
    twin.follow(device.say(InfoMessage("inkling-pi 1.2.3", weights, {})))
    home_assistant.ask("call", domain="update", service="install", entity=twin.entities["weights"])
    topic = device.topics.request("weights")
    wait_until(lambda: topic in peer.topics())
    (request,) = [message for message in peer.heard if message.topic == topic]
    assert decode(WeightsRequest, request.payload, allow_unknown=False) == WeightsRequest()


def test_the_automation_of_the_page_is_started_by_each_three_and_by_nothing_else(home_assistant, peer):
    page = (ROOT / "deploy/home_assistant/README.md").read_text(encoding="utf-8")
    automation = page.split("```yaml\n")[1].split("  actions:")[0]
    answer = '{topic: toggled, payload: "{{ trigger.to_state.attributes.id }}"}'
    home_assistant.ask("automate", text=f"{automation}  actions: [{{action: mqtt.publish, data: {answer}}}]")
    device = Device("kitchen", "00000000000000a7")
    twin = Twin(home_assistant, peer, device.discovery())
    for message in device.greet():
        twin.follow(message)
    for number, digit in enumerate([3, 5, 3, 3, None, 8, 3]):
        if digit is None:
            twin.follow(device.say(Availability("offline")))
            twin.follow(device.say(Availability("online")))
        else:
            twin.follow(device.say(replace(make_event(digit), id=f"{number}")))
    wait_until(
        lambda: [message.payload for message in peer.heard if message.topic == "toggled"][-1:] == [b"6"]
    )
    assert [message.payload for message in peer.heard if message.topic == "toggled"] == [
        b"0",
        b"2",
        b"3",
        b"6",
    ]
    assert home_assistant.take_complaints() == []


def test_all_that_a_daemon_says_is_accepted(home_assistant, peer, start, broker):
    """Two digits, with somebody who looks; from its first word to its last."""
    daemon = Peer(broker.port)
    process = start([3, 8], port=broker.port)
    wait_until(lambda: TOPICS.availability in daemon.topics())
    daemon.say(Said(TOPICS.request("view"), encode(ViewRequest(seconds=2)), False))
    assert process.wait(timeout=60) == 0
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


def test_a_running_daemon_shows_its_picture_and_tells_a_home_assistant_that_starts_what_there_is(
    home_assistant, module_broker, peer, start
):
    process = start(hold_s=60.0, port=module_broker.port)
    ours = f"inkling_{identify_machine().id}"
    look, view = f"{ours}_look", f"{ours}_view"

    def find(unique_id):
        return home_assistant.ask("entities").get(unique_id, {}).get("entity")

    wait_until(lambda: home_assistant.states.get(find(look)) == "unknown")
    home_assistant.ask("call", domain="button", service="press", entity=find(look))
    wait_until(lambda: home_assistant.states[find(view)] != "unknown")
    image = home_assistant.ask("image", entity=find(view))
    assert Image.open(io.BytesIO(base64.b64decode(image["content"]))).format == "JPEG"

    before = len(peer.heard)
    home_assistant.ask("enable")  # which makes its MQTT start anew, as after a restart
    told = {TOPICS.discovery, TOPICS.info, TOPICS.prediction, TOPICS.availability, TOPICS.health}
    wait_until(lambda: told <= {message.topic for message in peer.heard[before:]})

    process.terminate()
    assert process.wait(timeout=60) == 0
    wait_until(lambda: home_assistant.states[find(view)] == "unavailable")
    assert home_assistant.take_complaints() == []
