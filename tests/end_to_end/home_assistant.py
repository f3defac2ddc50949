"""Home Assistant's core as a process, and what a device's entities there must be."""

import base64
import json
import os
import queue
import subprocess
import threading
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple
from unittest.mock import ANY

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from deploy.broker import find_free_port
from shared.messages import CHANNELS, Availability, HealthMessage, InfoMessage, PredictionMessage, decode
from shared.topics import Topics
from tests.conftest import wait_until

# Where deploy/home_assistant/setup.sh puts it.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
FOLDER = Path(os.environ.get("INKLING_HOME_ASSISTANT") or CACHE / "inkling/home-assistant")
CORE = Path(__file__).with_name("home_assistant_core.py")


class Said(NamedTuple):
    """A message on its way to the broker."""

    topic: str
    payload: bytes
    retain: bool


class Peer:
    """A client of the broker that hears everything as it was said, and says things too."""

    def __init__(self, port):
        self.heard = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        subscribed = threading.Event()
        self._client.on_message = lambda _client, _userdata, message: self.heard.append(
            Said(message.topic, bytes(message.payload), message.retain)
        )
        self._client.on_subscribe = lambda *_arguments: subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe("#", options=SubscribeOptions(qos=1, retainAsPublished=True))
        assert subscribed.wait(60)

    def say(self, message):
        self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)

    def topics(self):
        return [message.topic for message in list(self.heard)]

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


class HomeAssistant:
    """Home Assistant's core as a process, and what it told."""

    def __init__(self, folder, port):
        self.states = {}
        self.attributes = defaultdict(dict)
        self.complaints = []
        self._answers = queue.SimpleQueue()
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [FOLDER / "bin/python", "-B", CORE, folder, str(port), str(find_free_port())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        try:
            assert self._wait_for_answer() == "loaded", self.complaints
        except BaseException:
            self.close()
            raise

    def _listen(self):
        for line in self._process.stdout:
            message = json.loads(line)
            if "entity" in message:
                self.attributes[message["entity"]] = message["attributes"]
                self.states[message["entity"]] = message["state"]
            elif "complaint" in message:
                self.complaints.append(message["complaint"])
            else:
                self._answers.put(message)
        self._answers.put({"error": self._log.read_text()})  # it has ended

    def _wait_for_answer(self):
        message = self._answers.get(timeout=60)
        assert "error" not in message, message["error"]
        return message["answer"]

    def ask(self, verb, **request):
        self._process.stdin.write(json.dumps({"verb": verb, **request}) + "\n")
        self._process.stdin.flush()
        return self._wait_for_answer()

    def take_complaints(self):
        complaints, self.complaints = self.complaints, []
        return complaints

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(timeout=60)
        finally:
            self._process.kill()
            self._process.wait()
            self._thread.join()
            self._process.stdout.close()


class Twin:
    """A device's entities in Home Assistant, held against what the device said last.

    Parameters
    ----------
    discovery : is published; every component must become an entity, and is enabled if it was not
    """

    def __init__(self, home_assistant, peer, discovery):
        self._home_assistant = home_assistant
        self._peer = peer
        self._latest = {}
        self._topics = Topics(discovery.topic.split("/")[2])
        components = json.loads(discovery.payload)["components"]
        self.entities = {}

        def find_entities():
            known = home_assistant.ask("entities")
            self.entities = {
                key: known[component["unique_id"]]["entity"]
                for key, component in components.items()
                if component["unique_id"] in known
            }
            return len(self.entities) == len(components)

        peer.say(discovery)
        wait_until(find_entities)
        home_assistant.ask("enable")
        wait_until(lambda: set(self.entities.values()) <= set(home_assistant.states))

    def state(self, key):
        return self._home_assistant.states.get(self.entities[key])

    def attributes(self, key):
        return self._home_assistant.attributes[self.entities[key]]

    def follow(self, message):
        """Publish what the device says; soon all entities must be as it said last."""
        self._peer.say(message)
        self._latest[message.topic] = message.payload
        try:
            wait_until(lambda: not self._differences())
        except AssertionError as error:
            raise AssertionError(f"{message}: {self._differences()}") from error
        if message.topic == self._topics.event:
            assert "image" not in self.attributes("event")

    def _differences(self):
        return [
            f"{key} is {self.state(key)} {self.attributes(key)}, not {state} {attributes}"
            for key, (state, attributes) in self._expect().items()
            if state != self.state(key) or not attributes.items() <= self.attributes(key).items()
        ] + ([] if self._shows_view() else ["another view"])

    def _expect(self):
        """The state that entities must have, by their component's name, and attributes among others."""
        if self._read(Availability) != Availability("online"):
            return {key: ("unavailable", {}) for key in self.entities}
        expected = {}
        if prediction := self._read(PredictionMessage):
            digit, confidence = prediction.digit, prediction.confidence
            content = json.loads(self._latest[self._topics.prediction])
            expected["digit"] = "none" if digit is None else str(digit), content
            expected["confidence"] = "unknown" if confidence is None else f"{100 * confidence:.1f}", {}
        if info := self._read(InfoMessage):
            name = info.weights["sha256"][:12]
            wanted = info.weights.get("wanted", {}).get("model", name)
            expected["weights"] = (
                "on" if wanted != name else "off",
                {"installed_version": name, "latest_version": wanted},
            )
        if health := self._read(HealthMessage):
            temperature_c = health.temperature_c
            expected |= {
                "problem": ("on" if health.problems else "off", {"problems": list(health.problems)}),
                "temperature": ("unknown" if temperature_c is None else str(temperature_c), {}),
                "frame_rate": (str(health.frames_per_s), {}),
                "memory": (str(health.memory_mb), {}),
                "dropped_events": (str(health.dropped), {}),
            }
        if event := self._latest.get(self._topics.event):
            expected["event"] = (
                ANY,
                {key: value for key, value in json.loads(event).items() if key != "image"},
            )
        return expected

    def _read(self, kind):
        payload = self._latest.get(f"{self._topics.base}/{CHANNELS[kind].topic}")
        return None if payload is None else decode(kind, payload)

    def _shows_view(self):
        if self._topics.view not in self._latest:
            return True
        image = self._home_assistant.ask("image", entity=self.entities["view"])
        content = base64.b64decode(image["content"])
        return image["type"] == "image/jpeg" and content == self._latest[self._topics.view]
