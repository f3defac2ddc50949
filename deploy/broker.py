"""Start an MQTT broker on this machine: Debian's Mosquitto or, where that is missing, iotcore from PyPI."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

START_TIMEOUT_S = 15.0

# Below the ports that Linux gives to connections: a broker may start minutes after its port was found. Chosen
# by the system's chance, as one that can be seeded would choose the same ones in several processes.
PORTS = range(10_000, 32_768)

# Whoever is on this machine may use it.
ANYBODY = "allow_anonymous true\n"

_MOSQUITTO = """\
listener {port} 127.0.0.1
{extra}
"""

_IOTCORE = """\
id = 0

[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10

[v5.1]
name = "v5-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
    [v5.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = 20480
    max_inflight_count = 100
"""


def find_free_port() -> int:
    """Find a port of 127.0.0.1 that nothing listens on, and that no connection will be given meanwhile."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def find_mosquitto() -> str | None:
    """Find Mosquitto's program; Debian puts it where only root's PATH leads."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def start_broker(folder: Path, port: int, extra: str = ANYBODY) -> subprocess.Popen[bytes]:
    """Start a broker that only this machine can reach, and wait until it listens.

    Parameters
    ----------
    folder : for its configuration and log
    port : of 127.0.0.1
    extra : the rest of Mosquitto's configuration; iotcore has none

    Raises
    ------
    RuntimeError : if there is no broker, or it does not start
    """
    if find_mosquitto():
        return start_mosquitto(folder, port, _MOSQUITTO.format(port=port, extra=extra))
    if importlib.util.find_spec("iotcore"):
        configuration = folder / "iotcore.toml"
        configuration.write_text(_IOTCORE.format(port=port))
        return _start([sys.executable, "-m", "iotcore", "--config", str(configuration)], folder, port)
    raise RuntimeError("no MQTT broker: install Debian's package mosquitto, or 'pip install iotcore'")


def start_mosquitto(folder: Path, port: int, configuration: str) -> subprocess.Popen[bytes]:
    """Start Mosquitto with the whole of its configuration given, and wait until it listens.

    Parameters
    ----------
    folder : for its configuration and log
    port : one of those that it will listen on

    Raises
    ------
    RuntimeError : if it is not installed, or does not start
    """
    mosquitto = find_mosquitto()
    if mosquitto is None:
        raise RuntimeError("no Mosquitto: install Debian's package mosquitto")
    file = folder / "mosquitto.conf"
    file.write_text(configuration)
    return _start([mosquitto, "-c", str(file)], folder, port)


def _start(command: list[str], folder: Path, port: int) -> subprocess.Popen[bytes]:
    with (folder / "broker.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process
        except OSError:
            time.sleep(0.05)
    process.kill()
    process.wait()
    raise RuntimeError(f"the broker did not start: see {folder / 'broker.log'}")
