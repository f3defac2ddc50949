"""Python begins with this in `tests.end_to_end.sandbox`: the ports that pages tell lead elsewhere.

Whoever types `localhost:1883`, or no broker at all, there means the sandbox's own; the dashboard is served
at a port that is free.
"""

import os
import socket
from typing import Any

PORTS = {1883: int(os.environ["SANDBOX_BROKER"]), 7840: 0}

_look_up = socket.getaddrinfo


def look_up(host: Any, port: Any, *more: Any, **options: Any) -> Any:
    return _look_up(host, PORTS.get(port, port), *more, **options)


socket.getaddrinfo = look_up
