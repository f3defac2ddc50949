"""Where a broker is and who we are to it, and what may be wrong when there is no connection."""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from shared.command_line import PASSWORD_VARIABLE
from trainer.errors import BadSettingError

PORT, TLS_PORT = 1883, 8883

# Reason codes (MQTT 5, 2.4).
UNSUPPORTED_VERSION = 0x84
BAD_CREDENTIALS = (0x86, 0x87)  # a bad name or password; not authorised


@dataclass(frozen=True)
class BrokerSettings:
    """Where the broker is, and who we are to it.

    Attributes
    ----------
    password_file : a file that holds the password and no more; without one, the environment may hold it
    ca_file : who vouches for the broker, if the system's own authorities do not
    certificate_file, key_file : ours, if the broker wants one
    """

    host: str = "localhost"
    port: int = PORT
    username: str | None = None
    password_file: Path | None = None
    tls: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    @property
    def where(self) -> str:
        """The broker's address, for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Session(NamedTuple):
    """What the broker keeps for us while we are away.

    Attributes
    ----------
    name : what it knows us by; two connections with one name throw each other out
    kept_s : for how many seconds it keeps what is said; 0 ends a session
    """

    name: str
    kept_s: int


def read_password(settings: BrokerSettings) -> str | None:
    """Read the password from its file or, without one, from the environment.

    Raises
    ------
    BadSettingError : if it cannot be read
    """
    if settings.password_file is None:
        return os.environ.get(PASSWORD_VARIABLE)
    try:
        return settings.password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettingError(f"--password-file {settings.password_file} cannot be read ({error})") from error


def make_context(settings: BrokerSettings) -> ssl.SSLContext:
    """Read the certificates.

    Raises
    ------
    BadSettingError : if they cannot be used
    """
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ValueError) as error:
        raise BadSettingError(f"--ca {settings.ca_file} is no certificate ({error})") from error
    if settings.certificate_file is not None:
        try:
            # Without a word for the key, a locked one is an error and no question.
            context.load_cert_chain(settings.certificate_file, settings.key_file, password="")
        except (OSError, ValueError) as error:
            raise BadSettingError(
                f"--certificate {settings.certificate_file} and --key {settings.key_file} cannot be used "
                f"({error}): both must be PEM, and belong together"
            ) from error
    return context


def describe_failure(settings: BrokerSettings, error: Exception) -> str:
    """Say why there is no connection, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"{settings.where} is not to be trusted ({error.verify_message}): check --ca, and that its "
            f"certificate is for {settings.host}"
        )
    if isinstance(error, ssl.SSLError) or (settings.tls and isinstance(error, ConnectionResetError)):
        why = getattr(error, "reason", error.strerror)
        return f"{settings.where} does not agree to TLS ({why}): check the port, and --tls"
    if isinstance(error, socket.gaierror):
        return f"no host {settings.host} ({error.strerror}): check --broker"
    reason = getattr(error, "strerror", None) or error
    return f"no broker at {settings.where} ({reason}): start one, or name yours with --broker"


def describe_refusal(settings: BrokerSettings, reason_code: Any) -> str:
    """Say that the broker does not want us, and what to do."""
    if reason_code.value == UNSUPPORTED_VERSION:
        return f"{settings.where} does not speak MQTT 5: Mosquitto does from version 1.6 on"
    if reason_code.value in BAD_CREDENTIALS:
        how = f"--username and the password (--password-file, or {PASSWORD_VARIABLE})"
        return f"{settings.where} refuses us ({reason_code}): check {how}"
    return f"{settings.where} refuses us ({reason_code}): see its log"


def describe_silence(settings: BrokerSettings) -> str:
    """Say what may be wrong when there is no answer to our greeting."""
    if not settings.tls:
        return (
            f"{settings.where} takes the connection but does not answer: is it an MQTT broker, "
            "and does it want --tls?"
        )
    if settings.certificate_file is None:
        return (
            f"{settings.where} takes the connection but does not answer: is it an MQTT broker, "
            "and does it want a certificate of ours (--certificate, --key)?"
        )
    return f"{settings.where} takes the connection but does not answer: is our certificate one of its own?"
