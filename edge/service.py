"""What systemd is told, over the socket that it gives a service of Type=notify.

Source: sd_notify(3).
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """Tell systemd, such as "READY=1", "WATCHDOG=1" or "STATUS=..."; without systemd nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # a name in Linux's abstract namespace
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        # A systemd that does not listen is no reason to stop reading digits.
        connection.connect(address)
        connection.sendall(state.encode())
