"""Signing: the key with which deliveries are signed, so that devices take weights from nobody else.

Source: Ed25519, RFC 8032; the key's file is PKCS #8 in PEM, as OpenSSL writes it, too.
"""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

import platformdirs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from shared.atomic_file import write_atomically
from shared.delivery import Order, pack_order
from trainer.errors import BadSettingError


def find_key_file() -> Path:
    """Where the key is, if nobody says otherwise."""
    return platformdirs.user_config_path("inkling") / "delivery.key"


def make_key(path: Path) -> Ed25519PrivateKey:
    """Make a key and write it to a file that only its owner may read.

    Raises
    ------
    BadSettingError : if there is one already
    OSError : if it cannot be written
    """
    if path.exists():
        raise BadSettingError(
            f"{path} exists: devices trust it, and would trust no other; 'inkling-trainer keygen --show' "
            "tells what they know it by"
        )
    key = Ed25519PrivateKey.generate()
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    before = os.umask(0o077)
    try:
        write_atomically(path, content)
    finally:
        os.umask(before)
    return key


def load_key(path: Path) -> Ed25519PrivateKey:
    """Read a key from its file.

    Raises
    ------
    BadSettingError : if there is none, or it is of another kind
    """
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError as error:
        raise BadSettingError(f"no key at {path}: make one with 'inkling-trainer keygen'") from error
    except (OSError, TypeError, ValueError) as error:
        raise BadSettingError(f"{path} is no key that can be read ({error})") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadSettingError(
            f"{path} is a key, but none for Ed25519: make one with 'inkling-trainer keygen'"
        )
    return key


def tell_public_key(key: Ed25519PrivateKey) -> str:
    """Tell what devices know a key by: base64, for `network.keys` in their configuration."""
    return b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def sign_order(order: Order, weights: bytes, key: Ed25519PrivateKey) -> bytes:
    """Make a delivery of an order and the weights that go with it."""
    signed = pack_order(order, weights)
    return key.sign(signed) + signed
