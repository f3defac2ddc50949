"""What a laptop's user types to watch devices, against the real daemon and a real Mosquitto."""

import fcntl
import json
import os
import pty
import random
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given, settings
from PIL import Image

from shared.messages import HealthMessage, InfoMessage
from tests.conftest import ROOT, wait_until
from tests.end_to_end.commands import TRAINER, run
from tests.subscriber import TOPICS, Subscriber
from tests.trainer.hearsay import PAYLOADS


class Watch:
    """`inkling-trainer watch` as a process that does not write to a terminal."""

    def __init__(self, port, *options):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "trainer", "watch", "--broker", f"127.0.0.1:{port}", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "80"},
        )
        self.lines: list[str] = []
        self.complaints: list[str] = []
        self._readers = [
            threading.Thread(target=lambda: self.lines.extend(map(str.rstrip, self._follow("stdout")))),
            threading.Thread(target=lambda: self.complaints.extend(map(str.rstrip, self._follow("stderr")))),
        ]
        for reader in self._readers:
            reader.start()

    def _follow(self, name):
        return iter(getattr(self._process, name).readline, "")

    @property
    def said(self):
        """What `--json` printed, object by object."""
        return [json.loads(line) for line in list(self.lines)]

    def events(self):
        return [said for said in self.said if said["kind"] == "event"]

    def stop(self):
        """Press Ctrl-C; returns the exit status."""
        self._process.send_signal(signal.SIGINT)
        status = self._process.wait(timeout=60)
        for reader in self._readers:
            reader.join()
        self._process.stdout.close()
        self._process.stderr.close()
        return status


@pytest.fixture
def watch():
    """Starts `watch`; it is ended after the test."""
    watches = []

    def start_watch(port, *options):
        watches.append(Watch(port, *options))
        return watches[-1]

    yield start_watch
    for started in watches:
        started.stop()


def trainer(broker, folder, *arguments):
    return run(TRAINER, *arguments, "--broker", f"127.0.0.1:{broker.port}", cwd=folder, PYTHONPATH=str(ROOT))


def wait_until_online(broker):
    subscriber = Subscriber(broker.port)
    wait_until(lambda: subscriber.availability[-1:] == ["online"])
    subscriber.close()


def greet(watching, subscriber, device):
    """Say that a device is online until that is heard."""
    wait_until(lambda: watching.lines or say_online(subscriber, device))


def say_online(subscriber, device):
    subscriber.publish(f"inkling/{device}/availability", '{"state":"online"}')
    time.sleep(0.1)


def test_each_message_is_one_object_and_each_event_comes_once(start, broker, watch, subscriber):
    watching = watch(broker.port, "--json")
    greet(watching, subscriber, "bench")
    process = start(health_s=1.0, port=broker.port)
    wait_until(lambda: len(subscriber.events) >= 2)
    process.send_signal(signal.SIGTERM)
    wait_until(lambda: watching.said[-1].get("state") == "offline")
    wait_until(lambda: subscriber.availability[-1] == "offline")
    assert [said["id"] for said in watching.events()] == [event.id for event in subscriber.events]
    event = next(message for message in subscriber.heard if message.topic == TOPICS.event)
    assert watching.events()[0].items() >= json.loads(event.payload).items()
    before = len(watching.events())
    subscriber.publish(TOPICS.event, event.payload)  # a copy, as quality of service 1 may bring it
    subscriber.publish(TOPICS.event, event.payload.replace(b'"id":"', b'"id":"another-'))
    wait_until(lambda: len(watching.events()) > before)
    assert watching.events()[-1]["id"].startswith("another-")
    assert len(watching.events()) == before + 1
    assert {said["device"] for said in watching.said} == {"bench"}
    assert set(Counter(said["kind"] for said in watching.said)) == {
        *("availability", "prediction", "event", "health", "info")
    }
    assert all(list(said)[:3] == ["device", "kind", "time"] for said in watching.said)
    assert not watching.complaints


def test_one_device_can_be_watched_alone(broker, watch, subscriber):
    watching = watch(broker.port, "--json", "--device", "kitchen")
    greet(watching, subscriber, "kitchen")
    before = len(watching.lines)
    for device in ("bench", "kitchen"):
        say_online(subscriber, device)
    wait_until(lambda: len(watching.lines) > before)
    assert {said["device"] for said in watching.said} == {"kitchen"}


def test_without_a_terminal_what_changes_is_a_line_also_when_the_broker_comes_back(start, broker, watch):
    watching = watch(broker.port)
    start(hold_s=60.0, gap_s=0.5, port=broker.port)
    wait_until(lambda: any(line.endswith("bench: online") for line in watching.lines))
    wait_until(lambda: any("(" in line for line in watching.lines))
    broker.stop()
    wait_until(lambda: any("connecting anew" in line for line in watching.complaints))
    before = len(watching.lines)
    broker.start()
    wait_until(lambda: any(line.endswith("bench: online") for line in watching.lines[before:]))
    wait_until(lambda: any(") is held up" in line for line in watching.lines[before:]))
    wait_until(lambda: any("again" in line for line in watching.complaints))
    assert watching.stop() == 0
    assert not any("Traceback" in line for line in watching.complaints)


