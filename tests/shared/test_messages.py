import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadMessageError, BadTopicError
from shared.messages import (
    Availability,
    EventMessage,
    HealthMessage,
    PredictionMessage,
    decode,
    decode_image,
    encode,
    encode_image,
)
from shared.topics import DEVICE_NAME, Topics, name_device

EVENT = EventMessage(
    digit=7,
    confidence=0.98,
    outputs=(0.0,) * 10,
    id="a-1",
    model="0123456789ab",
    seq=1,
    latency_ms=12.5,
    image=encode_image(np.zeros((28, 28), np.float32)),
    ts="2026-01-01T00:00:00.000+00:00",
)


def test_topics_lie_under_the_device():
    topics = Topics("desk-1")
    assert topics.availability == "inkling/desk-1/availability"
    assert topics.prediction == "inkling/desk-1/prediction"
    assert topics.event == "inkling/desk-1/event"
    assert topics.health == "inkling/desk-1/health"
    assert topics.info == "inkling/desk-1/info"
    assert topics.view == "inkling/desk-1/view"
    assert topics.request("+") == "inkling/desk-1/request/+"
    assert topics.response("weights") == "inkling/desk-1/response/weights"
    assert topics.discovery == "homeassistant/device/desk-1/config"


@pytest.mark.parametrize("name", ["", "a" * 33, "Desk", "a/b", "a b", "+", "#", "ä", "desk\n"])
def test_a_name_that_would_break_topics_is_refused(name):
    with pytest.raises(BadTopicError, match="use 1 to 32 of"):
        Topics(name)


@given(host=st.text(max_size=60))
def test_any_host_name_can_be_made_to_fit(host):
    assert DEVICE_NAME.fullmatch(name_device(host))


def test_a_host_name_stays_recognisable():
    assert name_device("Raspberry-Pi.local") == "raspberry-pi-local"


def test_every_message_comes_back_as_it_was():
    messages = (
        Availability("online"),
        PredictionMessage(digit=None),
        PredictionMessage(3, 0.5, (0.1,) * 10, "a-1", "ab", None),
        EVENT,
        HealthMessage(1.0, 10.0, 5.0, 40.0, 0, 0, "ok", "ok", ("broker: gone",), None),
    )
    for message in messages:
        assert decode(type(message), encode(message)) == message


def test_nothing_held_up_is_a_digit_of_null_and_no_more():
    assert json.loads(encode(PredictionMessage(digit=None))) == {"digit": None}


def test_time_is_left_out_while_the_clock_is_not_set():
    assert "ts" not in json.loads(encode(PredictionMessage(3, 0.5)))


def test_keys_of_later_versions_are_ignored():
    content = {**json.loads(encode(EVENT)), "mood": "good"}
    assert decode(EventMessage, json.dumps(content).encode()) == EVENT


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (Availability, b'{"state":"asleep"}'),
        (Availability, b"{}"),
        (Availability, b"online"),
        (Availability, b"\xff"),
        (Availability, b"[" * 100_000),
        (PredictionMessage, b'{"digit":10}'),
        (PredictionMessage, b'{"digit":"7"}'),
        (PredictionMessage, b'{"digit":7,"confidence":NaN}'),
        (PredictionMessage, b'{"digit":7,"outputs":[1e999,0,0,0,0,0,0,0,0,0]}'),
        (EventMessage, b'{"digit":null}'),
        (EventMessage, b"9" * 5000),
    ],
)
def test_what_is_no_message_is_refused(kind, payload):
    with pytest.raises(BadMessageError, match=f"not a {kind.__name__}"):
        decode(kind, payload)


@given(payload=st.binary(max_size=200))
def test_random_payloads_are_messages_or_refused(payload):
    for kind in (Availability, PredictionMessage, EventMessage, HealthMessage):
        with contextlib.suppress(BadMessageError):
            decode(kind, payload)


def test_an_image_survives_to_within_half_a_grey_level():
    image = np.random.default_rng(0).uniform(0, 1, (28, 28)).astype(np.float32)
    np.testing.assert_allclose(decode_image(encode_image(image)), image, atol=0.5001 / 255)


@pytest.mark.parametrize("text", ["", "AAAA", "%%%", "ä"])
def test_what_is_no_image_is_refused(text):
    with pytest.raises(BadMessageError, match="an image"):
        decode_image(text)
