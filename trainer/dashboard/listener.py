"""The listener: hears the broker in a thread of its own, for as long as the page is served."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from shared.topics import EVERY_DEVICE
from trainer.broker import Broker
from trainer.broker_settings import BrokerSettings
from trainer.collector import CORRECTION
from trainer.errors import BrokerError
from trainer.words import Nonsense, Word, list_topics

# How long to wait for words at a time, and between two attempts at a broker that has never been there.
HEAR_S, RETRY_S = 0.5, 2.0

STOP_TIMEOUT_S = 10.0

# Told what was heard, and what is wrong with the connection.
Report = Callable[[Sequence[Word | Nonsense], str | None], None]


class Listener:
    """Hears all that devices say, and tries again for ever where there is no broker.

    Parameters
    ----------
    settings : where the broker is
    report : is called in the listener's thread
    """

    def __init__(self, settings: BrokerSettings, report: Report) -> None:
        self._settings = settings
        self._report = report
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End listening, and wait for that."""
        self._stopped.set()
        self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with Broker(self._settings) as broker:
                    broker.subscribe(*list_topics(), f"{EVERY_DEVICE}/{CORRECTION}")
                    self._report((), None)
                    self._listen(broker)
            except BrokerError as error:
                self._report((), str(error))
            except Exception as error:  # whatever it is, the page must say that it no longer listens
                self._report((), f"the listener stumbled over {error!r}: listening anew")
            self._stopped.wait(RETRY_S)

    def _listen(self, broker: Broker) -> None:
        problem: str | None = None
        while not self._stopped.is_set():
            words = broker.hear(HEAR_S)
            if words or broker.problem != problem:
                problem = broker.problem
                self._report(words, problem)
