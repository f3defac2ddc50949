"""The daemon as a process, against a real Mosquitto."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deploy.broker import find_free_port, find_mosquitto, start_broker
from shared.messages import (
    Availability,
    HealthMessage,
    InfoMessage,
    PredictionMessage,
    decode,
    decode_image,
)
from shared.strokes import draw_digit
from shared.weights import load_weights
from tests.conftest import wait_until
from tests.subscriber import TOPICS, Subscriber, read_retained


def test_a_digit_held_up_arrives_once_and_the_retained_prediction_follows_and_clears(
    start, subscriber, broker
):
    process = start([7], port=broker.port)
    wait_until(lambda: subscriber.held_up[-1:] == [7])
    retained = decode(PredictionMessage, read_retained(broker.port)[TOPICS.prediction])
    assert process.wait(timeout=60) == 0
    wait_until(lambda: subscriber.availability[-1:] == ["offline"])

    (event,) = subscriber.events
    assert event.digit == retained.digit == 7
    assert event.id == retained.id
    assert event.outputs == retained.outputs
    assert max(event.outputs) == event.outputs[7]
    assert event.model == retained.model == load_weights().name
    assert event.seq == 1
    assert 0 < event.latency_ms < 5000
    assert decode_image(event.image).max() > 0.9
    assert subscriber.held_up == [None, 7, None, None]
    assert subscriber.availability == ["online", "offline"]

    topics = [message.topic for message in subscriber.heard]
    assert topics.index(TOPICS.prediction) < topics.index(TOPICS.availability)
    assert topics.index(TOPICS.info) < topics.index(TOPICS.availability)
    assert topics.index(TOPICS.event) < len(topics) - 1 - topics[::-1].index(TOPICS.prediction)
    assert json.loads(read_retained(broker.port)[TOPICS.prediction]) == {"digit": None}
    assert all(message.qos == 1 for message in subscriber.heard)


def test_the_retained_prediction_has_an_expiry_and_the_event_is_not_retained(start, broker):
    start(hold_s=3.0, gap_s=0.5, port=broker.port)
    first = Subscriber(broker.port)
    wait_until(lambda: first.events)
    wait_until(lambda: first.held_up[-1] is not None)
    late = Subscriber(broker.port)
    wait_until(lambda: late.held_up)
    prediction = next(message for message in late.heard if message.topic == TOPICS.prediction)
    assert prediction.retain
    assert 0 < prediction.properties.MessageExpiryInterval <= 180
    retained = {message.topic for message in late.heard if message.retain}
    assert retained == {
        TOPICS.prediction,
        TOPICS.availability,
        TOPICS.info,
        TOPICS.discovery,
    }
    first.close()
    late.close()


def test_info_and_health_say_what_the_device_is_and_how(start, subscriber, broker):
    start(health_s=1.0, more="[leds]\nkind = 'binary'\npins = [4, 17, 27, 22]\n", port=broker.port)
    wait_until(lambda: subscriber.payloads(HealthMessage, TOPICS.health))
    (info,) = subscriber.payloads(InfoMessage, TOPICS.info)
    assert info.weights["layers"] == [784, 300, 100, 10]
    assert info.configuration["leds"] == {
        "kind": "binary",
        "pins": [4, 17, 27, 22],
        "brightness": 1.0,
    }
    health = subscriber.payloads(HealthMessage, TOPICS.health)[0]
    assert health.problems == ()
    assert 2 < health.frames_per_s < 21
    assert health.frame_ms > 0
    assert health.dropped == health.queued == 0


def test_kill_9_turns_availability_to_offline_through_the_last_will(start, subscriber, broker):
    process = start(hold_s=30.0, gap_s=0.5, port=broker.port)
    wait_until(lambda: subscriber.events)
    process.send_signal(signal.SIGKILL)
    wait_until(lambda: subscriber.availability == ["online", "offline"])
    assert json.loads(read_retained(broker.port)[TOPICS.availability]) == {"state": "offline"}


def test_after_kill_9_a_new_start_resets_what_was_held_up(start, subscriber, broker):
    process = start(hold_s=30.0, gap_s=0.5, port=broker.port)
    wait_until(lambda: subscriber.held_up[-1:] not in ([], [None]))
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = len(subscriber.heard)
    start(gap_s=30.0, port=broker.port)
    wait_until(lambda: subscriber.availability[-1:] == ["online"] and len(subscriber.availability) == 3)
    new = [message for message in subscriber.heard[before:] if message.topic == TOPICS.prediction]
    assert decode(PredictionMessage, new[0].payload).digit is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_clean_stop_clears_the_prediction_and_says_offline_itself(start, subscriber, broker, number):
    process = start(hold_s=30.0, gap_s=0.5, port=broker.port)
    wait_until(lambda: subscriber.events)
    process.send_signal(number)
    assert process.wait(timeout=60) == 0
    wait_until(lambda: subscriber.availability == ["online", "offline"])
    assert subscriber.held_up[-1] is None


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_broker_restart_loses_no_event_and_leaves_everything_online(
    start, remembering_broker, tmp_path, end
):
    """Broker and subscriber both remember, so that what does not arrive was lost by the device."""
    broker = remembering_broker
    subscriber = Subscriber(broker.port, name="laptop")
    process = start([1, 2, 3, 4, 5, 6, 7, 8], port=broker.port, options=["--show"])
    wait_until(lambda: len(subscriber.events) >= 2)
    broker.stop(end)
    heard = len(subscriber.events)
    time.sleep(4.5)  # two digits are held up while nobody listens
    broker.start()
    wait_until(lambda: len(subscriber.events) > heard)
    # The broker may have kept that event, and tell it before the device is back.
    wait_until(lambda: subscriber.availability[-1:] == ["online"])
    assert decode(Availability, read_retained(broker.port)[TOPICS.availability]).state == "online"
    assert process.wait(timeout=60) == 0
    wait_until(lambda: subscriber.availability[-1:] == ["offline"])
    # Quality of service 1 may repeat one; its id tells. A busy machine may not read all eight.
    events = {event.id: event for event in subscriber.events}
    read = re.findall(r"^reads (\d)", (tmp_path / "edge.log").read_text(), re.MULTILINE)
    assert [str(event.digit) for event in events.values()] == read
    assert [event.seq for event in events.values()] == list(range(1, len(read) + 1))
    subscriber.close()


def test_a_broker_that_forgot_everything_is_told_again(start, broker):
    start([5], hold_s=60.0, port=broker.port)
    first = Subscriber(broker.port)
    wait_until(lambda: first.held_up[-1:] == [5])
    first.close()
    broker.stop(signal.SIGKILL)
    broker.start()
    retained = read_retained(broker.port)
    assert decode(Availability, retained[TOPICS.availability]).state == "online"
    assert decode(PredictionMessage, retained[TOPICS.prediction]).digit == 5
    assert TOPICS.info in retained


def send_malformed_packets(listener: socket.socket, attempts: list[bytes]) -> None:
    """Be a broker that accepts, and then sends a message that is against the protocol."""
    # CONNACK, and a PUBLISH whose topic is not UTF-8 and whose properties claim an unknown kind.
    answer = bytes([0x20, 0x03, 0, 0, 0]) + bytes([0x30, 0x08, 0, 2, 0xFF, 0xFE, 0x02, 0x7F, 0x00, 0x00])
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            attempts.append(connection.recv(1000))
            connection.sendall(answer)
            connection.settimeout(1.0)
            with suppress(OSError):
                while connection.recv(1000):
                    pass


def test_a_broker_that_sends_nonsense_does_not_end_the_connection_for_good(start, tmp_path):
    port = find_free_port()
    attempts = []
    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=send_malformed_packets, args=(listener, attempts))
        thread.start()
        start(port=port)
        wait_until(lambda: len(attempts) >= 2)
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    if find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
    process = start_broker(tmp_path, port)
    subscriber = Subscriber(port)
    wait_until(lambda: subscriber.events)
    subscriber.close()
    process.terminate()
    process.wait()


def test_a_dead_broker_does_not_keep_the_daemon_from_starting_nor_from_ending(start, broker):
    broker.stop(signal.SIGKILL)
    process = start([7], hold_s=1.0, gap_s=0.5, port=broker.port)
    assert process.wait(timeout=60) == 0


def test_systemd_hears_ready_although_the_broker_is_dead(start, broker, tmp_path, monkeypatch):
    broker.stop(signal.SIGKILL)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        process = start(port=broker.port)
        said = systemd.recv(500).decode()
        assert "READY=1" in said
        assert "STATUS=broker: " in said
        process.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in said:
            said = systemd.recv(500).decode()
        assert process.wait(timeout=60) == 0


def test_images_in_a_folder_are_read_and_said(start, subscriber, tmp_path, broker):
    folder = tmp_path / "images"
    folder.mkdir()
    for digit in (3, 8):
        ink = Image.fromarray(np.uint8(255 * draw_digit(digit, np.random.default_rng(0)))).resize((160, 160))
        frame = Image.new("L", (320, 240), 200)
        frame.paste(30, (80, 40), ink)
        frame.save(folder / f"{digit}.png")
    configuration = tmp_path / "folder.toml"
    configuration.write_text(
        f"[device]\nname = 'bench'\n[camera]\nkind = 'folder'\nfolder.path = '{folder}'\n"
        f"folder.seconds_each = 1.5\nfolder.repeat = false\n[mqtt]\nport = {broker.port}\n"
    )
    result = subprocess.run(
        [sys.executable, "-m", "edge", "run", "--json", "--config", str(configuration)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert result.returncode == 0
    wait_until(lambda: len(subscriber.events) == 2)
    assert [event.digit for event in subscriber.events] == [3, 8]
    news = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["digit"] for line in news if "digit" in line] == [3, 8]
    assert [line["shows"] for line in news if "shows" in line] == ["3.png", "8.png"]


def test_what_keeps_the_camera_from_seeing_reaches_health(start, subscriber, tmp_path, broker):
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("L", (320, 240), 5).save(folder / "night.png")
    start(port=broker.port, health_s=1.0, more=f"[camera.folder]\npath = '{folder}'\n", kind="folder")
    wait_until(
        lambda: any(
            problem.startswith("sight: too dark")
            for health in subscriber.payloads(HealthMessage, TOPICS.health)
            for problem in health.problems
        )
    )


def test_why_a_device_goes_offline_is_told_in_its_last_health(start, subscriber, tmp_path, broker):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"broken")
    Image.new("L", (320, 240), 200).save(folder / "b.png")
    more = f"[camera.folder]\npath = '{folder}'\nseconds_each = 2.0\n"
    process = start(port=broker.port, more=more, kind="folder")
    wait_until(lambda: subscriber.availability)
    (folder / "b.png").write_bytes(b"broken, too")
    assert process.wait(timeout=60) == 1
    wait_until(lambda: subscriber.availability == ["online", "offline"])
    last = subscriber.payloads(HealthMessage, TOPICS.health)[-1]
    assert last.camera.startswith("no image in")
