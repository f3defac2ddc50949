"""The collector, against a real Mosquitto: nothing that devices say is lost, and none of it is kept twice."""

import base64
import json
from dataclasses import replace

import numpy as np
import paho.mqtt.client as paho
import pytest
from hypothesis import HealthCheck, given, settings
from paho.mqtt.enums import CallbackAPIVersion

from shared.messages import ResponseMessage, encode
from shared.topics import Topics
from tests.conftest import wait_until
from tests.trainer.hearsay import EVENT, PAYLOADS, TOPICS
from trainer.broker import Broker
from trainer.broker_settings import BrokerSettings, Session
from trainer.collector import TOPICS as HEARD
from trainer.collector import Collector, Kept, collect_alone, name_session
from trainer.errors import LibraryError
from trainer.library import Library
from trainer.own_digits import NOTHING
from trainer.words import Interpreter, Nonsense

DESK = Topics("desk")


def event(number, **changes):
    """A settled seven, unlike any other of another number."""
    pixels = np.random.default_rng(number).integers(0, 256, 784, np.uint8)
    image = base64.b64encode(pixels.tobytes()).decode()
    return encode(replace(EVENT, id=f"event-{number}", seq=number, image=image, **changes))


def correction(number, label, **changes):
    data = {"id": f"event-{number}", "digit": 7, "label": label}
    return encode(replace(ResponseMessage("ok", data=data), **changes))


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "library.sqlite") as opened:
        yield opened


@pytest.fixture
def say(broker):
    """Publish in a device's name, and know that the broker has it."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    yield lambda topic, payload: client.publish(topic, payload, 1).wait_for_publish(15)
    client.disconnect()
    client.loop_stop()


@pytest.fixture
def connect(broker, library):
    """Connect as this library's collector does."""

    def begin(kept_s=3600):
        return Broker(BrokerSettings("127.0.0.1", broker.port), Session(name_session(library), kept_s))

    return begin


def collect_until(laptop, collector, condition):
    kept = []

    def listen():
        kept.extend(collector.keep(laptop.hear(0.05)))
        return condition()

    wait_until(listen)
    return kept


def interpret(*said):
    interpreter = Interpreter()
    words = [interpreter.interpret(topic, payload, retained=False) for topic, payload in said]
    return [word for word in words if word is not None]


def test_what_is_said_while_nobody_collects_is_kept_by_the_broker(connect, say, library):
    with connect() as laptop:
        laptop.subscribe(*HEARD)
        laptop.hear(0.3)
        assert laptop.kept_s == 3600
    for number in range(30):
        say(DESK.event, event(number))
    say(DESK.response("correct"), correction(4, 9))
    with connect() as laptop:
        collector = Collector(library)
        collect_until(laptop, collector, lambda: collector.corrected)
    assert [digit.id for digit in library.take_all()] == [f"event-{number}" for number in range(30)]
    assert library.take(5).label == 9
    assert (collector.added, collector.repeated) == (30, 0)


def test_what_was_heard_but_not_yet_kept_is_said_again(connect, say, library):
    """The laptop's battery ends between hearing and keeping."""
    with connect() as laptop:
        laptop.subscribe(*HEARD)
        laptop.hear(0.3)
        say(DESK.event, event(1))
        wait_until(lambda: laptop.hear(0.05))
    with connect() as laptop:
        collector = Collector(library)
        collect_until(laptop, collector, lambda: collector.added)
        laptop.hear(0.1)  # which confirms it
    with connect() as laptop:
        assert not laptop.hear(0.5)


def test_a_session_that_is_forgotten_keeps_nothing(connect, say):
    with connect() as laptop:
        laptop.subscribe(*HEARD)
        laptop.hear(0.3)
    with connect(kept_s=0):
        pass
    say(DESK.event, event(1))
    with connect() as laptop:
        assert not laptop.hear(0.5)


