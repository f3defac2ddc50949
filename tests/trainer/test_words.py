import json
from dataclasses import replace

import pytest
from hypothesis import given

from shared.errors import BadTopicError
from shared.messages import CHANNELS, Availability, encode
from shared.printable import make_printable
from tests.trainer.hearsay import EVENT, PAYLOADS, TOPICS
from trainer.words import MOST_REMEMBERED, Interpreter, Nonsense, Word, list_topics


def interpret(topic, payload, interpreter=None):
    return (interpreter or Interpreter()).interpret(topic, payload, retained=False)


def test_a_word_tells_who_said_what():
    word = interpret("inkling/desk/event", encode(EVENT))
    assert (word.device, word.kind, word.message) == ("desk", "event", EVENT)
    assert not word.retained


def test_keys_that_we_do_not_know_yet_are_kept_for_scripts():
    word = interpret("inkling/desk/availability", b'{"state":"online","mood":"good"}')
    assert word.message == Availability("online")
    assert word.content == {"state": "online", "mood": "good"}


def test_an_event_that_is_repeated_is_heard_once():
    interpreter = Interpreter()
    events = [replace(EVENT, id=f"{number}", seq=number) for number in range(1, 22)]
    heard = [
        interpret("inkling/desk/event", encode(event), interpreter) for event in [*events, *events, EVENT]
    ]
    assert [word.message for word in heard if word] == [*events, EVENT]


def test_two_devices_may_have_events_with_one_id():
    interpreter = Interpreter()
    for device in ("desk", "kitchen"):
        assert interpret(f"inkling/{device}/event", encode(EVENT), interpreter) is not None


def test_what_else_is_said_twice_is_heard_twice():
    interpreter = Interpreter()
    for _ in range(2):
        word = interpret("inkling/desk/availability", b'{"state":"online"}', interpreter)
        assert word.message == Availability("online")


def test_no_more_is_remembered_than_there_is_room_for(monkeypatch):
    interpreter = Interpreter()
    for number in range(3 * MOST_REMEMBERED):
        interpret("inkling/desk/event", encode(replace(EVENT, id=f"{number}")), interpreter)
    monkeypatch.setattr("trainer.words.MOST_DEVICES", 50)
    for number in range(60):
        interpret(f"inkling/made-up-{number}/event", encode(EVENT), interpreter)
    assert sum(map(len, interpreter._recent.values())) == MOST_REMEMBERED + 49
    assert isinstance(interpret("inkling/yet-another/event", encode(EVENT), interpreter), Nonsense)
    assert isinstance(interpret("inkling/desk/event", encode(EVENT), interpreter), Word)


@pytest.mark.parametrize(
    "topic",
    ["inkling/desk", "inkling/Desk/event", "inkling//event", "other/desk/event", "inkling/desk/event/x", ""],
)
def test_a_topic_that_is_no_devices_is_nonsense(topic):
    assert interpret(topic, encode(EVENT)) == Nonsense(topic, "no topic of a device")


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"\xff", b'{"state":"asleep"}', b'{"state":1e999}', b"[" * 9999]
)
def test_a_payload_that_is_not_what_its_topic_promises_is_nonsense(payload):
    assert isinstance(interpret("inkling/desk/availability", payload), Nonsense)


@given(TOPICS, PAYLOADS)
def test_whatever_is_heard_is_a_word_that_can_be_said_again_or_nonsense(topic, payload):
    word = interpret(topic, payload)
    if isinstance(word, Word):
        json.loads(json.dumps(word.content, allow_nan=False))
    else:
        assert make_printable(word.topic + word.why).isprintable()


def test_a_topic_for_each_kind_but_the_view_of_one_device_or_all():
    assert list_topics("desk") == [f"inkling/desk/{channel.topic}" for channel in CHANNELS.values()]
    assert list_topics()[0] == "inkling/+/availability"
    with pytest.raises(BadTopicError, match="device name"):
        list_topics("#")
