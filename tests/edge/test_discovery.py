import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.discovery import describe_device
from edge.machine import Machine, identify_machine
from shared.messages import (
    REQUESTS,
    HealthMessage,
    RestartRequest,
    ViewRequest,
    WeightsRequest,
    decode,
    encode,
)
from shared.topics import Topics

MACHINE = Machine("0123456789abcdef", "Raspberry Pi Zero W Rev 1.1")
KITCHEN = describe_device(Topics("kitchen"), MACHINE, "1.2.3", 180.0)

names = st.from_regex(r"[a-z0-9_-]{1,32}", fullmatch=True)


def unique_ids(description):
    return [component["unique_id"] for component in description["components"].values()]


def test_it_tells_of_one_device_and_where_its_availability_is():
    assert {key: value for key, value in KITCHEN.items() if key != "components"} == {
        "device": {
            "identifiers": ["inkling_0123456789abcdef"],
            "name": "Inkling kitchen",
            "model": "Raspberry Pi Zero W Rev 1.1",
            "sw_version": "1.2.3",
        },
        "origin": {"name": "inkling-pi", "sw_version": "1.2.3"},
        "availability": [
            {"topic": "inkling/kitchen/availability", "value_template": "{{ value_json.state }}"}
        ],
    }


def test_its_entities_are_of_these_platforms_and_hear_these_topics():
    topics = ("state_topic", "image_topic", "command_topic")
    assert {
        key: (component["platform"], [component[topic] for topic in topics if topic in component])
        for key, component in KITCHEN["components"].items()
    } == {
        "digit": ("sensor", ["inkling/kitchen/prediction"]),
        "confidence": ("sensor", ["inkling/kitchen/prediction"]),
        "event": ("event", ["inkling/kitchen/event"]),
        "view": ("image", ["inkling/kitchen/view"]),
        "look": ("button", ["inkling/kitchen/request/view"]),
        "weights": ("update", ["inkling/kitchen/info", "inkling/kitchen/request/weights"]),
        "restart": ("button", ["inkling/kitchen/request/restart"]),
        "problem": ("binary_sensor", ["inkling/kitchen/health"]),
        "temperature": ("sensor", ["inkling/kitchen/health"]),
        "frame_rate": ("sensor", ["inkling/kitchen/health"]),
        "memory": ("sensor", ["inkling/kitchen/health"]),
        "dropped_events": ("sensor", ["inkling/kitchen/health"]),
    }


def test_the_digit_is_one_of_eleven_and_the_event_has_one_type():
    components = KITCHEN["components"]
    assert components["digit"]["device_class"] == "enum"
    assert components["digit"]["options"] == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "none"]
    assert components["event"]["event_types"] == ["digit"]
    assert components["view"]["content_type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("key", "option", "verb", "request_"),
    [
        ("look", "payload_press", "view", ViewRequest(seconds=10)),
        ("restart", "payload_press", "restart", RestartRequest()),
        ("weights", "payload_install", "weights", WeightsRequest()),
    ],
)
def test_what_is_pressed_asks_what_the_device_understands(key, option, verb, request_):
    component = KITCHEN["components"][key]
    assert component["command_topic"] == Topics("kitchen").request(verb)
    assert decode(REQUESTS[verb], component[option].encode(), allow_unknown=False) == request_


def test_what_health_feeds_expires_in_whole_seconds_and_nothing_else_does():
    description = describe_device(Topics("kitchen"), MACHINE, "1.2.3", 7.5)
    expiring = {key: c["expire_after"] for key, c in description["components"].items() if "expire_after" in c}
    assert expiring == dict.fromkeys(["problem", "temperature", "frame_rate", "memory", "dropped_events"], 8)
    assert all(type(seconds) is int for seconds in expiring.values())


def test_figures_are_health_s_own_keys():
    told = json.loads(
        encode(HealthMessage(1.0, 2.0, 3.0, 4.0, 0, 0, "ok", "ok", problems=(), temperature_c=40.0))
    )
    figures = [c for c in KITCHEN["components"].values() if c.get("state_topic") == "inkling/kitchen/health"]
    for figure in figures:
        key = figure["value_template"].split("value_json.")[1].split()[0]
        assert key in told


