"""The whole loop on one machine: train, export, see, say.

Trains the talk's network on MNIST, starts a broker and the daemon with the simulated camera, and prints
every prediction as it comes over MQTT, with the LEDs beside it. Ends with status 0 only if the loop worked.

    python -m deploy.demo [--digits N] [--folder DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from deploy.broker import find_free_port, start_broker
from shared.messages import Availability, EventMessage, PredictionMessage, decode
from shared.reading import show_confidence
from shared.topics import Topics
from trainer.mnist import find_data_directory

# Of MNIST's test images, seen through the simulated camera, this network says about nine in ten, and rightly.
# A loop that works gets at least eight in ten through.
NEEDED_SHARE = 0.8

# The digits to hold up are drawn from this seed, the pictures of them from the camera's own.
SEED = 30

HOLD_S, GAP_S = 1.5, 0.8
ANSWER_S = 5.0
MARGIN = 8

# What a seven-segment display shows, to compare with what the pins were set to.
SEGMENTS = {
    0: [" _ ", "| |", "|_|"],
    1: ["   ", "  |", "  |"],
    2: [" _ ", " _|", "|_ "],
    3: [" _ ", " _|", " _|"],
    4: ["   ", "|_|", "  |"],
    5: [" _ ", "|_ ", " _|"],
    6: [" _ ", "|_ ", "|_|"],
    7: [" _ ", "  |", "  |"],
    8: [" _ ", "|_|", "|_|"],
    9: [" _ ", "|_|", " _|"],
}

CONFIGURATION = """\
[device]
name = "demo"

[camera]
kind = "simulated"

[camera.simulated]
digits = {digits}
hold_s = {hold_s}
gap_s = {gap_s}
mnist = {mnist}

[network]
weights = {weights}

[settling]
# The demo's network knows nothing but digits, and nothing else is held up to it.
confidence = 0.5

[mqtt]
host = "127.0.0.1"
port = {port}

[leds]
kind = "seven-segment"
pins = [5, 6, 13, 19, 26, 16, 20]
status_pin = 21
"""


@dataclass
class Round:
    """One digit that was held up, and what came of it."""

    shown: int
    events: list[EventMessage] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether it was said once, and right."""
        return [event.digit for event in self.events] == [self.shown]


class Listener:
    """Hears the device as anybody could: on the broker."""

    def __init__(self, port: int, topics: Topics) -> None:
        self._topics = topics
        self.events: Queue[EventMessage] = Queue()
        self.states: list[str] = []
        self.held_up: int | None = None
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{topics.base}/#", qos=1)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _hear(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        if message.topic == self._topics.event:
            self.events.put(decode(EventMessage, message.payload))
        elif message.topic == self._topics.prediction:
            self.held_up = decode(PredictionMessage, message.payload).digit
        elif message.topic == self._topics.availability:
            self.states.append(decode(Availability, message.payload).state)

    def close(self) -> None:
        """Stop listening."""
        self._client.disconnect()
        self._client.loop_stop()


class Watcher(threading.Thread):
    """Reads what the daemon prints: what its camera shows, and what its LEDs' pins are set to."""

    def __init__(self, daemon: subprocess.Popen[str]) -> None:
        super().__init__(daemon=True)
        self._daemon = daemon
        self.shown: list[int] = []
        self.lit: dict[int, list[str]] = {}

    def run(self) -> None:
        """Read until the daemon ends."""
        assert self._daemon.stdout is not None
        for line in self._daemon.stdout:
            news = json.loads(line)
            if news.get("shows") is not None:
                self.shown.append(int(news["shows"]))
            elif news.get("digit") is not None:
                self.lit[len(self.shown)] = news["leds"]


