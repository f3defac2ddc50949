"""The daemon's messaging against a real Mosquitto, through everything that a home network does to it.

After each fault: every event has arrived, in order and under one id; what the broker retains is true; the
link lives. How long the truth took is printed (`pytest -s`), not asserted: machines are noisy.
"""

import getpass
import itertools
import json
import shutil
import signal
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge.broker import KEEPALIVE_S
from edge.health import measure_memory_mb
from edge.machine import Machine
from edge.requests import Requests
from shared.messages import REQUESTS, HealthMessage, ResponseMessage
from tests.conftest import run_broker, wait_until
from tests.proxy import Proxy
from tests.subscriber import TOPICS, Subscriber, read_retained


@pytest.fixture
def proxy(remembering_broker):
    proxy = Proxy(remembering_broker.port)
    yield proxy
    proxy.close()


@pytest.fixture
def laptop(remembering_broker):
    """Hears everything: the broker keeps what comes while it is away."""
    laptop = Subscriber(remembering_broker.port, name="laptop")
    yield laptop
    laptop.close()


def check_all_arrived(device, laptop):
    """Every event once, in order, each under its one id, whatever was repeated."""
    wait_until(lambda: {event.seq for event in laptop.events} >= set(range(1, len(device.seen) + 1)))
    ids = {event.id: event for event in laptop.events}
    assert [event.seq for event in ids.values()] == list(range(1, len(device.seen) + 1))
    assert [event.digit for event in ids.values()] == device.seen


def wait_for_truth(device, port):
    """Wait until a subscriber who comes now is told the truth; prints how long that took."""
    began = time.monotonic()

    def is_true():
        retained = read_retained(port)
        prediction = json.loads(retained.get(TOPICS.prediction, b"{}"))
        online = json.loads(retained[TOPICS.availability]) == {"state": "online"}
        return online and prediction.get("id", "").endswith(f"-{len(device.seen)}")

    wait_until(is_true)
    print(f"true {time.monotonic() - began:.1f} s after the link's return")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_broker_that_is_restarted(remembering_broker, device, laptop, end):
    bench = device(remembering_broker.port)
    bench.see_many(30)
    remembering_broker.stop(end)
    bench.see_many(30)
    remembering_broker.start()
    wait_for_truth(bench, remembering_broker.port)
    bench.see_many(30)
    check_all_arrived(bench, laptop)


def test_a_broker_that_is_restarted_and_remembers_nothing(broker, device):
    bench = device(broker.port)
    bench.see_many(10)
    wait_until(lambda: bench.is_online)
    broker.stop(signal.SIGKILL)
    broker.start()
    wait_for_truth(bench, broker.port)
    retained = read_retained(broker.port)
    assert {TOPICS.info, TOPICS.prediction, TOPICS.availability} <= set(retained)


def test_a_network_that_is_cut_silently_for_longer_than_the_keep_alive(
    remembering_broker, proxy, device, laptop
):
    bench = device(proxy.port)
    bench.see_many(10)
    wait_until(lambda: laptop.availability == ["online"])
    proxy.swallows = True
    bench.see_many(50)
    wait_until(lambda: laptop.availability[-1] == "offline", 30)  # the broker's last will
    wait_until(lambda: not bench.is_online)
    bench.see_many(10)
    proxy.swallows = False
    wait_for_truth(bench, remembering_broker.port)
    check_all_arrived(bench, laptop)


def test_a_network_that_is_cut_for_a_little_longer_than_the_keep_alive(
    remembering_broker, proxy, device, laptop
):
    bench = device(proxy.port)
    wait_until(lambda: laptop.availability == ["online"])
    proxy.swallows = True
    bench.see_many(10)
    time.sleep(1.2 * KEEPALIVE_S)
    proxy.swallows = False
    wait_for_truth(bench, remembering_broker.port)
    check_all_arrived(bench, laptop)


def test_half_a_connection(remembering_broker, proxy, device, laptop):
    bench = device(proxy.port)
    wait_until(lambda: laptop.availability == ["online"])
    for _ in range(2):
        proxy.swallows = True
        proxy.hang_up(on_both_sides=False)
        bench.see_many(10)
        proxy.swallows = False
        wait_for_truth(bench, remembering_broker.port)
    check_all_arrived(bench, laptop)


def test_connections_that_are_reset_again_and_again(proxy, device, laptop):
    bench = device(proxy.port)
    for _ in range(10):
        bench.see_many(10)
        proxy.hang_up()
    check_all_arrived(bench, laptop)


def test_a_slow_link(remembering_broker, proxy, device, laptop):
    proxy.bytes_per_s, proxy.delay_s = 4000.0, 0.3
    bench = device(proxy.port)
    bench.see_many(10)
    check_all_arrived(bench, laptop)
    wait_for_truth(bench, remembering_broker.port)
    assert proxy.connections == 1  # slow is not lost