def test_quality_of_service_is_each_component_s_own_because_the_root_s_is_not_handed_on():
    assert {component["qos"] for component in KITCHEN["components"].values()} == {1}
    assert "qos" not in KITCHEN


@given(names, names)
def test_another_name_changes_no_unique_id(name, other):
    here = describe_device(Topics(name), MACHINE, "1.2.3", 180.0)
    there = describe_device(Topics(other), MACHINE, "1.2.3", 180.0)
    assert unique_ids(here) == unique_ids(there)
    assert here["device"]["identifiers"] == there["device"]["identifiers"]
    assert len(set(unique_ids(here))) == len(here["components"])


def test_another_machine_of_the_same_name_shares_no_unique_id():
    other = describe_device(Topics("kitchen"), Machine("f" * 16), "1.2.3", 180.0)
    assert not set(unique_ids(KITCHEN)) & set(unique_ids(other))
    assert "model" not in other["device"]


@given(names)
def test_it_is_small_and_the_same_each_time_whatever_the_name(name):
    def dump():
        return json.dumps(describe_device(Topics(name), MACHINE, "1.2.3", 180.0))

    assert dump() == dump()
    assert len(dump().encode()) < 8000


def test_entity_ids_are_what_home_assistant_allows_under_a_name_with_hyphens():
    components = describe_device(Topics("living-room"), MACHINE, "1.2.3", 180.0)["components"]
    assert components["digit"]["default_entity_id"] == "sensor.inkling_living_room_digit"
    assert components["problem"]["default_entity_id"] == "binary_sensor.inkling_living_room_problem"


def make_root(folder, serial_number=None, machine_id=None, model=None):
    tree = folder / "sys/firmware/devicetree/base"
    tree.mkdir(parents=True)
    (folder / "etc").mkdir()
    if serial_number is not None:
        (tree / "serial-number").write_bytes(serial_number.encode() + b"\0")
    if model is not None:
        (tree / "model").write_bytes(model.encode() + b"\0")
    if machine_id is not None:
        (folder / "etc/machine-id").write_text(f"{machine_id}\n")
    return folder


SERIAL_NUMBER, MACHINE_ID = "00000000a1b2c3d4", "9b1c5e0e6c5d4b7ea9e0aa51d4e1a2f3"


def test_a_raspberry_pi_is_known_by_its_serial_number_whatever_card_is_in_it(tmp_path):
    model = "Raspberry Pi Zero 2 W Rev 1.0"
    first = identify_machine(make_root(tmp_path / "1", SERIAL_NUMBER, MACHINE_ID, model))
    second = identify_machine(make_root(tmp_path / "2", SERIAL_NUMBER, "0" * 31 + "1", model))
    assert first == second
    assert first.model == model


def test_another_machine_is_known_by_its_machine_id(tmp_path):
    first = identify_machine(make_root(tmp_path / "1", machine_id=MACHINE_ID))
    second = identify_machine(make_root(tmp_path / "2", machine_id=MACHINE_ID))
    other = identify_machine(make_root(tmp_path / "3", machine_id=MACHINE_ID[::-1]))
    assert first == second != other
    assert first.model is None


@pytest.mark.parametrize("serial_number", ["0000000000000000", "", "To be filled by O.E.M."])
def test_a_serial_number_that_is_nobody_s_is_none(tmp_path, serial_number):
    known = identify_machine(make_root(tmp_path / "1", serial_number, MACHINE_ID))
    assert known == identify_machine(make_root(tmp_path / "2", machine_id=MACHINE_ID))


@pytest.mark.parametrize("machine_id", [None, "uninitialized"])
def test_without_either_it_is_the_network_card_that_is_known(tmp_path, machine_id):
    root = make_root(tmp_path, machine_id=machine_id)
    assert identify_machine(root) == identify_machine(root)
    assert identify_machine(root) != identify_machine(make_root(tmp_path / "2", machine_id=MACHINE_ID))


def test_the_id_gives_nothing_away(tmp_path):
    machine = identify_machine(make_root(tmp_path, SERIAL_NUMBER, MACHINE_ID))
    assert len(machine.id) == 16
    assert set(machine.id) <= set("0123456789abcdef")
    assert SERIAL_NUMBER.strip("0") not in machine.id
    # Another program that hashes the same must not come to the same.
    assert machine.id != hashlib.sha256(SERIAL_NUMBER.encode()).hexdigest()[:16]
