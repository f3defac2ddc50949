"""Delivering: an order is laid down at the broker, and what devices make of it is followed."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.delivery import LARGEST_DELIVERY, Order
from shared.messages import Availability, InfoMessage, ResponseMessage
from shared.topics import EVERY_DEVICE, WEIGHTS_FOR_ALL, Topics
from trainer.broker import AVAILABILITY, Broker
from trainer.errors import BadSettingError
from trainer.signing import sign_order
from trainer.words import Word

# How long the broker may take to tell what it has kept of devices.
INTRODUCTION_S = 1.0

# No clock is ahead of ours by so much, in milliseconds: a device that tells of a later order is not believed,
# or one that lies could use up the serials of all, and none could be delivered to any more.
_FURTHEST_AHEAD = 100 * 365 * 24 * 3600 * 1000

RESPONSE = "response/weights"

CLOSED = (
    "it takes no weights over MQTT: put the key that 'inkling-trainer keygen --show' prints into its "
    "network.keys, name a folder in device.state, and restart it; this delivery waits for that at the broker"
)

State = Literal["sent", "offline", "trial", "done", "refused", "overtaken"]

# What an order has come to, by what a device tells of it; one that waits is there, and not being tried now.
STATES: dict[str, State] = {"waiting": "sent", "trial": "trial", "done": "done", "refused": "refused"}


@dataclass
class Recipient:
    """A device that an order is for, and what is known of it.

    Attributes
    ----------
    state : "sent"; "offline": the broker keeps it; "trial"; "done"; "refused"; "overtaken" by a later order
    why : what the device says, if it refuses, or cannot come to an end
    model : the first twelve digits of the hash of what it runs
    serial : of the last order that it knows
    is_open : whether it takes orders; older ones do not tell
    """

    device: str
    state: State = "sent"
    why: str = ""
    model: str = ""
    serial: int = 0
    is_open: bool = True

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.state not in ("sent", "trial")


class Fleet:
    """The devices on a broker, as they tell of themselves.

    Attributes
    ----------
    recipients : by name; those that an order is for, once there is one
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.recipients: dict[str, Recipient] = {}
        self._order: Order | None = None
        self._order_is_own = False
        self._laid_down: set[str] = set()  # hashes
        broker.subscribe(AVAILABILITY, f"{EVERY_DEVICE}/info", f"{EVERY_DEVICE}/{RESPONSE}")

    def meet(self, timeout_s: float = INTRODUCTION_S) -> None:
        """Wait until the broker has told what it has kept."""
        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            self.hear(left)

    def deliver(
        self,
        act: Literal["run", "back", "follow"],
        devices: Sequence[str],
        key: Ed25519PrivateKey,
        weights: bytes = b"",
    ) -> None:
        """Lay an order down for some devices, or with none named for all; follow it with `hear`.

        Raises
        ------
        BadSettingError : if the weights are too large
        BrokerError : if the broker does not take it
        """
        if len(weights) > LARGEST_DELIVERY:
            raise BadSettingError(
                f"weights of {len(weights) / 1e6:.1f} MB are more than a device takes: "
                "'inkling-trainer convert' makes them a quarter as large"
            )
        if devices:
            self.recipients = {device: self.recipients.get(device, Recipient(device)) for device in devices}
        # A laptop whose clock is behind must not be older than who delivered before.
        latest = max((recipient.serial for recipient in self.recipients.values()), default=0)
        serial = max(_tell_milliseconds(), latest + 1)
        digest = hashlib.sha256(weights).hexdigest() if weights else ""
        self._order = order = Order(act, serial, digest, len(weights), transaction=secrets.token_hex(8))
        self._order_is_own = bool(devices)
        for device in devices:
            self._lay_down(Topics(device).weights, sign_order(replace(order, device=device), weights, key))
        if not devices:
            self._lay_down(WEIGHTS_FOR_ALL, sign_order(order, weights, key))
        for recipient in self.recipients.values():
            self._note_closed(recipient)

    def _lay_down(self, topic: str, delivery: bytes) -> None:
        self._laid_down.add(hashlib.sha256(delivery).hexdigest())
        self._broker.publish(topic, delivery, retain=True)

    def hear(self, timeout_s: float) -> None:
        """Hear what devices say."""
        for word in self._broker.hear(timeout_s):
            if isinstance(word, Word):
                self._note(word)

    def wait(self, timeout_s: float, show: Callable[[], None] = lambda: None) -> None:
        """Wait until all have said what came of the order, or the time is over."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until and not all(r.is_settled for r in self.recipients.values()):
            self.hear(0.25)
            show()

    def _note(self, word: Word) -> None:
        message = word.message
        recipient = self.recipients.get(word.device)
        if recipient is None:
            if self._order is not None:
                return
            recipient = self.recipients[word.device] = Recipient(word.device)
        if isinstance(message, Availability):
            if message.state == "offline" and recipient.state in ("sent", "trial"):
                recipient.state = "offline"
            elif message.state == "online" and recipient.state == "offline":
                recipient.state = "sent"
        elif isinstance(message, InfoMessage):
            self._note_info(recipient, message.weights)
        elif isinstance(message, ResponseMessage) and self._order is not None and not word.retained:
            self._note_response(recipient, message)

    def _note_info(self, recipient: Recipient, weights: dict[str, Any]) -> None:
        recipient.model = str(weights.get("sha256", ""))[:12]
        recipient.is_open = weights.get("can_be_delivered") is not False
        self._note_closed(recipient)
        wanted = weights.get("wanted")
        if not isinstance(wanted, dict) or type(wanted.get("serial")) is not int:
            return
        # Of what it is to do as all do, and of what it alone is to do, one was said last.
        latest = wanted["latest"] if type(wanted.get("latest")) is int else wanted["serial"]
        if latest > _tell_milliseconds() + _FURTHEST_AHEAD:
            return
        recipient.serial = max(recipient.serial, latest)
        told = wanted.get("own" if self._order_is_own else "all")
        if self._order is None or not isinstance(told, dict):
            return
        if told.get("transaction") == self._order.transaction:
            if (state := STATES.get(str(told.get("state")))) is not None:
                recipient.state, recipient.why = state, str(told.get("why", ""))
        elif type(told.get("serial")) is int and told["serial"] > self._order.serial:
            recipient.state = "overtaken"

    def _note_closed(self, recipient: Recipient) -> None:
        """One that is there and takes no orders will not answer; one that is off may come back as another."""
        if self._order is not None and not recipient.is_open and recipient.state == "sent":
            recipient.state, recipient.why = "refused", CLOSED

    def _note_response(self, recipient: Recipient, response: ResponseMessage) -> None:
        assert self._order is not None
        # Of what it cannot read at all, a device does not know the transaction.
        is_ours = response.transaction == self._order.transaction
        is_of_ours = str((response.data or {}).get("delivery")) in self._laid_down
        if not is_ours and (response.status == "ok" or not is_of_ours):
            return
        if response.status == "ok":
            recipient.state, recipient.why = "done", ""
            recipient.model = str((response.data or {}).get("model", recipient.model))
        else:
            recipient.state, recipient.why = "refused", response.error or "it does not say why"


def _tell_milliseconds() -> int:
    """Milliseconds since 1970, by this computer's clock."""
    return time.time_ns() // 1_000_000
