"""Options of commands that talk to devices: where the broker is, and who we are to it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.errors import BadSettingError

if TYPE_CHECKING:
    from trainer.broker_settings import BrokerSettings


def add_broker(parser: argparse.ArgumentParser) -> None:
    """Add `--broker`, and who we are to it."""
    broker = parser.add_argument_group("the broker")
    broker.add_argument(
        "--broker",
        default="localhost",
        metavar="HOST[:PORT]",
        help="where it is (default: localhost; port 1883, with TLS 8883)",
    )
    broker.add_argument("--username", metavar="NAME", help="our name, if it wants one")
    broker.add_argument(
        "--password-file",
        type=Path,
        metavar="FILE",
        help="a file that holds our password and no more (default: $INKLING_MQTT_PASSWORD)",
    )
    broker.add_argument("--tls", action="store_true", help="encrypt the connection")
    broker.add_argument(
        "--ca", type=Path, metavar="FILE", help="who vouches for it (default: the system's); means --tls"
    )
    broker.add_argument(
        "--certificate", type=Path, metavar="FILE", help="our certificate, if it wants one; means --tls"
    )
    broker.add_argument("--key", type=Path, metavar="FILE", help="its key, if that is not in the same file")


def read_broker(options: argparse.Namespace) -> BrokerSettings:
    """Read the options that `add_broker` added.

    Raises
    ------
    BadSettingError : if they do not fit together
    """
    from trainer.broker_settings import PORT, TLS_PORT, BrokerSettings

    if options.key is not None and options.certificate is None:
        raise BadSettingError("--key is of no use without --certificate")
    if options.password_file is not None and options.username is None:
        raise BadSettingError("--password-file is of no use without --username")
    tls = options.tls or options.ca is not None or options.certificate is not None
    host, port = _read_address(options.broker, TLS_PORT if tls else PORT)
    return BrokerSettings(
        host=host,
        port=port,
        username=options.username,
        password_file=options.password_file,
        tls=tls,
        ca_file=options.ca,
        certificate_file=options.certificate,
        key_file=options.key,
    )


def _read_address(text: str, usual_port: int) -> tuple[str, int]:
    """Read HOST, HOST:PORT, [ADDRESS]:PORT, or an IPv6 address alone."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
        is_fit = bool(closed) and (not rest or (bool(port) and rest.startswith(":")))
    elif text.count(":") > 1 and "/" not in text:
        host, port, is_fit = text, "", True
    else:
        host, colon, port = text.partition(":")
        is_fit = bool(port) or not colon
    number = int(port) if port.isascii() and port.isdigit() else 0 if port else usual_port
    try:
        host.encode("idna")
    except UnicodeError:
        is_fit = False
    if not is_fit or not host or "/" in host or not 1 <= number <= 65535:
        raise BadSettingError(f"--broker must be HOST or HOST:PORT, such as localhost:1883, not {text!r}")
    return host, number