def test_the_connection_that_is_lost_loses_nothing(broker, connect, say, library):
    collector = Collector(library)
    with connect() as laptop:
        laptop.subscribe(*HEARD)
        laptop.hear(0.3)
        laptop._client.socket().close()
        say(DESK.event, event(1))
        collect_until(laptop, collector, lambda: collector.added)


def test_two_do_not_collect_into_one_library(library):
    with (
        collect_alone(library.path),
        pytest.raises(LibraryError, match="another 'collect'"),
        collect_alone(library.path),
    ):
        pass
    with collect_alone(library.path):
        pass


def test_another_library_has_another_name_at_the_broker(library, tmp_path):
    with Library(tmp_path / "other.sqlite") as other:
        assert name_session(other) != name_session(library)
    assert name_session(library) == name_session(library)


def test_what_is_heard_is_kept_as_it_was_said(library):
    payload = event(3, ts="2026-01-02T03:04:05Z", confidence=0.75)
    (kept,) = Collector(library).keep(interpret((DESK.event, payload)))
    assert kept == Kept("desk", 1, 7, 0.75, None, is_correction=False)
    digit = library.take(1)
    assert digit.image.tobytes() == base64.b64decode(json.loads(payload)["image"])
    assert digit.time.isoformat() == "2026-01-02T03:04:05+00:00"
    assert (digit.model, digit.outputs) == (EVENT.model, EVENT.outputs)


@pytest.mark.parametrize("ts", [None, "0001-01-01T00:00:00Z", "1970-01-01T00:00:05Z", "9999-12-31T23:59:59Z"])
def test_a_device_whose_clock_is_not_set_gets_the_laptops_time(library, ts):
    (word,) = interpret((DESK.event, event(1, ts=ts)))
    list(Collector(library).keep([word]))
    assert abs((library.take(1).time - word.time).total_seconds()) < 0.001


def test_corrections_are_kept_and_the_last_one_counts(library):
    said = interpret(
        (DESK.event, event(1)),
        (DESK.response("correct"), correction(1, 2)),
        (DESK.response("correct"), correction(1, None)),
        (DESK.response("correct"), correction(1, 3, status="error", error="none of the last 100")),
    )
    kept = list(Collector(library).keep(said))
    assert [one.label for one in kept] == [None, 2, NOTHING]
    assert (library.take(1).label, library.take(1).label_source) == (NOTHING, "correction")


def test_a_correction_of_what_was_not_collected_is_said(library):
    (nonsense,) = Collector(library).keep(interpret((DESK.response("correct"), correction(5, 1))))
    assert isinstance(nonsense, Nonsense)
    assert "event-5, which was not collected" in nonsense.why


def test_a_correction_of_another_devices_event_does_not_count(library):
    said = interpret((DESK.event, event(1)), (Topics("hall").response("correct"), correction(1, 2)))
    assert isinstance(list(Collector(library).keep(said))[1], Nonsense)
    assert library.take(1).label is None


@pytest.mark.parametrize(
    "data", [{"id": "event-1"}, {"id": "event-1", "label": 10}, {"id": 7, "label": 1}, {"label": "x"}, None]
)
def test_corrections_that_are_none_are_nonsense(library, data):
    said = (DESK.response("correct"), encode(ResponseMessage("ok", data=data)))
    (nonsense,) = Collector(library).keep(interpret(said))
    assert isinstance(nonsense, Nonsense)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(TOPICS, PAYLOADS)
def test_whatever_is_said_is_kept_or_is_nonsense(library, topic, payload):
    for said_on in (topic, DESK.event, DESK.response("correct")):
        list(Collector(library).keep(interpret((said_on, payload))))


@pytest.mark.parametrize("field", ["id", "model"])
@pytest.mark.parametrize("text", ["\ud800", "x" * 101, ""])
def test_names_that_cannot_be_kept_are_nonsense(library, field, text):
    content = json.loads(event(1)) | {field: text}
    (nonsense,) = Collector(library).keep(interpret((DESK.event, json.dumps(content).encode())))
    assert isinstance(nonsense, Nonsense)
    assert library.count() == (0, 0)
