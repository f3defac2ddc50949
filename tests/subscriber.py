"""A subscriber: hears what the device bench says, as anybody could."""

import json

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from shared.messages import Availability, EventMessage, PredictionMessage, ResponseMessage, decode
from shared.topics import Topics
from tests.conftest import wait_until

TOPICS = Topics("bench")


class Subscriber:
    """Hears all that the device says, in order, and has heard what is retained when it is made."""

    def __init__(self, port: int, name: str = "", username: str = "", password: str = "") -> None:
        self.heard: list[paho.MQTTMessage] = []
        self.connections = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5)
        if username:
            self._client.username_pw_set(username, password)
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = self._count_answer
        self._answers = 0
        self._client.on_message = lambda _client, _userdata, message: self.heard.append(message)
        self._client.reconnect_delay_set(1, 1)
        # With a name the broker keeps what comes while we are away.
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = 3600 if name else 0
        self._client.connect("127.0.0.1", port, clean_start=not name, properties=session)
        self._client.loop_start()
        wait_until(lambda: self._answers >= 2)

    def _subscribe(self, client, *_arguments):
        client.subscribe("#", qos=1)
        # Retained messages follow the first answer, all before the second.
        client.subscribe("nothing", qos=1)
        self.connections += 1

    def _count_answer(self, *_arguments):
        self._answers += 1

    def payloads(self, kind, topic):
        return [decode(kind, message.payload) for message in list(self.heard) if message.topic == topic]

    @property
    def events(self):
        return self.payloads(EventMessage, TOPICS.event)

    @property
    def held_up(self):
        return [message.digit for message in self.payloads(PredictionMessage, TOPICS.prediction)]

    @property
    def availability(self):
        return [message.state for message in self.payloads(Availability, TOPICS.availability)]

    def ask(self, verb, **request):
        """Ask the device for something, and wait for its answer."""
        transaction = f"{verb} {len(self.heard)}"
        self.publish(TOPICS.request(verb), json.dumps({**request, "transaction": transaction}))

        def find_answer():
            answers = self.payloads(ResponseMessage, TOPICS.response(verb))
            return next((answer for answer in answers if answer.transaction == transaction), None)

        wait_until(find_answer)
        return find_answer()

    def publish(self, topic, payload, *, retain=False):
        self._client.publish(topic, payload, qos=1, retain=retain)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


def read_retained(port: int) -> dict[str, bytes | bytearray]:
    """What a subscriber who comes now is told, or soon after: the latest of each retained topic."""
    late = Subscriber(port)
    wait_until(lambda: late.availability)
    retained = {
        message.topic: message.payload
        for message in late.heard
        if message.topic in (TOPICS.availability, TOPICS.prediction, TOPICS.info)
    }
    late.close()
    return retained
