"""Live: every open page is told what has changed, over a WebSocket of its own.

A page is told the latest of each thing, not every step to it: one that is slow misses steps, and nothing
grows while it does.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from trainer.dashboard.devices import Devices
from trainer.words import Nonsense, Word

# Changes within so many seconds are told together.
INTERVAL_S = 0.05

# A page that hears nothing for longer than a few of these knows that the connection is dead, and so do we
# of a page that says nothing.
BEAT_S, SILENCE_S = 5.0, 20.0

# A page that takes nothing for so long is given up.
SEND_TIMEOUT_S = 20.0

# So many pages may be open at once.
MOST_PAGES = 50

LONGEST_REQUEST = 1000


class OpenPage:
    """A page that is open in somebody's browser, and what it has yet to be told."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._news = asyncio.Event()
        self.devices: set[str] = set()
        self.facts: dict[str, Any] = {}
        self.told = 0  # the number of the last digit that it was told of

    def wake(self) -> None:
        """Let it be told what there is to tell."""
        self._news.set()

    async def tell(self, describe: Callable[[OpenPage], dict[str, Any]]) -> None:
        """Tell news as they come, until it is closed."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), BEAT_S)
            self._news.clear()
            text = json.dumps(describe(self), separators=(",", ":"))
            await asyncio.wait_for(self._socket.send_text(text), SEND_TIMEOUT_S)
            await asyncio.sleep(INTERVAL_S)


class Live:
    """What all pages are told. All of it is used in the server's own thread.

    Attributes
    ----------
    facts : the latest of each thing that is told, by its name, beside devices
    """

    def __init__(self, devices: Devices, where: str) -> None:
        self._devices = devices
        self._pages: set[OpenPage] = set()
        self._where = where
        # By its name a page that stayed open knows that this is not the server that it knew.
        self.facts: dict[str, Any] = {"server": secrets.token_hex(4)}
        self._tell_broker(f"looking for {where}")

    def note(self, words: Sequence[Word | Nonsense], problem: str | None) -> None:
        """Note what devices said, and how the connection to the broker is."""
        if problem != self.facts["broker"]["problem"]:
            self._tell_broker(problem)
            if problem is not None:
                self._devices.forget_states()
                self._touch(self._devices.names)
        complaint = self._devices.complaint
        changed = [name for name in map(self._devices.note, words) if name is not None]
        if self._devices.complaint != complaint:
            self.tell("complaint", self._devices.complaint)
        self._touch(changed)

    def tell(self, name: str, fact: Any) -> None:
        """Tell every page something, and those that are opened later, too."""
        self.facts[name] = fact
        self.pass_on(name, fact)

    def pass_on(self, name: str, fact: Any) -> None:
        """Tell every page that is open now."""
        for page in self._pages:
            page.facts[name] = fact
            page.wake()

    async def attend(self, socket: WebSocket, attend_aim: Callable[[OpenPage, str | None], None]) -> None:
        """Tell a page what there is, for as long as it is open.

        Parameters
        ----------
        attend_aim : is told whose view the page wants to see, None for nobody's, and when it closes
        """
        if len(self._pages) >= MOST_PAGES:
            await socket.close(1013, f"{MOST_PAGES} pages are open: close one")
            return
        await socket.accept()
        page = OpenPage(socket)
        page.devices.update(self._devices.names)
        page.facts.update(self.facts)
        page.wake()
        self._pages.add(page)
        telling = asyncio.create_task(page.tell(self._describe))
        hearing = asyncio.create_task(_hear(socket, page, attend_aim))
        try:
            await asyncio.wait((telling, hearing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._pages.discard(page)
            attend_aim(page, None)
            for task in (telling, hearing):
                task.cancel()
            await asyncio.gather(telling, hearing, return_exceptions=True)
            with suppress(Exception):
                await socket.close()

    def _tell_broker(self, problem: str | None) -> None:
        self.tell("broker", {"where": self._where, "problem": problem})

    def _touch(self, names: Sequence[str]) -> None:
        for page in self._pages if names else ():
            page.devices.update(names)
            page.wake()

    def _describe(self, page: OpenPage) -> dict[str, Any]:
        """Take all that a page has yet to be told."""
        devices = [self._devices.describe(name, page.told) for name in sorted(page.devices)]
        page.told = max((seen["number"] for one in devices for seen in one["seen"]), default=page.told)
        news = {**page.facts, "devices": devices} if devices else page.facts
        page.devices, page.facts = set(), {}
        return news


async def _hear(
    socket: WebSocket, page: OpenPage, attend_aim: Callable[[OpenPage, str | None], None]
) -> None:
    """Hear what a page says: that it is there, and whose view it wants."""
    with suppress(WebSocketDisconnect, TimeoutError, ValueError, RuntimeError):
        while True:
            text = await asyncio.wait_for(socket.receive_text(), SILENCE_S)
            if len(text) > LONGEST_REQUEST:
                return
            wish = json.loads(text)
            if isinstance(wish, dict) and "aim" in wish:
                attend_aim(page, wish["aim"] if isinstance(wish["aim"], str) else None)
