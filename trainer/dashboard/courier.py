"""The courier: delivers weights, and tells what devices make of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from shared.errors import InklingError
from shared.printable import make_printable
from shared.topics import Topics
from trainer.broker import Broker
from trainer.broker_settings import BrokerSettings
from trainer.dashboard.errors import BadRequestError, BusyError
from trainer.delivery import Fleet, Recipient
from trainer.signing import find_key_file, load_key

Act = Literal["run", "back", "follow"]
ACTS: dict[str, Act] = {"run": "run", "back": "back", "follow": "follow"}

# How long answers are waited for: a device tries new weights for half a minute, if not configured otherwise.
WAIT_S = 180.0


class Courier:
    """Carries one order at a time, in a thread of its own.

    Parameters
    ----------
    key : the file of the key that orders are signed with; without one, where it usually is
    tell : is told how it goes, in that thread
    """

    def __init__(
        self, settings: BrokerSettings, key: Path | None, tell: Callable[[dict[str, Any]], None]
    ) -> None:
        self._settings = settings
        self._key = key
        self._tell = tell
        self._thread: threading.Thread | None = None

    def begin(self, act: Act, devices: Sequence[str], weights: bytes, name: str) -> None:
        """Deliver to these devices, or with none named to all; `tell` is told what comes of it.

        Raises
        ------
        BusyError : if another order is on its way
        BadRequestError : if only named devices can carry it out
        BadSettingError : if there is no key to sign it with
        BadTopicError : if one can be no device's name
        """
        if self._thread is not None and self._thread.is_alive():
            raise BusyError("an order is on its way: wait until the devices have answered")
        if act != "run" and not devices:
            raise BadRequestError("choose devices first")
        for device in devices:
            Topics(device)
        load_key(self._key or find_key_file())  # what is wrong with it is said now
        arguments = (act, tuple(devices), weights, name)
        self._thread = threading.Thread(target=self._carry, args=arguments, name="courier", daemon=True)
        self._thread.start()

    def _carry(self, act: Act, devices: Sequence[str], weights: bytes, name: str) -> None:
        fact = {"act": act, "weights": name, "running": True, "error": None, "recipients": []}
        told = dict(fact)

        def show(fleet: Fleet, *, running: bool = True) -> None:
            nonlocal told
            recipients = [_describe(one) for _, one in sorted(fleet.recipients.items())]
            news = {**fact, "recipients": recipients, "running": running}
            if news != told:
                told = news
                self._tell(news)

        self._tell(fact)
        try:
            with Broker(self._settings) as broker:
                fleet = Fleet(broker)
                fleet.meet()
                fleet.deliver(act, devices, load_key(self._key or find_key_file()), weights)
                show(fleet)
                fleet.wait(WAIT_S, lambda: show(fleet))
                show(fleet, running=False)
        except (InklingError, OSError) as error:
            self._tell({**told, "running": False, "error": str(error)})


def _describe(recipient: Recipient) -> dict[str, Any]:
    return {
        "device": recipient.device,
        "state": recipient.state,
        "why": make_printable(recipient.why),
        "model": make_printable(recipient.model),
    }