def test_a_broker_that_refuses_connections(remembering_broker, proxy, device, laptop):
    proxy.refuse()
    bench = device(proxy.port)
    wait_until(lambda: "no broker at" in bench.health.state_of("broker"))
    bench.see_many(30)
    proxy.listen()
    wait_for_truth(bench, remembering_broker.port)
    check_all_arrived(bench, laptop)


def test_an_outage_beyond_the_queue_drops_the_oldest_and_counts_them(proxy, device, laptop):
    proxy.refuse()
    bench = device(proxy.port, queued_events=100)
    bench.see_many(250, pause_s=0)
    proxy.listen()
    wait_until(lambda: len(laptop.events) >= 100)
    wait_until(lambda: laptop.payloads(HealthMessage, TOPICS.health))
    assert [event.seq for event in laptop.events] == list(range(151, 251))
    assert laptop.payloads(HealthMessage, TOPICS.health)[-1].dropped == 150


def test_a_password_that_is_wrong_and_then_right(tmp_path, password_broker, device):
    password = tmp_path / "password"
    password.write_text("wrong")
    bench = device(password_broker.port, username="bench", password_file=str(password))
    wait_until(lambda: "refuses us (Not authorized)" in bench.health.state_of("broker"))
    bench.see_many(10)
    password.unlink()
    wait_until(lambda: "cannot be read" in bench.health.state_of("broker"))
    password.write_text("secret")
    wait_until(lambda: bench.is_online)


@pytest.fixture
def strict_broker(tmp_path):
    """A broker that lets the device say everything but events."""
    program = shutil.which("mosquitto_passwd") or pytest.skip("mosquitto_passwd is not installed")
    passwords, rules = tmp_path / "passwords", tmp_path / "rules"
    passwords.write_text("")
    for user in ("bench", "laptop"):
        subprocess.run([program, "-b", str(passwords), user, "secret"], check=True)
    allowed = "".join(
        f"topic readwrite {topic}\n"
        for topic in (
            *(f"inkling/bench/{kind}" for kind in ("availability", "prediction", "health", "info")),
        )
    )
    rules.write_text(
        f"user laptop\ntopic readwrite #\n\nuser bench\n{allowed}topic read inkling/bench/request/#\n"
    )
    for path in (passwords, rules):
        path.chmod(0o644)
    yield from run_broker(
        tmp_path / "strict",
        f"user {getpass.getuser()}\nallow_anonymous false\npassword_file {passwords}\nacl_file {rules}\n",
    )


def test_a_topic_that_is_refused_is_a_problem_and_all_else_goes_on(strict_broker, device, tmp_path):
    (tmp_path / "secret").write_text("secret")
    laptop = Subscriber(strict_broker.port, username="laptop", password="secret")
    bench = device(strict_broker.port, username="bench", password_file=str(tmp_path / "secret"))
    bench.see_many(5)
    wait_until(lambda: any(health.problems for health in laptop.payloads(HealthMessage, TOPICS.health)))
    wait_until(lambda: laptop.payloads(HealthMessage, TOPICS.health)[-1].dropped == 5)
    (problem,) = laptop.payloads(HealthMessage, TOPICS.health)[-1].problems
    assert "refuses homeassistant/device/bench/config (Not authorized), inkling/bench/event (Not" in problem
    assert laptop.held_up[-1] == 4
    assert laptop.events == []
    assert laptop.availability == ["online"]
    laptop.close()


def test_two_devices_with_one_name_both_say_so_and_neither_is_silenced(
    remembering_broker, device, laptop, monkeypatch
):
    first = device(remembering_broker.port, run="first")
    wait_until(lambda: first.is_online)
    # What a second Raspberry Pi would be: its serial number is another.
    monkeypatch.setattr("edge.mqtt.identify_machine", lambda: Machine("another"))
    second = device(remembering_broker.port, run="second")
    wait_until(lambda: "another device is called bench, too" in first.health.state_of("name"))
    for bench in (first, second):
        bench.see_many(5)
    wait_until(lambda: len(laptop.events) == 10)
    ids = [event.id for event in laptop.events]
    assert sorted(ids) == [f"{run}-{seq}" for run in ("first", "second") for seq in range(1, 6)]
    second.output.close()
    wait_until(lambda: first.health.state_of("name") == "ok")
    wait_for_truth(first, remembering_broker.port)


def test_two_daemons_on_one_machine_do_not_keep_events_from_arriving(remembering_broker, device, laptop):
    """The broker throws out who came first, again and again; which of them is meant, nobody can tell."""
    benches = [device(remembering_broker.port, run=run) for run in ("first", "second")]
    for bench in benches:
        bench.see_many(20)
    wait_until(lambda: len({event.id for event in laptop.events}) == 40)