def main() -> int:
    """Run the demo; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.demo", description="Run Inkling's whole loop on this machine."
    )
    parser.add_argument(
        "--digits", type=int, default=30, metavar="N", help="how many to hold up (default: 30)"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("build/demo"), metavar="DIR", help="for weights and logs"
    )
    options = parser.parse_args()
    if options.digits < 1:
        parser.error("--digits must be 1 or more")
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        return run_demo(options.folder.resolve(), options.digits)
    except KeyboardInterrupt:
        print("\ndemo: interrupted", file=sys.stderr)
        return 130
    except (RuntimeError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def run_demo(folder: Path, count: int) -> int:
    """Train, then hold up `count` digits and listen."""
    mnist, weights = find_data_directory(), folder / "weights.npz"
    for title, command in (
        ("1. MNIST: 70,000 handwritten digits", ["fetch", "--data-dir", str(mnist)]),
        (
            "2. The trainer: the talk's network learns them",
            ["train", "--rotate", "--epochs", "8", "--data-dir", str(mnist), "-o", str(weights)],
        ),
    ):
        print(f"\n{title}", flush=True)
        if status := subprocess.run([sys.executable, "-m", "trainer", *command], check=False).returncode:
            return status
    print(f"\n3. The edge: {count} digits are held up to the simulated camera\n", flush=True)
    digits = random.Random(SEED).choices(range(10), k=count)
    port = find_free_port()
    configuration = folder / "edge.toml"
    configuration.write_text(
        CONFIGURATION.format(
            digits=digits,
            hold_s=HOLD_S,
            gap_s=GAP_S,
            mnist=json.dumps(str(mnist)),
            weights=json.dumps(str(weights)),
            port=port,
        )
    )
    broker = start_broker(folder, port)
    try:
        listener = Listener(port, Topics("demo"))
        try:
            return _judge(*_hold_up(folder, configuration, count, listener), count, listener, folder)
        finally:
            listener.close()
    finally:
        broker.terminate()
        broker.wait()


def _hold_up(
    folder: Path, configuration: Path, count: int, listener: Listener
) -> tuple[list[Round], bool, int]:
    """Run the daemon; return the rounds, whether the LEDs agreed with MQTT each time, and its exit status."""
    with (folder / "edge.log").open("w") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "edge", "run", "--json", "--config", str(configuration)],
            env={**os.environ, "GPIOZERO_PIN_FACTORY": "mock"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    watcher = Watcher(daemon)
    watcher.start()
    rounds: list[Round] = []
    leds_agreed = True
    try:
        while watcher.is_alive() or not listener.events.empty():
            event = _next_event(listener)
            while len(rounds) < len(watcher.shown):
                if rounds and not listener.states:
                    raise RuntimeError(f"the daemon does not come to the broker: see {folder}/edge.log")
                if rounds and not rounds[-1].events:
                    _print_silence(len(rounds), count, rounds[-1])
                rounds.append(Round(watcher.shown[len(rounds)]))
            if event is not None and rounds:
                rounds[-1].events.append(event)
                lit = _wait_for_leds(watcher, len(rounds))
                leds_agreed = leds_agreed and lit == SEGMENTS[event.digit]
                _print_round(len(rounds), count, rounds[-1], event, lit)
        if rounds and not rounds[-1].events:
            _print_silence(len(rounds), count, rounds[-1])
    finally:
        daemon.terminate()
        status = daemon.wait(timeout=ANSWER_S * 2)
    return rounds, leds_agreed, status


def _next_event(listener: Listener) -> EventMessage | None:
    try:
        return listener.events.get(timeout=0.1)
    except Empty:
        return None


def _wait_for_leds(watcher: Watcher, number: int) -> list[str]:
    """MQTT can be quicker than the pipe from the daemon: wait a moment for what its LEDs show."""
    until = time.monotonic() + ANSWER_S
    while number not in watcher.lit and time.monotonic() < until:
        time.sleep(0.005)
    return watcher.lit.get(number, ["", "", ""])


def _print_round(number: int, count: int, this: Round, event: EventMessage, lit: list[str]) -> None:
    verdict = "" if this.is_right else "   <- wrong"
    latency = f"{event.latency_ms:.0f} ms after its frame"
    said = f"MQTT says {event.digit}, confidence {show_confidence(event.confidence)}, {latency}"
    lines = ["", f"{number:>2}/{count}  held up {this.shown}   {said}{verdict}", ""]
    for led_line, line in zip(lit, lines, strict=False):
        print(f"{led_line:>{MARGIN}}   {line}".rstrip(), flush=True)


def _print_silence(number: int, count: int, this: Round) -> None:
    print(
        f"{number:>{MARGIN + 5}}/{count}  held up {this.shown}   not said: the network was not sure of it",
        flush=True,
    )


def _judge(
    rounds: list[Round], leds_agreed: bool, status: int, count: int, listener: Listener, folder: Path
) -> int:
    until = time.monotonic() + ANSWER_S
    while listener.states[-1:] != ["offline"] and time.monotonic() < until:
        time.sleep(0.05)
    right = sum(round_.is_right for round_ in rounds)
    faults = []
    if right < NEEDED_SHARE * count:
        faults.append(f"fewer than {NEEDED_SHARE:.0%} were read right")
    if not leds_agreed:
        faults.append("the LEDs showed something else than MQTT said")
    if listener.states[-2:] != ["online", "offline"]:
        faults.append(f"the device was {listener.states or 'never'} online, not online and then offline")
    if listener.held_up is not None:
        faults.append(f"the broker still has {listener.held_up} as held up")
    if status:
        faults.append(f"the daemon ended with status {status}")
    print(f"\n{right} of {count} digits read right, said once over MQTT, shown on the LEDs")
    for fault in faults:
        print(f"demo: {fault}: see {folder}/edge.log and broker.log", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
