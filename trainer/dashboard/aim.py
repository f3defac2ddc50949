"""Aiming: cameras' views, for as long as a page wants to see them and no longer."""

from __future__ import annotations

import asyncio
import base64
import threading
from dataclasses import dataclass, field
from typing import Any

from shared.errors import InklingError
from shared.topics import DEVICE_NAME
from trainer.broker import Broker
from trainer.broker_settings import BrokerSettings
from trainer.dashboard.live import OpenPage
from trainer.view import look

# A device is asked for so many seconds at a time: it stops by itself when nobody looks any more.
LEASE_S = 5.0

# So many cameras can be looked through at once.
MOST_VIEWS = 8

# Between two attempts at a device that shows nothing.
RETRY_S = 2.0


@dataclass
class View:
    """What one device's camera sees, and who looks."""

    device: str
    pages: set[OpenPage] = field(default_factory=set)
    ended: threading.Event = field(default_factory=threading.Event)


class Aim:
    """Asks devices for their views while pages want them; all but `_look` is used in the server's thread."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        self._views: dict[str, View] = {}

    def attend(self, page: OpenPage, device: str | None) -> None:
        """Let a page look through this device's camera, or through none, and through no other."""
        for view in list(self._views.values()):
            if page in view.pages and view.device != device:
                view.pages.discard(page)
                if not view.pages:
                    view.ended.set()
                    del self._views[view.device]
        if device is None or not DEVICE_NAME.fullmatch(device):
            return
        if device not in self._views:
            if len(self._views) >= MOST_VIEWS:
                _tell(page, device, problem=f"{MOST_VIEWS} cameras are looked through already: close one")
                return
            view = self._views[device] = View(device)
            loop = asyncio.get_running_loop()
            threading.Thread(
                target=self._look, args=(view, loop), name=f"view of {device}", daemon=True
            ).start()
        self._views[device].pages.add(page)

    def _look(self, view: View, loop: asyncio.AbstractEventLoop) -> None:
        """Look until nobody wants to any more; runs in a thread of its own."""

        def show(picture: bytes | None, problem: str | None = None) -> None:
            if not view.ended.is_set():
                loop.call_soon_threadsafe(_show, view, picture, problem)

        while not view.ended.is_set():
            try:
                with Broker(self._settings) as broker:
                    while not view.ended.is_set():
                        for picture in look(broker, view.device, LEASE_S):
                            show(picture)
                            if view.ended.is_set():
                                return
            except InklingError as error:
                show(None, str(error))
            except RuntimeError:  # the server has ended
                return
            view.ended.wait(RETRY_S)


def _show(view: View, picture: bytes | None, problem: str | None) -> None:
    jpeg = None if picture is None else base64.b64encode(picture).decode()
    for page in view.pages:
        _tell(page, view.device, jpeg=jpeg, problem=problem)


def _tell(page: OpenPage, device: str, **what: Any) -> None:
    page.facts["view"] = {"device": device, **what}
    page.wake()
