"""Everything that the daemon says, as it comes off a real broker, against the published schemas."""

import json
import signal

import jsonschema
import pytest

from deploy.message_page import FOLDER
from shared.messages import HealthMessage, InfoMessage
from shared.topics import HOME_ASSISTANT_STATUS
from tests.conftest import wait_until
from tests.subscriber import TOPICS, Subscriber, read_retained

LEDS = "[leds]\nkind = 'seven-segment'\npins = [5, 6, 13, 19, 26, 16, 20]\n"

# Whether a late subscriber is told, and whether the broker forgets it some day.
RETAINED = {
    TOPICS.availability: (True, False),
    TOPICS.prediction: (True, True),
    TOPICS.info: (True, False),
    TOPICS.discovery: (True, False),
    TOPICS.event: (False, False),
    TOPICS.health: (False, False),
    TOPICS.view: (False, False),
    **{TOPICS.response(verb): (False, False) for verb in ("view", "correct", "configure", "weights")},
}


def read_schema(topic):
    name = topic.removeprefix(f"{TOPICS.base}/").replace("/", "-")
    name = "response" if name.startswith("response") else name
    return json.loads((FOLDER / f"{name}.schema.json").read_text())


def hear_all(subscriber, *, held_up):
    """Have the device say everything that it ever says."""
    wait_until(lambda: subscriber.held_up[-1:] == [held_up])
    subscriber.ask("view")
    subscriber.ask("correct", id=subscriber.events[0].id, label=3)
    subscriber.ask("configure", leds={"brightness": 0.5})
    subscriber.ask("weights")
    wait_until(lambda: {message.topic for message in subscriber.heard} >= set(RETAINED))


def test_every_message_is_as_its_schema_and_the_table_of_topics_have_it(start, subscriber, broker):
    process = start([7], hold_s=6.0, gap_s=1.0, health_s=1.0, more=LEDS, port=broker.port)
    hear_all(subscriber, held_up=7)
    late = Subscriber(broker.port)
    wait_until(lambda: late.availability)
    kept = {message.topic: message for message in late.heard if message.retain}
    late.close()
    assert process.wait(timeout=60) == 0
    wait_until(lambda: subscriber.availability[-1:] == ["offline"])

    said = [message for message in subscriber.heard if "/request/" not in message.topic]
    assert {message.topic for message in said} == set(RETAINED)
    assert set(kept) == {topic for topic, (retained, _) in RETAINED.items() if retained}
    for message in said:
        _, expires = RETAINED[message.topic]
        assert message.qos == 1
        assert message.retain is False  # to those who are there already, nothing is retained
        expiry = getattr(message.properties, "MessageExpiryInterval", None)
        assert expiry == (3 if expires else None), message.topic
        if message.topic == TOPICS.view:
            assert message.payload.startswith(b"\xff\xd8")
        elif message.topic != TOPICS.discovery:
            schema = {**read_schema(message.topic), "additionalProperties": False}
            jsonschema.validate(json.loads(message.payload), schema)


def test_a_correction_is_for_an_event_that_the_device_knows(start, subscriber, broker):
    start([7], hold_s=20.0, port=broker.port)
    wait_until(lambda: subscriber.events)
    event = subscriber.events[0]
    answer = subscriber.ask("correct", id=event.id, label=1)
    assert (answer.status, answer.data) == ("ok", {"id": event.id, "digit": 7, "label": 1})
    answer = subscriber.ask("correct", id="another", label=1)
    assert answer.status == "error"
    assert "'another' is none of the last 100 events'" in answer.error


def test_settings_change_at_once_are_told_and_outlive_a_restart(start, subscriber, broker, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    process = start([7] * 9, hold_s=1.0, gap_s=0.5, device=f"state = '{state}'\n", port=broker.port)
    wait_until(lambda: subscriber.events)
    assert subscriber.ask("configure", settling={"confidence": 1.0}).data["kept"] is True
    wait_until(lambda: subscriber.held_up[-1] is None)
    count = len(subscriber.events)
    assert subscriber.ask("restart").status == "ok"
    wait_until(lambda: subscriber.availability[-2:] == ["offline", "online"])
    info = subscriber.payloads(InfoMessage, TOPICS.info)[-1]
    assert info.configuration["settling"]["confidence"] == 1.0
    assert process.poll() is None  # the same process: it started itself anew
    assert len(subscriber.events) == count
    subscriber.ask("configure", reset=True)
    wait_until(lambda: len(subscriber.events) > count)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0


def test_pictures_come_while_they_are_asked_for_and_no_longer(start, subscriber, broker):
    start(hold_s=20.0, port=broker.port)
    wait_until(lambda: subscriber.availability)
    subscriber.ask("view", seconds=1.6)

    def count():
        return sum(message.topic == TOPICS.view for message in subscriber.heard)

    wait_until(lambda: count() >= 3)
    before = len(subscriber.heard)
    subscriber.ask("configure", health={"interval_s": 1.0})
    wait_until(lambda: len(subscriber.payloads(HealthMessage, TOPICS.health)) >= 4)
    pictures = [message for message in subscriber.heard[before:] if message.topic == TOPICS.view]
    assert len(pictures) <= 2


def test_home_assistants_birth_is_greeted_with_everything_anew(start, subscriber, broker):
    start(hold_s=20.0, port=broker.port)
    wait_until(lambda: subscriber.availability)
    before = len(subscriber.heard)
    subscriber.publish(HOME_ASSISTANT_STATUS, b"online")
    wait_until(lambda: len(subscriber.availability) == 2)
    topics = [message.topic for message in subscriber.heard[before:]]
    assert topics.index(TOPICS.discovery) < topics.index(TOPICS.availability)
    assert topics.index(TOPICS.prediction) < topics.index(TOPICS.availability)


def test_home_assistant_can_be_left_out(start, subscriber, broker):
    start(mqtt="home_assistant = false\n", port=broker.port)
    wait_until(lambda: subscriber.availability)
    assert not [message for message in subscriber.heard if message.topic == TOPICS.discovery]


def test_a_retained_request_is_not_carried_out(start, subscriber, broker):
    subscriber.publish(TOPICS.request("restart"), b"{}", retain=True)
    start(port=broker.port)
    wait_until(lambda: subscriber.availability)
    subscriber.publish(TOPICS.request("restart"), b"{}", retain=True)
    assert subscriber.ask("configure", leds={"brightness": 1.0}).status == "ok"
    assert subscriber.availability == ["online"]


@pytest.mark.parametrize("payload", [b"{", b"[1]", b'{"label": 3}'])
def test_a_request_that_is_wrong_is_answered_with_what_is_wrong(start, subscriber, broker, payload):
    start(port=broker.port)
    wait_until(lambda: subscriber.availability)
    subscriber.publish(TOPICS.request("correct"), payload)
    wait_until(lambda: [m for m in subscriber.heard if m.topic == TOPICS.response("correct")])
    answer = json.loads(next(m.payload for m in subscriber.heard if m.topic == TOPICS.response("correct")))
    assert answer["status"] == "error"
    assert answer["error"].startswith("not a CorrectRequest")


def test_retained_topics_are_reset_after_a_kill(start, broker):
    process = start([5], hold_s=60.0, port=broker.port)
    first = Subscriber(broker.port)
    wait_until(lambda: first.held_up[-1:] == [5])
    first.close()
    process.kill()
    process.wait()
    start(gap_s=60.0, port=broker.port)
    wait_until(lambda: json.loads(read_retained(broker.port)[TOPICS.prediction]) == {"digit": None})