def test_hostile_payloads_are_never_more_than_a_line(broker, watch, subscriber):
    watching, talking = watch(broker.port, "--json"), watch(broker.port)
    for started in (watching, talking):
        greet(started, subscriber, "bench")
    hostile = []

    @settings(max_examples=200, database=None)
    @given(PAYLOADS)
    def collect(payload):
        hostile.append(payload)

    collect()
    topics = [TOPICS.availability, TOPICS.prediction, TOPICS.event, TOPICS.health, TOPICS.info]
    topics += ["inkling/[red]/event", "inkling/\u202e/event", "inkling/" + "x" * 9999 + "/event"]
    for payload in hostile:
        subscriber.publish(random.choice(topics), payload)
    subscriber.publish("inkling/last/availability", '{"state":"online"}')
    wait_until(lambda: any(said["device"] == "last" for said in watching.said))
    wait_until(lambda: any("last: online" in line for line in talking.lines))
    for started in (watching, talking):
        assert started.stop() == 0
        assert all(line.isprintable() for line in [*started.lines, *started.complaints])
        assert not any("Traceback" in line for line in started.complaints)
    assert watching.complaints


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, *command, columns=80, lines=24):
        self._end, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "trainer", *command],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm-256color"},
        )
        os.close(inner)
        self.text = ""

    def wait_for(self, text, meanwhile=lambda: None):
        """Wait until a text is shown that was not before."""
        begin = len(self.text)

        def read():
            meanwhile()
            if select.select([self._end], [], [], 0.1)[0]:
                self.text += os.read(self._end, 65536).decode(errors="replace")
            return text in self.text[begin:]

        wait_until(read)

    def stop(self):
        """Do what Ctrl-C does, and read to the end; returns the exit status."""
        self._process.send_signal(signal.SIGINT)
        with suppress(OSError):  # how Linux says that nobody has the terminal open any more
            while chunk := os.read(self._end, 65536):
                self.text += chunk.decode(errors="replace")
        os.close(self._end)
        return self._process.wait(timeout=60)


def test_in_a_terminal_there_is_a_table_and_ctrl_c_leaves_the_terminal_as_it_was(broker, subscriber):
    terminal = Terminal("watch", "--broker", f"127.0.0.1:{broker.port}")
    terminal.wait_for("no device has spoken yet")
    for payload in (b'{"state":"online"}', b'{"state":"\x1b[2J"}'):
        subscriber.publish(TOPICS.availability, payload)
    terminal.wait_for("1 message made no sense")
    broker.stop()
    terminal.wait_for("connecting anew")
    broker.start()
    terminal.wait_for("offline", lambda: subscriber.publish(TOPICS.availability, '{"state":"offline"}'))
    assert terminal.stop() == 0
    assert terminal.text.endswith("\x1b[?25h\x1b[?1049l")  # the cursor is back, and what was there before
    assert "Traceback" not in terminal.text


def test_a_view_is_asked_for_and_kept(start, broker, tmp_path):
    start(hold_s=60.0, gap_s=0.2, port=broker.port)
    wait_until_online(broker)
    once = trainer(broker, tmp_path, "view", "bench", "-o", "once.jpg")
    assert (once.returncode, once.stdout) == (0, "what bench sees is in once.jpg\n")
    with Image.open(tmp_path / "once.jpg") as picture:
        assert (picture.format, picture.size) == ("JPEG", (320 + 112, 240))
    often = trainer(broker, tmp_path, "view", "bench", "--seconds", "1.5")
    assert often.returncode == 0
    assert "the last of " in often.stdout
    assert (tmp_path / "view.jpg").stat().st_size > 1000
    assert {path.name for path in tmp_path.glob("*.jpg")} == {"once.jpg", "view.jpg"}


def test_settings_are_changed_and_kept_and_reset(start, broker, tmp_path, subscriber):
    state = tmp_path / "state"
    state.mkdir()
    start(port=broker.port, device=f"state = '{state}'\n")
    wait_until_online(broker)
    changed = trainer(broker, tmp_path, "configure", "bench", "confidence=0.8", "interval_s=1", "--json")
    assert changed.returncode == 0
    data = json.loads(changed.stdout)
    assert data["settling"]["confidence"] == 0.8
    assert data["kept"] is True
    wait_until(lambda: len(subscriber.payloads(HealthMessage, TOPICS.health)) >= 2)  # each second now
    reset = trainer(broker, tmp_path, "configure", "bench", "--reset")
    assert "0.9" in reset.stdout
    assert "nowhere to keep" not in reset.stdout


def test_what_a_device_cannot_keep_is_lost_when_it_restarts_and_its_return_is_waited_for(
    start, broker, tmp_path, subscriber
):
    start(port=broker.port)
    wait_until_online(broker)
    changed = trainer(broker, tmp_path, "configure", "bench", "brightness=0.3")
    assert "it holds until it restarts" in changed.stdout
    restarted = trainer(broker, tmp_path, "restart", "bench")
    assert restarted.returncode == 0
    assert restarted.stdout.startswith("bench is back after ")
    wait_until(lambda: subscriber.availability[-3:] == ["online", "offline", "online"])
    brightness = [
        info.configuration["leds"]["brightness"] for info in subscriber.payloads(InfoMessage, TOPICS.info)
    ]
    assert brightness == [1.0, 0.3, 1.0]


def test_what_goes_wrong_is_one_line_that_says_what_to_do(broker, tmp_path):
    broker_less = run(TRAINER, "watch", "--broker", "127.0.0.1:1", cwd=tmp_path, PYTHONPATH=str(ROOT))
    nobody = trainer(broker, tmp_path, "view", "bench")
    for result, message in (
        (broker_less, "start one, or name yours with --broker"),
        (nobody, "no device called bench"),
    ):
        assert result.returncode == 1
        assert message in result.stderr
        assert result.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*.jpg"))
