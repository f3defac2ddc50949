"""The laptop's end of MQTT: connects, hears what devices say, and asks them for something.

paho-mqtt is driven by hand here, in the caller's own thread: nothing happens behind anyone's back, and what
goes wrong is raised where somebody can tell the user. Each connection has a new client, which remembers
nothing of the one before.
"""

from __future__ import annotations

import random
import secrets
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, NamedTuple, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from shared.errors import BadMessageError
from shared.messages import REQUESTS, Availability, Request, ResponseMessage, decode, encode
from shared.printable import make_printable
from shared.topics import EVERY_DEVICE, Topics
from trainer.broker_settings import (
    BrokerSettings,
    Session,
    describe_failure,
    describe_refusal,
    describe_silence,
    make_context,
    read_password,
)
from trainer.errors import BrokerError, NoAnswerError, RefusedRequestError
from trainer.words import Interpreter, Nonsense, Word

QOS = 1
KEEPALIVE_S = 10
CONNECT_TIMEOUT_S = 3.0

# Between two attempts to connect again: longer each time, up to this.
LONGEST_WAIT_S = 3.0

# A device answers within a moment; a Pi Zero that is busy, within some.
ANSWER_TIMEOUT_S = 5.0

# A broker takes weights of megabytes within a moment; over a slow link, within some.
PUBLISH_TIMEOUT_S = 60.0

# How often it is looked whether the broker has taken a request.
LOOK_S = 0.05

# How long to wait for what the broker has kept, before it is said that there is nothing.
RETAINED_TIMEOUT_S = 0.5

# No larger message is accepted: a view, the largest there is, takes a tenth of it.
LARGEST_PACKET = 1024 * 1024

# Messages taken in a row, before somebody looks at them.
MOST_AT_ONCE = 500

AVAILABILITY = f"{EVERY_DEVICE}/availability"

# Reason codes (MQTT 5, 2.4): a message that nobody hears; a connection that was merely lost.
NO_SUBSCRIBERS = 0x10
UNSPECIFIED = 0x80


class Message(NamedTuple):
    """A message as it came, and what it takes to confirm it: its number, 0 for none, and the connection."""

    topic: str
    payload: bytes | bytearray
    retained: bool
    number: int
    client: paho.Client


