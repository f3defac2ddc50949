"""Signatures: who may deliver to this device. Source: Ed25519, RFC 8032."""

from __future__ import annotations

import binascii
from base64 import b64decode

from edge.errors import ConfigurationError
from shared.delivery import Delivery

_REMEDY = "put there what 'inkling-trainer keygen --show' prints"


def read_key(text: str) -> bytes:
    """Read a public key.

    Raises
    ------
    ConfigurationError : if it is none
    """
    try:
        key = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigurationError(f"network.keys: {text!r} is not base64: {_REMEDY}") from error
    if len(key) != 32:
        raise ConfigurationError(f"network.keys: {text!r} is no Ed25519 public key: {_REMEDY}")
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
