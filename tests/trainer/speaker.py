"""Somebody on a broker who says and answers what a test wants, in the name of any device."""

import json
import threading

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion


class Speaker:
    """Hears all requests, and gives each these answers: objects with its transaction, bytes as they are."""

    def __init__(self, port, answers=()):
        self.asked = []
        self._answers = answers
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("inkling/+/request/+", 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(60)

    def _hear(self, client, _userdata, message):
        self.asked.append(json.loads(message.payload))
        for answer in self._answers:
            payload = answer
            if isinstance(answer, dict):
                payload = json.dumps({"transaction": self.asked[-1]["transaction"], **answer})
            client.publish(message.topic.replace("/request/", "/response/"), payload, 1)

    def say(self, topic, payload, retain=False):
        self._client.publish(topic, payload, 1, retain).wait_for_publish(15)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()
