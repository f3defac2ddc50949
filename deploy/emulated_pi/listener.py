"""What the emulated Pi says at the broker, and what it is asked there."""

from __future__ import annotations

import json
import time
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from shared.topics import Topics

TOPICS = Topics("pizero")


class Listener:
    """Hears all of it, in order.

    Parameters
    ----------
    port : the broker's, on this machine
    """

    def __init__(self, port: int) -> None:
        self.events: list[dict[str, Any]] = []
        self.availability: list[str] = []
        self.infos: list[dict[str, Any]] = []
        self.responses: list[dict[str, Any]] = []
        self._kinds = {
            TOPICS.event: self.events,
            TOPICS.info: self.infos,
            TOPICS.response("configure"): self.responses,
        }
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("inkling/#", qos=1)
        self._client.loop_start()

    def configure(self, transaction: int, **tables: dict[str, float]) -> None:
        """Ask it to change settings."""
        request = json.dumps({**tables, "transaction": transaction})
        self._client.publish(TOPICS.request("configure"), request, qos=1)

    def close(self) -> None:
        """Hear no more."""
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        if message.topic == TOPICS.availability:
            self.availability.append(json.loads(message.payload)["state"])
        elif message.topic in self._kinds:
            self._kinds[message.topic].append(json.loads(message.payload))


def read_retained_availability(port: int) -> str:
    """What the broker tells somebody who comes now."""
    listener = Listener(port)
    until = time.monotonic() + 10
    while not listener.availability and time.monotonic() < until:
        time.sleep(0.05)
    listener.close()
    return listener.availability[0] if listener.availability else "nothing"
