"""A delivery: signed weights, or an order about them, as it lies at the broker until its device has it.

    signature   64 bytes, Ed25519 (RFC 8032) over all that follows
    length      4 bytes, big-endian, of the order
    order       JSON, an `Order`
    weights     a weights file, if the order is to run them

Signing and checking are the halves' own business, with the `cryptography` library; here is only what both
must agree on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from shared.errors import BadDeliveryError, BadMessageError
from shared.messages import decode, encode
from shared.records import Between

SIGNATURE_BYTES = 64
_LENGTH_BYTES = 4

# More than any network's weights take that a Pi Zero has the time for; as float32 these are a million.
LARGEST_DELIVERY = 4 * 1024 * 1024
_LARGEST_ORDER = 4096


@dataclass(frozen=True)
class Order:
    """What a device is to do.

    Attributes
    ----------
    act : "run" the weights that follow; go "back" to those before; or "follow" what all devices run
    serial : milliseconds since 1970 when it was signed, or one more than the last; of the orders to it alone,
        and of those to all, a device carries out none with a lower one than before, so that an old delivery
        cannot be said again
    sha256 : of the weights that follow, 64 hexadecimal digits
    size : of the weights that follow, in bytes
    device : who is to carry it out; all, if it is left out
    transaction : comes back with the device's answer
    """

    act: Literal["run", "back", "follow"]
    serial: Annotated[int, Between(1, 2**53)]
    sha256: str = ""
    size: Annotated[int, Between(0, LARGEST_DELIVERY)] = 0
    device: str | None = None
    transaction: str | None = None


class Delivery(NamedTuple):
    """An order with its weights, if it has any; `signed` is what `signature` is of."""

    order: Order
    weights: bytes
    signature: bytes
    signed: bytes


def pack_order(order: Order, weights: bytes) -> bytes:
    """Put an order and its weights into the bytes that are to be signed."""
    text = encode(order)
    return len(text).to_bytes(_LENGTH_BYTES, "big") + text + weights


def read_delivery(content: bytes | bytearray) -> Delivery:
    """Take a delivery apart; nothing in it is to be believed before its signature has been checked.

    Raises
    ------
    BadDeliveryError : if it is none, or not whole
    """
    signature, signed = bytes(content[:SIGNATURE_BYTES]), bytes(content[SIGNATURE_BYTES:])
    length = int.from_bytes(signed[:_LENGTH_BYTES], "big")
    start, end = _LENGTH_BYTES, _LENGTH_BYTES + length
    if len(signed) < _LENGTH_BYTES or length > _LARGEST_ORDER or end > len(signed):
        raise BadDeliveryError("not a delivery, or only its beginning: deliver it again")
    try:
        order = decode(Order, signed[start:end])
    except BadMessageError as error:
        raise BadDeliveryError(
            f"not a delivery ({error}): deliver with the same version as this one"
        ) from error
    if order.act == "follow" and order.device is None:
        raise BadDeliveryError("an order to follow is for one device, and names none")
    weights = signed[end:]
    if len(weights) != order.size or (weights and hashlib.sha256(weights).hexdigest() != order.sha256):
        raise BadDeliveryError("its weights are not those that it promises: deliver them again")
    if bool(weights) != (order.act == "run"):
        raise BadDeliveryError(f"an order to {order.act} with {len(weights)} bytes of weights")
    return Delivery(order, weights, signature, signed)
