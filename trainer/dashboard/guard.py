"""The guard: who is answered at all, and what a browser may do with what it is sent."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Nothing is loaded from elsewhere, and no markup that gets in can run: what is not named here is forbidden.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)

HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}

SAFE_METHODS = ("GET", "HEAD")


def is_local(host: str) -> bool:
    """Tell whether only this machine can reach what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def name_hosts(host: str) -> frozenset[str]:
    """Name what this machine is called in addresses, beside its numbers: who asks for another is misled."""
    own = socket.gethostname().lower()
    return frozenset({host.lower(), "localhost", own, f"{own}.local", own.partition(".")[0]})


class Guard:
    """Answers only who asked for this very machine, from its own page, and with the token if there is one.

    A page of somebody else's cannot ask in its visitor's name: it has another origin, and a name of its own
    that it gives this machine's address ("DNS rebinding") is not one of this machine's.

    Parameters
    ----------
    app : what is guarded
    hosts : the names that this machine has; its numbers are always fit
    token : without which nothing is answered; None if it is not needed
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], token: str | None) -> None:
        self._app = app
        self._hosts = hosts
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or one WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._judge(scope)
        if answer is None:
            await self._app(scope, receive, send_guarded)
        elif scope["type"] == "http":
            await answer(scope, receive, send_guarded)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _judge(self, scope: Scope) -> PlainTextResponse | RedirectResponse | None:
        """Tell what to answer instead; None if all is well."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            names = ", ".join(sorted(self._hosts))
            return _refuse(421, f"This machine has no such name: use its number, or one of {names}.")
        if self._token is not None:
            cookie = f"inkling-{scope['server'][1]}"
            given = parse_qs(scope["query_string"].decode("ascii", "replace")).get("token", [""])[-1]
            if scope["type"] == "http" and scope["path"] == "/" and self._is_token(given):
                redirect = RedirectResponse("/", 303)
                redirect.set_cookie(cookie, self._token, httponly=True, samesite="lax", max_age=30 * 86400)
                return redirect
            if not self._is_token(_read_cookie(headers.get("cookie", ""), cookie)):
                return _refuse(
                    401, "Open the link that 'inkling-trainer dashboard' printed: it has the token."
                )
        safe = scope["type"] == "http" and scope["method"] in SAFE_METHODS
        if not safe and headers.get("origin") != f"http://{host}":
            return _refuse(403, "Only this page's own requests are answered.")
        return None

    def _is_ours(self, host: str) -> bool:
        name, colon, port = host.lower().rpartition(":")
        if not colon or not port.isdigit():
            name = host.lower()
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return name in self._hosts
        return True

    def _is_token(self, given: str) -> bool:
        assert self._token is not None
        return secrets.compare_digest(given.encode(), self._token.encode())


def _read_cookie(header: str, name: str) -> str:
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value


def _refuse(status: int, why: str) -> PlainTextResponse:
    return PlainTextResponse(f"{why}\n", status)
