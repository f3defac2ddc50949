"""The keeper: puts what is heard into the library, in a thread of its own, because disks are slow."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from shared.errors import InklingError
from shared.messages import EventMessage
from trainer.collector import CORRECTION
from trainer.words import Nonsense, Word

# What is heard within so many seconds is kept together.
INTERVAL_S = 1.0

# So much waits while the disk is busy; then the oldest is lost, and that is told.
MOST_WAITING = 2000

STOP_TIMEOUT_S = 10.0


class Keeper:
    """Keeps what is heard, for as long as the page is served.

    Parameters
    ----------
    keep : puts what was heard into the library; may take its time, and raise what is wrong
    report : is told what is wrong, and None when it is well again, in the keeper's thread
    """

    def __init__(self, keep: Callable[[list[Word]], None], report: Callable[[str | None], None]) -> None:
        self._put = keep
        self._report = report
        self._waiting: deque[Word] = deque()
        self._lost = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._problem: str | None = None
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self, problem: str | None) -> None:
        """Begin to keep; with what is known to be wrong by now."""
        self._problem = problem
        self._thread.start()

    def stop(self) -> None:
        """Keep what is still there, and end."""
        self._stopped.set()
        self._thread.join(STOP_TIMEOUT_S)

    def take(self, words: Sequence[Word | Nonsense]) -> None:
        """Take what was heard; it is kept soon."""
        kept = [
            word
            for word in words
            if isinstance(word, Word) and (isinstance(word.message, EventMessage) or word.kind == CORRECTION)
        ]
        with self._lock:
            self._waiting.extend(kept)
            while len(self._waiting) > MOST_WAITING:
                self._waiting.popleft()
                self._lost += 1

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL_S):
            self._keep()
        self._keep()

    def _keep(self) -> None:
        with self._lock:
            words, lost = list(self._waiting), self._lost
            self._waiting.clear()
        problem = f"{lost:,} digits came faster than the disk takes them, and were not kept" if lost else None
        if words or self._problem is not None:  # with nothing to keep, too: to tell when it is well again
            try:
                self._put(words)
            except (InklingError, OSError) as error:
                problem = str(error)
                with self._lock:  # to be tried again
                    self._waiting.extendleft(reversed(words))
        if problem != self._problem:
            self._problem = problem
            self._report(problem)