VALID = {
    "view": b'{"seconds": 1, "transaction": "t"}',
    "correct": b'{"id": "run-1", "label": 3, "transaction": [1, 2]}',
    "configure": b'{"settling": {"confidence": 0.9, "hold_s": 0.4}, "leds": {"brightness": 0.5}}',
    "weights": b'{"transaction": {"a": null}}',
    "restart": b'{"transaction": 1.5}',
}
LARGEST_PAYLOAD = 6000


def mutate(payload, random):
    """Some bytes changed, left out, put in or said twice; or nothing but noise; now and then very long."""
    kind = random.integers(6)
    if kind == 0:
        return random.bytes(random.integers(200))
    if kind == 1:
        return payload * int(random.integers(1, LARGEST_PAYLOAD // len(payload)))
    content = bytearray(payload)
    for _ in range(random.integers(1, 6)):
        at = int(random.integers(len(content))) if content else 0
        if kind == 2:
            content[at : at + 1] = random.bytes(1)
        elif kind == 3:
            del content[at : at + int(random.integers(1, 10))]
        elif kind == 4:
            content[at:at] = random.bytes(random.integers(1, 10))
        else:
            content[at:at] = content[: int(random.integers(len(content) + 1))]
    return bytes(content)


@pytest.mark.parametrize("verb", sorted(REQUESTS))
def test_ten_thousand_hostile_payloads_are_each_answered_or_ignored(verb):
    random = np.random.default_rng(sorted(REQUESTS).index(verb))
    minutes = itertools.count()  # pass between two, so that none is one too many
    requests = Requests(TOPICS, {verb: lambda request: {} for verb in REQUESTS}, lambda: 60.0 * next(minutes))
    refused = 0
    for _ in range(10_000):
        answered, response = requests.answer(TOPICS.request(verb), mutate(VALID[verb], random), False)
        assert answered == verb
        refused += json.loads(response)["status"] == "error"
    assert refused > 8000


def test_fifty_thousand_hostile_messages_change_nothing_about_a_daemon(start, subscriber, broker):
    process = start([7], hold_s=120.0, port=broker.port)
    wait_until(lambda: subscriber.events)
    before_mb = measure_memory_mb(process.pid)
    attacker = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    attacker.connect("127.0.0.1", broker.port)
    attacker.loop_start()
    random = np.random.default_rng(1)
    for _ in range(10_000):
        for verb, payload in VALID.items():
            # One that restarts it is no attack.
            hostile = mutate(payload, random) if verb != "restart" else b"[" + mutate(payload, random)
            attacker.publish(TOPICS.request(verb), hostile)
    attacker.publish(TOPICS.request("view"), b"the last one", qos=1).wait_for_publish(60)
    attacker.disconnect()
    attacker.loop_stop()

    def is_answered():
        subscriber.publish(TOPICS.request("configure"), b'{"reset": true, "transaction": "after all"}')
        time.sleep(1)  # after so many requests it takes no more for a while
        answers = subscriber.payloads(ResponseMessage, TOPICS.response("configure"))
        return any(answer.transaction == "after all" and answer.status == "ok" for answer in answers)

    wait_until(is_answered)
    assert process.poll() is None
    assert subscriber.availability == ["online"]
    assert measure_memory_mb(process.pid) - before_mb < 15


FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed: apt-get install libfaketime")
def test_a_clock_that_jumps_a_day_and_back_is_only_seen_in_timestamps(
    start, subscriber, broker, tmp_path, monkeypatch
):
    offset = tmp_path / "offset"
    offset.write_text("+0")
    monkeypatch.setenv("LD_PRELOAD", str(FAKETIME))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(offset))
    monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    start(hold_s=1.0, gap_s=0.8, health_s=1.0, port=broker.port)
    days = []
    for jump in ("+0", "+1d", "-1d"):
        offset.write_text(jump)
        seen = len(subscriber.events)
        wait_until(lambda seen=seen: len(subscriber.events) >= seen + 3)
        days.append(datetime.fromisoformat(subscriber.events[-1].ts))
    assert [round((day - days[0]) / timedelta(days=1)) for day in days] == [0, 1, -1]
    assert [event.seq for event in subscriber.events] == list(range(1, len(subscriber.events) + 1))
    assert all(0 < event.latency_ms < 60_000 for event in subscriber.events)
    uptimes = [health.uptime_s for health in subscriber.payloads(HealthMessage, TOPICS.health)]
    assert uptimes == sorted(uptimes)
    assert subscriber.availability == ["online"]