class Broker:
    """A connection to a broker, for as long as a `with` block.

    Once there was a connection, it is made again whenever it is lost, with all its subscriptions; what is
    said meanwhile is not heard, unless there is a session. It is kept only while somebody listens: a broker
    gives up who does not `hear` for 15 seconds.

    Parameters
    ----------
    settings : where it is
    session : makes the broker keep what is said while we are away. Then what `hear` returned is confirmed by
        the next `hear`: until then the broker would say it again.

    Attributes
    ----------
    problem : why there is no connection, or what the broker refuses; None when all is well
    connected : whether there is a connection
    kept_s : for how long the broker keeps our session, once there was a connection

    Raises
    ------
    BadSettingError : if the password or a certificate cannot be read
    BrokerError : on entering the block, if there is no broker or it does not want us
    """

    def __init__(self, settings: BrokerSettings, session: Session | None = None) -> None:
        self._settings = settings
        self._session = session
        self._context = make_context(settings) if settings.tls else None
        self._password = read_password(settings)
        self._interpreter = Interpreter()
        self._client: paho.Client | None = None
        self._subscriptions: list[str] = []
        self._subscribing: dict[int, str] = {}
        self._asked: int | None = None
        self._acknowledgement: Any = None
        self._heard: deque[Message] = deque()
        self._unconfirmed: list[Message] = []
        self._answer_until = self._next_attempt = 0.0
        self._attempts = 0
        self._refusal: str | None = None
        self._farewell = ""
        self.connected = False
        self.problem: str | None = None
        self.kept_s = 0

    @property
    def where(self) -> str:
        """The broker's address, for people."""
        return self._settings.where

    def __enter__(self) -> Self:
        self._connect()
        while not self.connected and self.problem is None:
            self._work(0.1)
        if self.problem is not None:
            raise BrokerError(self.problem)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        client, self.connected = self._client, False
        if client is not None:
            with suppress(Exception):
                client.disconnect()
            self._drop_client()

    def subscribe(self, *topics: str) -> None:
        """Hear these topics, in this connection and in all that come after it."""
        new = [topic for topic in topics if topic not in self._subscriptions]
        self._subscriptions += new
        if self.connected:
            self._subscribe(new)

    def hear(self, timeout_s: float) -> list[Word | Nonsense]:
        """Wait for what is said, at most so long; an event is heard once, however often it comes."""
        self._confirm()
        if not self._heard:
            self._work(timeout_s)
        words = []
        while self._heard:
            message = self._heard.popleft()
            self._unconfirmed.append(message)
            word = self._interpreter.interpret(message.topic, message.payload, retained=message.retained)
            if word is not None:
                words.append(word)
        return words

    def ask(self, device: str, request: Request, timeout_s: float = ANSWER_TIMEOUT_S) -> dict[str, Any]:
        """Ask a device for something, wait for the answer and return its data; the rest is heard later.

        Raises
        ------
        RefusedRequestError : if the device refuses, with what it says
        NoAnswerError : if it does not answer, with what may be wrong
        BrokerError : if the broker goes away, or does not let us ask
        BadTopicError : if it can be no device's name
        """
        topics = Topics(device)
        verb = next(verb for verb, kind in REQUESTS.items() if isinstance(request, kind))
        transaction = secrets.token_hex(8)
        self.subscribe(topics.response(verb), AVAILABILITY)
        self._publish(topics.request(verb), encode(replace(request, transaction=transaction)))
        until = time.monotonic() + timeout_s
        remarks: list[str] = []
        while (left := until - time.monotonic()) > 0:
            self._work(min(left, LOOK_S))
            if self.problem is not None:
                raise BrokerError(self.problem)
            for message in self._take(topics.response(verb)):
                try:
                    response = decode(ResponseMessage, message.payload)
                except BadMessageError as error:
                    remarks.append(str(error))
                    continue
                if response.transaction == transaction:
                    return _read_response(device, response)
                if response.transaction is None and response.error:
                    remarks.append(response.error)  # such as that it is asked too often
            code, self._acknowledgement = self._acknowledgement, None
            if code is not None and code.is_failure:
                raise BrokerError(
                    f"{self.where} does not let us ask {device} ({code}): check its access control"
                )
            if code is not None and code.value == NO_SUBSCRIBERS:
                # Nobody will answer; what the broker has kept of the device tells why.
                until = min(until, time.monotonic() + RETAINED_TIMEOUT_S)
        raise NoAnswerError(self._explain_silence(device, timeout_s, remarks))

    def _confirm(self) -> None:
        """Tell the broker that what was heard in a session need not be said again."""
        if self._session is not None:
            for message in self._unconfirmed:
                if message.number and message.client is self._client:
                    message.client.ack(message.number, QOS)
        self._unconfirmed.clear()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish, and wait until the broker has it.

        Raises
        ------
        BrokerError : if it does not take it
        """
        self._publish(topic, payload, retain=retain)
        until = time.monotonic() + PUBLISH_TIMEOUT_S
        while self._acknowledgement is None and self.problem is None and time.monotonic() < until:
            self._work(LOOK_S)
        code = self._acknowledgement
        if self.problem is not None or code is None:
            raise BrokerError(self.problem or f"{self.where} does not confirm {topic}: try again")
        if code.is_failure:
            raise BrokerError(f"{self.where} does not take {topic} ({code}): check its access control")

    def _explain_silence(self, device: str, timeout_s: float, remarks: list[str]) -> str:
        states: dict[str, str] = {}
        interpreter = Interpreter()
        for message in self._heard:
            word = interpreter.interpret(message.topic, message.payload, retained=message.retained)
            if isinstance(word, Word) and isinstance(word.message, Availability):
                states[word.device] = word.message.state
        if device not in states:
            others = ", ".join(sorted(states)[:10]) + (" ..." if len(states) > 10 else "")
            return f"no device called {device} on {self.where}: " + (
                f"there is {others}"
                if others
                else "there is none; does inkling-edge run, and with this broker?"
            )
        if states[device] == "offline":
            return f"{device} is offline: has it power and network, and does inkling-edge run on it?"
        said = f"; it said: {make_printable(remarks[-1])}" if remarks else ""
        return (
            f"{device} is online but did not answer within {timeout_s:g} s{said}: try again, or see its "
            f"problems: inkling-trainer watch --device {device}"
        )

    def _publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        if self._client is None or not self.connected:
            raise BrokerError(self.problem or f"no connection to {self.where}: try again")
        self._acknowledgement = None
        self._asked = self._client.publish(topic, payload, QOS, retain).mid

    def _take(self, topic: str) -> list[Message]:
        """Take what was heard on one topic, and leave the rest."""
        taken = [message for message in self._heard if message.topic == topic]
        if taken:
            self._heard = deque(message for message in self._heard if message.topic != topic)
        return taken

    def _work(self, timeout_s: float) -> None:
        """Read and write for at most so long, or until something was heard; connect when that is due."""
        until = time.monotonic() + timeout_s
        heard = len(self._heard)
        if self._client is None:
            time.sleep(max(0.0, min(self._next_attempt - time.monotonic(), timeout_s)))
            if time.monotonic() < self._next_attempt:
                return
            self._connect()
        while self._client is not None and len(self._heard) - heard < MOST_AT_ONCE:
            # Once something has come, only what is there already is waited for.
            left = 0.0 if len(self._heard) > heard else max(0.0, until - time.monotonic())
            before = len(self._heard)
            self._turn(self._client, left)
            if left == 0.0 and len(self._heard) == before:
                return

    def _turn(self, client: paho.Client, timeout_s: float) -> None:
        answer = None if self.connected else max(0.0, self._answer_until - time.monotonic())
        try:
            code = client.loop(timeout_s if answer is None else min(timeout_s, answer))
        except Exception as error:  # paho raises anything at a broker that does not keep to the protocol
            self._lose(f"lost {self.where} ({make_printable(repr(error))}): connecting anew")
            return
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            lost = f"lost {self.where}{self._farewell}: connecting anew"
            self._lose(lost if self.connected else self._refusal or describe_silence(self._settings))
        elif answer is not None and time.monotonic() >= self._answer_until and not self.connected:
            self._lose(describe_silence(self._settings))

    def _connect(self) -> None:
        settings, session = self._settings, self._session
        client = self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"inkling-laptop-{secrets.token_hex(4)}" if session is None else session.name,
            protocol=paho.MQTTv5,
            manual_ack=session is not None,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        if settings.username is not None:
            client.username_pw_set(settings.username, self._password)
        if self._context is not None:
            client.tls_set_context(self._context)
        client.on_connect = lambda *arguments: self._on_connect(arguments[3], arguments[4])
        client.on_disconnect = lambda *arguments: self._on_disconnect(arguments[3])
        client.on_message = lambda _client, _userdata, message: self._heard.append(
            Message(message.topic, message.payload, message.retain, message.mid, client)
        )
        client.on_publish = lambda *arguments: self._on_publish(arguments[2], arguments[3])
        client.on_subscribe = lambda *arguments: self._on_subscribe(arguments[2], arguments[3])
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = LARGEST_PACKET
        if session is not None:
            properties.SessionExpiryInterval = session.kept_s
        self._refusal, self._farewell = None, ""
        self._answer_until = time.monotonic() + 2 * CONNECT_TIMEOUT_S
        try:
            client.connect(
                settings.host,
                settings.port,
                KEEPALIVE_S,
                clean_start=session is None or not session.kept_s,
                properties=properties,
            )
        except (OSError, ValueError) as error:
            problem = describe_failure(settings, error)
            if self.problem is not None and isinstance(error, ConnectionError | TimeoutError):
                problem = self.problem  # it was lost, and is not back yet
            self._lose(problem)

    def _lose(self, problem: str) -> None:
        """There is no connection: say why, and when to try again."""
        self.problem, self.connected = problem, False
        self._drop_client()
        self._attempts += 1
        wait_s = min(2.0 ** (self._attempts - 1), LONGEST_WAIT_S)
        self._next_attempt = time.monotonic() + random.uniform(0.5, 1.0) * wait_s

    def _drop_client(self) -> None:
        client, self._client = self._client, None
        self._subscribing.clear()
        if client is not None:
            connection: Any = client.socket()
            if connection is not None:
                with suppress(OSError):
                    connection.close()

    def _on_connect(self, reason_code: Any, properties: Any) -> None:
        if reason_code.is_failure:
            self._refusal = describe_refusal(self._settings, reason_code)
            return
        self.connected, self.problem, self._attempts = True, None, 0
        # A broker that keeps it for another time than it was asked to says so.
        self.kept_s = getattr(
            properties, "SessionExpiryInterval", self._session.kept_s if self._session else 0
        )
        self._subscribe(self._subscriptions)

    def _on_disconnect(self, reason_code: Any) -> None:
        if reason_code.is_failure and reason_code.value != UNSPECIFIED:  # the broker says why
            self._farewell = f" ({reason_code})"

    def _on_publish(self, mid: int, reason_code: Any) -> None:
        if mid == self._asked:
            self._acknowledgement = reason_code

    def _subscribe(self, topics: list[str]) -> None:
        assert self._client is not None
        for topic in topics:
            _, mid = self._client.subscribe(topic, QOS)
            if mid is not None:
                self._subscribing[mid] = topic

    def _on_subscribe(self, mid: int, reason_codes: list[Any]) -> None:
        topic = self._subscribing.pop(mid, "")
        if any(reason_code.is_failure for reason_code in reason_codes):
            self.problem = (
                f"{self.where} does not let us hear {topic} ({reason_codes[0]}): check its access control"
            )


def _read_response(device: str, response: ResponseMessage) -> dict[str, Any]:
    if response.status == "error":
        raise RefusedRequestError(
            f"{device} refuses: {make_printable(response.error or 'it does not say why')}"
        )
    return response.data or {}
