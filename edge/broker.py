"""The broker: how a client is made that it accepts, and what is wrong when it does not.

paho-mqtt is met here and in `edge.link`, and nowhere else.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.config import MqttSettings
from edge.errors import BrokerError, ConfigurationError
from shared.command_line import PASSWORD_VARIABLE
from shared.delivery import LARGEST_DELIVERY
from shared.topics import Topics

# How soon a lost connection is noticed: after this long without a word a client asks, and after as long again
# without an answer it is lost. A broker gives a client up after one and a half of it (MQTT 5, 3.1.2.10).
KEEPALIVE_S = 5

CONNECT_TIMEOUT_S = 3.0

# No larger packet is accepted: it would have to be kept whole before it could be refused.
LARGEST_PACKET = LARGEST_DELIVERY + 64 * 1024

MakeClient = Callable[[str], paho.Client]


def prepare_clients(settings: MqttSettings) -> MakeClient:
    """Read certificates once; what is returned makes a client of an id, with the password of that moment.

    Raises
    ------
    ConfigurationError : if the certificates or the password cannot be read; the password also later on
    """
    context = _make_context(settings) if settings.tls else None
    read_password(settings)

    def make_client(client_id: str) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5)
        client.connect_timeout = CONNECT_TIMEOUT_S
        if settings.username:
            client.username_pw_set(settings.username, read_password(settings))
        if context is not None:
            client.tls_set_context(context)
        return client

    return make_client


def connect(client: paho.Client, settings: MqttSettings) -> None:
    """Connect a client; whether the broker accepts it, `on_connect` is told.

    Raises
    ------
    OSError : if there is no broker, or its certificate is not to be trusted
    """
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = LARGEST_PACKET
    client.connect(settings.host, settings.port, keepalive=KEEPALIVE_S, properties=properties)


def try_broker(settings: MqttSettings, topics: Topics, timeout_s: float) -> None:
    """Connect once, and leave again.

    Raises
    ------
    BrokerError : if the broker does not answer or refuses us, saying what to do
    ConfigurationError : if the certificates or the password cannot be read
    """
    # Under the device's own client id it would throw out a daemon that runs.
    client = prepare_clients(settings)(f"inkling-{topics.device}-check")
    answers: SimpleQueue[Any] = SimpleQueue()
    client.on_connect = lambda *arguments: answers.put(arguments[3])
    try:
        connect(client, settings)
        client.loop_start()
        reason_code = answers.get(timeout=timeout_s)
    except (OSError, ValueError) as error:
        raise BrokerError(describe_failure(settings, error)) from error
    except Empty as error:
        wanted = "mqtt.certificate_file" if settings.tls else "mqtt.tls = true"
        raise BrokerError(
            f"{settings.where} takes the connection but does not answer: is it an MQTT broker, and does it "
            f"want {wanted}?"
        ) from error
    finally:
        client.disconnect()
        client.loop_stop()
    if reason_code.is_failure:
        raise BrokerError(describe_refusal(settings, reason_code))


def describe_failure(settings: MqttSettings, error: Exception) -> str:
    """Say why there is no connection, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"{settings.where} is not to be trusted ({error.verify_message}): check"
        return f"{why} mqtt.ca_file, and that its certificate is for {settings.host}"
    if isinstance(error, ssl.SSLError):
        return f"{settings.where} does not agree to TLS ({error.reason}): check mqtt.port and mqtt.tls"
    reason = getattr(error, "strerror", None) or error
    return f"no broker at {settings.where} ({reason}): start one, or correct mqtt.host and mqtt.port"


def describe_refusal(settings: MqttSettings, reason_code: object) -> str:
    """Say that the broker does not want us, and what to do."""
    return f"{settings.where} refuses us ({reason_code}): check mqtt.username and the password"


def read_password(settings: MqttSettings) -> str | None:
    """Read the password from its file or, without one, from the environment.

    Raises
    ------
    ConfigurationError : if it cannot be read
    """
    if not settings.password_file:
        return os.environ.get(PASSWORD_VARIABLE)
    try:
        return Path(settings.password_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"mqtt.password_file {settings.password_file} cannot be read ({error}): "
            "make it readable to the service"
        ) from error


def is_open_to_others(path: str) -> bool:
    """Whether others than a file's owner and group may read it."""
    return bool(Path(path).stat().st_mode & 0o007)


def _make_context(settings: MqttSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"mqtt.ca_file {settings.ca_file} is no certificate ({error})") from error
    if settings.certificate_file:
        try:
            context.load_cert_chain(settings.certificate_file, settings.key_file or None)
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"mqtt.certificate_file {settings.certificate_file} and mqtt.key_file {settings.key_file} "
                f"cannot be used ({error}): both must be PEM, belong together and be readable to the service"
            ) from error
    return context
