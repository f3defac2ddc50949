"""The link to the broker: brings out what waits in the outbox, through whatever befalls the network.

It runs in a thread of its own, so that a camera that hangs does not silence the device, and drives
paho-mqtt's client by hand (its "external event loop"). Each connection has a new client: one that has been
connected before would send again, and out of turn, what it had not brought out. What must not be lost is
in the outbox, and only there.
"""

from __future__ import annotations

import logging
import random
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import Any, NamedTuple, Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.broker import connect, describe_failure, describe_refusal, prepare_clients
from edge.config import MqttSettings
from edge.errors import ConfigurationError
from edge.outbox import Kind, Message, Outbox

log = logging.getLogger(__name__)

QOS = 1

# Messages that are sent and not confirmed yet: as many as Mosquitto is ready to receive at a time.
MOST_IN_FLIGHT = 20

# Between two attempts to connect: twice as long each time, and drawn at random, so that a broker that comes
# back does not meet all its devices at once.
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.25, 3.0

# A connection that lasted so long is none of several attempts: the next wait is short again.
LASTED_S = 10.0

# So many connections in a row that were brief are another's doing.
MOST_BRIEF = 3

# What a packet has beside its topic and its payload, at most.
PACKET_OVERHEAD = 16

# A broker that owes an answer and gives none for so long will give none; without this a connection that was
# cut is noticed by paho's pings, after twice the time.
PATIENCE_S = 4.0

# How often it looks around when nothing happens.
TICK_S = 0.5

# How long a clean stop may take to bring out its last words.
FAREWELL_S = 2.0

# A farewell after which the broker says the will.
_WITH_WILL = ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message")


def draw_wait_s(attempt: int) -> float:
    """Draw how long to wait before the next attempt to connect, after so many that were in vain."""
    doublings = min(attempt, 8)  # or after an hour it would be more than a float can hold
    return random.uniform(0.5, 1.0) * min(LONGEST_WAIT_S, SHORTEST_WAIT_S * float(2**doublings))


class Subscription(NamedTuple):
    """A topic to hear; `retained` tells whether also what was said there before we came."""

    topic: str
    retained: bool = False


class Conversation(Protocol):
    """What a link is for; all of it is called in the link's own thread."""

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """Topics to hear."""

    @property
    def will(self) -> Message:
        """What the broker says when the connection is lost."""

    def greet(self) -> Sequence[Message]:
        """Tell what to say first over a new connection, before all that waits."""

    def hear(self, topic: str, payload: bytes | bytearray, retained: bool) -> None:
        """Take a message from a topic that was subscribed to."""

    def tend(self) -> None:
        """Do what is due from time to time while there is a connection."""

    def mind(self) -> None:
        """Do what is due from time to time, connection or not."""


