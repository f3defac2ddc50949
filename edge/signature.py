"""Signatures: who may deliver to this device. Source: Ed25519, RFC 8032."""

from __future__ import annotations

import binascii
from base64 import b64decode

from shared.delivery import Delivery
from shared.errors import BadDeliveryError


def read_key(text: str) -> bytes:
    """Read a public key.

    Raises
    ------
    BadDeliveryError : if it is none
    """
    try:
        key = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadDeliveryError(f"network.keys: {text!r} is not base64") from error
    if len(key) != 32:
        raise BadDeliveryError(f"network.keys: {text!r} is no Ed25519 public key")
    return key


def is_signed_by(delivery: Delivery, key: bytes) -> bool:
    """Whether a delivery is signed by who has the private half of a key."""
    from cryptography.exceptions import InvalidSignature  # a tenth of a second to import on a Pi Zero
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(delivery.signature, delivery.signed)
    except InvalidSignature:
        return False
    return True
