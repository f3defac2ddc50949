"""Serving: the page's server runs until Ctrl-C."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from trainer.dashboard.live import LONGEST_REQUEST

# Open pages are given so long to be told that the server ends.
GOODBYE_S = 1

MOST_CONNECTIONS = 400


def make_token() -> str:
    """Make a token that nobody guesses."""
    return secrets.token_urlsafe(16)


def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until Ctrl-C, or until the process is asked to end."""
    configuration = uvicorn.Config(
        app,
        http="h11",
        ws="wsproto",
        ws_per_message_deflate=False,  # what is near needs no packing, which takes time
        ws_max_size=4 * LONGEST_REQUEST,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GOODBYE_S,
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(configuration).run(sockets=[listener])
