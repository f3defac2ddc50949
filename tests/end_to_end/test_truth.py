"""What a broker keeps of a device, and what the device says of itself, is true also in awkward moments."""

import threading
import time

from edge.allowance import MOST_A_SECOND, MOST_AT_ONCE
from edge.camera import Frame
from edge.config import CameraSettings, SimulatedSettings
from edge.live_settings import FILE
from edge.machine import Machine
from edge.simulated_camera import SimulatedCamera
from shared.messages import HealthMessage, PredictionMessage
from tests.conftest import wait_until
from tests.device import READINGS
from tests.edge.test_deliveries import KEY, make_weights, run
from tests.proxy import Proxy
from tests.subscriber import TOPICS, Subscriber


def test_a_clean_stop_that_leaves_too_much_unsaid_is_offline_all_the_same(broker, device, subscriber):
    proxy = Proxy(broker.port)
    proxy.refuse()
    bench = device(proxy.port)
    bench.see_many(300, pause_s=0)
    proxy.delay_s = 1.2
    proxy.listen()
    wait_until(lambda: subscriber.availability == ["online"])
    bench.output.close()
    wait_until(lambda: subscriber.availability[-1] == "offline")
    assert len(subscriber.events) < 300
    proxy.close()


def test_a_prediction_is_kept_when_health_is_told_less_often(broker, device, subscriber):
    bench = device(broker.port)
    wait_until(lambda: subscriber.availability)
    bench.see(5)
    told = len(subscriber.payloads(HealthMessage, TOPICS.health))
    subscriber.ask("configure", health={"interval_s": 3600.0})
    wait_until(lambda: len(subscriber.payloads(HealthMessage, TOPICS.health)) > told)
    time.sleep(4)  # three of the intervals before
    late = Subscriber(broker.port)
    wait_until(lambda: late.availability)
    assert [kept.digit for kept in late.payloads(PredictionMessage, TOPICS.prediction)] == [5]
    late.close()


def test_pictures_over_a_slow_link_do_not_keep_back_events(broker, device, subscriber):
    proxy = Proxy(broker.port)
    proxy.bytes_per_s = 8000.0
    bench = device(proxy.port)
    wait_until(lambda: subscriber.availability)
    subscriber.ask("view", seconds=8)
    settings = CameraSettings(kind="simulated", simulated=SimulatedSettings(scenes="hard"))
    until = time.monotonic() + 8
    for frame in SimulatedCamera(settings).frames(threading.Event(), print):
        bench.output.follow(Frame(frame.pixels, frame.time), READINGS[3])
        if time.monotonic() > until:
            break
    pictures = [message.topic for message in subscriber.heard].count(TOPICS.view)
    bench.see(3)
    wait_until(lambda: subscriber.events)
    between = [message.topic for message in subscriber.heard].count(TOPICS.view) - pictures
    assert pictures >= 1
    assert between <= 3  # of the twenty that the link cannot bring
    proxy.close()


def test_a_trial_of_weights_ends_although_the_broker_is_away(broker, device, subscriber, tmp_path):
    weights = make_weights(tmp_path, "new")
    bench = device(broker.port, state=tmp_path / "state", keys=(KEY,))
    before = bench.deliveries.running
    wait_until(lambda: subscriber.availability)
    subscriber.publish(TOPICS.weights, run(weights, 1), retain=True)
    wait_until(lambda: bench.deliveries.running is not before)
    broker.stop()
    for _ in range(20):
        bench.deliveries.observe(0.5)
    wait_until(lambda: "too slow" in bench.deliveries.describe().get("why", ""))
    assert bench.deliveries.running is before


def test_a_flood_of_what_is_no_delivery_is_not_answered_one_by_one(broker, device, subscriber, tmp_path):
    bench = device(broker.port, state=tmp_path / "state", keys=(KEY,))
    wait_until(lambda: subscriber.availability)
    begin = time.monotonic()
    for _ in range(500):
        subscriber.publish(TOPICS.weights, b"no delivery")
    subscriber.ask("view")  # which it hears after them
    answers = [message.topic for message in subscriber.heard].count(TOPICS.response("weights"))
    assert 0 < answers <= MOST_AT_ONCE + MOST_A_SECOND * (time.monotonic() - begin)
    subscriber.publish(TOPICS.weights, run(make_weights(tmp_path, "new"), 1), retain=True)
    wait_until(lambda: bench.deliveries.running.card.training.get("note") == "new")


def test_another_device_of_the_same_name_is_a_problem_for_no_longer_than_it_is_there(
    broker, device, monkeypatch
):
    proxy = Proxy(broker.port)
    first = device(proxy.port)
    wait_until(lambda: first.is_online)
    monkeypatch.setattr("edge.mqtt.identify_machine", lambda: Machine("another"))
    second = device(broker.port)
    for bench in (first, second):
        wait_until(lambda bench=bench: "another device" in bench.health.state_of("name"))
    proxy.hang_up()
    wait_until(lambda: proxy.connections == 2 and first.is_online)
    wait_until(lambda: "another device" in first.health.state_of("name"))  # it is still there
    proxy.refuse()
    wait_until(lambda: not first.is_online)
    second.output.close()
    proxy.listen()
    wait_until(lambda: first.health.state_of("name") == "ok")
    proxy.close()


def test_kept_settings_that_cannot_be_read_are_a_problem_from_the_start(broker, device, tmp_path, subscriber):
    (tmp_path / FILE).write_bytes(b'{"settling": {"confidence": 7}}')
    device(broker.port, state=tmp_path)
    wait_until(lambda: subscriber.payloads(HealthMessage, TOPICS.health))
    (problem,) = subscriber.payloads(HealthMessage, TOPICS.health)[-1].problems
    assert problem.startswith(f"settings: {tmp_path / FILE} cannot be read")
    subscriber.ask("configure", reset=True)
    wait_until(lambda: not subscriber.payloads(HealthMessage, TOPICS.health)[-1].problems)