class BrokerLink(Thread):
    """Keeps a connection to the broker.

    Parameters
    ----------
    settings : the broker
    client_id : what the broker knows it by; of two with the same it throws out the one that came first
    outbox : what it brings out
    conversation : what it is for
    report : is told what is wrong with the connection, None when nothing is, and how loudly to say it

    Raises
    ------
    ConfigurationError : if the certificates or the password cannot be read
    """

    def __init__(
        self,
        settings: MqttSettings,
        client_id: str,
        outbox: Outbox,
        conversation: Conversation,
        report: Callable[[str | None, int], None],
    ) -> None:
        super().__init__(name="broker", daemon=True)
        self._settings = settings
        self._client_id = client_id
        self._outbox = outbox
        self._conversation = conversation
        self._report = report
        self._make_client = prepare_clients(settings)
        self._in_flight: dict[int, Message] = {}
        self._answered = 0.0
        self._most_in_flight = MOST_IN_FLIGHT
        self._largest_packet = float("inf")
        self._subscribing: dict[int, str] = {}
        self._refused: dict[str, str] = {}
        self._refusing = False
        self._brief = 0
        self._leaving = Event()
        self._farewell_until = float("inf")
        self._alarm, self._bell = socket.socketpair()
        for end in (self._alarm, self._bell):
            end.setblocking(False)
        self.connected = False
        report(f"connecting to {settings.where}", logging.INFO)

    @property
    def in_flight(self) -> int:
        """How many messages were sent and are not confirmed."""
        return len(self._in_flight)

    @property
    def events_in_flight(self) -> int:
        """How many events were sent and are not confirmed."""
        return sum(message.kind is Kind.EVENT for message in list(self._in_flight.values()))

    def wake(self) -> None:
        """Have it look into the outbox now."""
        with suppress(OSError):  # a bell so full has been heard, and one that is closed is not needed
            self._bell.send(b"!")

    def leave(self) -> None:
        """Bring out what waits, if the broker lets it, disconnect, and end."""
        self._farewell_until = time.monotonic() + FAREWELL_S
        self._leaving.set()
        self.wake()
        self.join(2 * FAREWELL_S + LONGEST_WAIT_S)
        if not self.is_alive():
            self._alarm.close()
            self._bell.close()

    def run(self) -> None:
        """Connect, again and again, until it is told to leave."""
        attempt = 0
        while not self._leaving.is_set():
            began = time.monotonic()
            self._refusing = False
            try:
                self._conversation.mind()
                self._keep_connection()
            except ConfigurationError as error:
                self._say(str(error))
            except (OSError, UnicodeError) as error:
                self._say(describe_failure(self._settings, error))
            except Exception as error:  # a bug, here or in paho, must not silence the device for good
                log.exception("the connection to the broker failed in an unforeseen way: connecting anew")
                self._say(f"failed ({error!r}): connecting anew")
            finally:
                self._put_back()
            attempt = 0 if time.monotonic() - began > LASTED_S else attempt + 1
            self._leaving.wait(draw_wait_s(attempt))

    def _keep_connection(self) -> None:
        """Connect, and converse until the connection ends."""
        began, client = time.monotonic(), self._make_client(self._client_id)
        endings: list[Any] = []
        will = self._conversation.will
        client.will_set(will.topic, will.payload, QOS, will.retain)
        client.max_inflight_messages_set(MOST_IN_FLIGHT)
        client.on_connect = lambda *arguments: self._on_connect(client, *arguments[3:5])
        client.on_disconnect = lambda *arguments: endings.append(arguments[3])
        client.on_publish = lambda *arguments: self._on_publish(*arguments[2:4])
        client.on_subscribe = lambda *arguments: self._on_subscribe(*arguments[2:4])
        client.on_message = lambda _client, _userdata, message: self._conversation.hear(
            message.topic, message.payload, message.retain
        )
        connect(client, self._settings)
        with selectors.DefaultSelector() as selector:
            selector.register(self._alarm, selectors.EVENT_READ)
            connection: Any = client.socket()
            selector.register(connection, selectors.EVENT_READ)
            try:
                self._converse(client, selector, connection)
            finally:
                self.connected = False
                connection.close()
        if endings and not self._refusing and not self._leaving.is_set():
            self._brief = self._brief + 1 if time.monotonic() - began < LASTED_S else 0
            self._say(self._describe_loss(endings[0]))

    def _describe_loss(self, reason: Any) -> str:
        where = self._settings.where
        # MQTT 5, 3.14.2.1; but Mosquitto before 2.0.12 throws out without a word.
        if reason == "Session taken over" or self._brief >= MOST_BRIEF:
            return (
                f"{where} lets this device in and throws it out again: is another one there of its name? "
                "Give one of them another device.name"
            )
        return f"lost {where} ({reason}): connecting anew"

    def _converse(
        self, client: paho.Client, selector: selectors.BaseSelector, connection: socket.socket
    ) -> None:
        """Read and write until the connection ends."""
        interest, self._answered = selectors.EVENT_READ, time.monotonic()
        while client.socket() is not None:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.want_write() else 0)
            if wanted != interest:
                selector.modify(connection, wanted)
                interest = wanted
            # What TLS has decrypted already, no selector tells of.
            waits = connection.pending() if isinstance(connection, ssl.SSLSocket) else 0
            ready = {key.fileobj: events for key, events in selector.select(0 if waits else TICK_S)}
            if self._alarm in ready:
                self._alarm.recv(4096)
            events = ready.get(connection, 0)
            if events & selectors.EVENT_READ:  # perhaps only a part of something large
                self._answered = time.monotonic()
            steps = (
                (waits or events & selectors.EVENT_READ, client.loop_read),
                (events & selectors.EVENT_WRITE, client.loop_write),
                (True, client.loop_misc),
            )
            if any(due and step() != MQTTErrorCode.MQTT_ERR_SUCCESS for due, step in steps):
                return
            if time.monotonic() - self._answered > PATIENCE_S and (self._in_flight or not self.connected):
                raise TimeoutError("it does not answer")
            self._conversation.mind()
            if self.connected:
                self._conversation.tend()
                self._send_waiting(client)
            if self._leaving.is_set():
                said = not self._in_flight and not len(self._outbox)
                if said or not self.connected or time.monotonic() > self._farewell_until:
                    # If the last word may not have got through, the broker says the will instead.
                    client.disconnect(None if said else _WITH_WILL)
                    return

    def _send_waiting(self, client: paho.Client) -> None:
        if not self._in_flight:
            self._answered = time.monotonic()
        while len(self._in_flight) < self._most_in_flight and (message := self._outbox.take()) is not None:
            if len(message.topic) + len(message.payload) + PACKET_OVERHEAD > self._largest_packet:
                self._refuse(message, "too large for it")
                continue
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            if message.expiry_s is not None:
                properties.MessageExpiryInterval = message.expiry_s
            info = client.publish(message.topic, message.payload, QOS, message.retain, properties)
            self._in_flight[info.mid] = message

    def _on_connect(self, client: paho.Client, reason_code: Any, properties: Any) -> None:
        self._refusing = reason_code.is_failure
        if self._refusing:
            self._say(describe_refusal(self._settings, reason_code))
            return
        log.info("connected to %s as %s", self._settings.where, self._client_id)
        self._most_in_flight = min(MOST_IN_FLIGHT, getattr(properties, "ReceiveMaximum", MOST_IN_FLIGHT))
        self._largest_packet = getattr(properties, "MaximumPacketSize", float("inf"))
        self._refused = {}
        self._report(None, logging.INFO)
        for topic, retained in self._conversation.subscriptions:
            handling = (
                SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE if retained else SubscribeOptions.RETAIN_DO_NOT_SEND
            )
            options = SubscribeOptions(QOS, noLocal=True, retainAsPublished=True, retainHandling=handling)
            _, mid = client.subscribe(topic, options=options)
            if mid is not None:
                self._subscribing[mid] = topic
        self._outbox.put_first(self._conversation.greet())
        self.connected = True

    def _on_subscribe(self, mid: int, reason_codes: Sequence[Any]) -> None:
        topic = self._subscribing.pop(mid, "")
        if any(reason_code.is_failure for reason_code in reason_codes):
            self._note_refusal(topic, f"{reason_codes[0]}")

    def _on_publish(self, mid: int, reason_code: Any) -> None:
        message = self._in_flight.pop(mid, None)
        if message is None:
            return
        if reason_code.is_failure:
            self._refuse(message, str(reason_code))
        elif self._refused.pop(message.topic, None):
            self._say_refusals()

    def _refuse(self, message: Message, why: str) -> None:
        """A message that the broker does not take: it is given up, and that is said."""
        if message.kind is Kind.EVENT:
            self._outbox.dropped += 1
        self._note_refusal(message.topic, why)

    def _note_refusal(self, topic: str, why: str) -> None:
        self._refused[topic] = why
        self._say_refusals()

    def _say_refusals(self) -> None:
        topics = ", ".join(f"{topic} ({why})" for topic, why in sorted(self._refused.items()))
        self._say(f"{self._settings.where} refuses {topics}: check its access control" if topics else None)

    def _put_back(self) -> None:
        """The connection is over: events wait again, before all else, and the rest is forgotten."""
        events = [message for message in self._in_flight.values() if message.kind is Kind.EVENT]
        self._in_flight.clear()
        self._subscribing.clear()
        self._outbox.forget_passing()
        self._outbox.put_first(events)

    def _say(self, problem: str | None) -> None:
        self._report(problem, logging.WARNING)
