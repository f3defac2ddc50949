"""The workshop: retraining, as `inkling-trainer retrain` does it, in a process of its own.

What is learnt there can neither slow the page down nor take its memory along.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import InklingError
from shared.weights import DEFAULT_WEIGHTS, TrainedNetwork, load_weights
from trainer.dashboard.errors import BadRequestError, BusyError

# What new weights are called; they lie beside the library.
PREFIX = "retrained-"

# So many weights are offered, the newest first.
MOST_OFFERED = 20

# How many losses are shown as a curve.
MOST_POINTS = 400

STOP_TIMEOUT_S = 5.0

# Numbers longer than these are no settings of a retraining.
LARGEST_EPOCHS, LARGEST_SEED = 100, 10**9


@dataclass(frozen=True)
class Offer:
    """Weights that can be delivered, or read drawings here."""

    name: str
    path: Path
    trained: TrainedNetwork

    def describe(self) -> dict[str, Any]:
        """Describe them for the page."""
        metrics = self.trained.card.metrics
        test = metrics.get("test")
        return {
            "name": self.name,
            "model": self.trained.name,
            "layers": list(self.trained.network.layers),
            "accuracy": test.get("accuracy") if isinstance(test, dict) else None,
            "size": self.path.stat().st_size,
        }


class Workshop:
    """Retrains one network at a time, and knows what weights there are; used in the server's thread.

    Parameters
    ----------
    library : of the own digits that are learnt
    data_directory : where MNIST is, if not where it usually is
    own : weights that are offered beside those that ship and those that were retrained here
    tell : is told how retraining goes
    """

    def __init__(
        self,
        library: Path,
        data_directory: Path | None,
        own: Path | None,
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        self._library = library
        self._data_directory = data_directory
        self._own = own
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._follower: asyncio.Task[None] | None = None
        self._told: dict[str, Any] = {"state": "idle"}

    def list_offers(self) -> list[Offer]:
        """List the weights there are, the newest that were retrained here first."""
        made = sorted(self._library.parent.glob(f"{PREFIX}*.npz"), reverse=True)[:MOST_OFFERED]
        paths = [(path.name, path) for path in made]
        if self._own is not None:
            paths.append((self._own.name, self._own))
        offers = []
        for name, path in (*paths, ("what ships with Inkling", DEFAULT_WEIGHTS)):
            with suppress(InklingError, OSError):  # such as half of a file that somebody copies just now
                offers.append(Offer(name, path, load_weights(path)))
        return offers

    def find_offer(self, name: object) -> Offer:
        """Find weights by their name.

        Raises
        ------
        BadRequestError : if there are none
        """
        offer = next((one for one in self.list_offers() if one.name == name), None)
        if offer is None:
            raise BadRequestError("no such weights: they may have been moved")
        return offer

    async def begin(self, parent: Path, *, epochs: int, no_digits: int, seed: int, force: bool) -> None:
        """Begin to retrain; `tell` is told the rest.

        Raises
        ------
        BusyError : if that goes on already
        BadRequestError : if a setting makes no sense
        """
        if self._told["state"] in ("running", "stopping"):
            raise BusyError("retraining goes on already: wait for it, or stop it")
        if not 1 <= epochs <= LARGEST_EPOCHS or not 0 <= seed <= LARGEST_SEED:
            raise BadRequestError(f"epochs must be 1 to {LARGEST_EPOCHS}, the seed at most {LARGEST_SEED:,}")
        output = self._library.parent / f"{PREFIX}{time.strftime('%Y%m%d-%H%M%S')}.npz"
        command = [
            *(sys.executable, "-m", "trainer", "retrain", "--json", "--progress", "json"),
            *("--library", str(self._library), "--from", str(parent), "--output", str(output)),
            *("--epochs", str(epochs), "--no-digits", str(no_digits), "--seed", str(seed)),
        ]
        if self._data_directory is not None:
            command += ["--data-dir", str(self._data_directory)]
        if force:
            command.append("--force")
        self._say(state="running", doing="beginning", share=0.0, losses=[])
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the server, which passes it on
            )
        except OSError as error:
            self._say(state="failed", error=f"it cannot be begun ({error})", losses=[])
            return
        self._follower = asyncio.create_task(self._follow(self._process, output.name))

    def stop(self) -> None:
        """End retraining, if it goes on; nothing is written."""
        if self._process is not None and self._process.returncode is None:
            self._say(**self._told | {"state": "stopping"})
            self._process.send_signal(signal.SIGINT)

    async def close(self) -> None:
        """End retraining and wait for that."""
        self.stop()
        if self._process is not None and self._follower is not None:
            try:
                await asyncio.wait_for(asyncio.shield(self._follower), STOP_TIMEOUT_S)
            except TimeoutError:
                self._process.kill()
                await self._follower

    async def _follow(self, process: asyncio.subprocess.Process, name: str) -> None:
        """Tell how it goes, line by line, and what came of it."""
        assert process.stdout is not None
        assert process.stderr is not None
        report = asyncio.create_task(process.stdout.read())
        words: list[str] = []
        losses: list[list[float]] = []
        async for line in process.stderr:
            try:
                progress = json.loads(line)
                doing, share = str(progress["doing"]), float(progress["share"])
            except (ValueError, KeyError, TypeError):
                words = [*words[-4:], line.decode(errors="replace").strip()]
                continue
            if (loss := progress.get("loss")) is not None:
                losses = _thin([*losses, [float(progress["epoch"]), share, float(loss)]])
            self._say(state=self._told["state"], doing=doing, share=share, losses=losses)
        status = await process.wait()
        try:
            told = json.loads(await report)
        except ValueError:
            stopped = self._told["state"] == "stopping"
            error = "stopped; nothing was written" if stopped else "; ".join(words) or f"it failed ({status})"
            self._say(state="stopped" if stopped else "failed", error=error, losses=losses)
            return
        self._say(
            state="done",
            name=name if told["written"] else None,
            model=(told["sha256"] or "")[:12],
            objections=told["objections"],
            metrics=told["metrics"],
            learnt=told["training"]["own_labels"],
            losses=losses,
        )

    def _say(self, **fact: Any) -> None:
        self._told = fact
        self._tell(fact)


def _thin(points: list[list[float]]) -> list[list[float]]:
    """Leave out every other point when there are too many."""
    return points if len(points) <= MOST_POINTS else [*points[:-1:2], points[-1]]
