"""The weights store: delivered weights, on the disk in such a way that a power cut never does harm.

    weights/<sha256>.npz   weights files, named by their own hash and never changed
    weights/store.json     which of them runs, which ran before, and what came of the last order

A change is one renaming of `store.json`, after everything that it names is on the disk.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from shared.atomic_file import write_atomically
from shared.errors import BadMessageError, WeightsError
from shared.messages import decode, encode
from shared.weights import LARGEST_FILE, TrainedNetwork, parse_weights

FOLDER, FILE = "weights", "store.json"

_HASH = re.compile(r"[0-9a-f]{64}")
# What the store itself puts into its folder beside FILE, whole or half written.
_OURS = re.compile(r"[0-9a-f]{64}\.npz|\..*\.tmp")


@dataclass(frozen=True)
class Account:
    """What came of orders from one side: to this device alone, or to all.

    Attributes
    ----------
    serial : of the last one that was carried out or refused
    outcome : what came of it
    model : the first twelve digits of the weights' hash, if it was to run some that can be read
    why : it was refused
    transaction : its own, which tells it from another that happens to have the same serial
    attempts : of a trial, how often the daemon was started and began it
    """

    serial: int = 0
    outcome: Literal["none", "trial", "done", "refused"] = "none"
    model: str | None = None
    why: str | None = None
    transaction: str | None = None
    attempts: int = 0


@dataclass(frozen=True)
class Standing:
    """What is known of delivered weights; hashes are of whole files, 64 hexadecimal digits.

    Attributes
    ----------
    current, previous : what runs, and what ran before; absent for the weights of the configuration
    trial : what is being tried
    own, all : what came of orders to this device alone, and to all
    last : which of them had an order last
    follows : whether it runs what all do: until there are weights for it alone
    """

    current: str | None = None
    previous: str | None = None
    trial: str | None = None
    own: Account = Account()
    all: Account = Account()
    last: Literal["own", "all"] = "own"
    follows: bool = True

    def account(self, *, for_all: bool) -> Account:
        """Tell what came of the last order from one side."""
        return self.all if for_all else self.own

    def enter(self, account: Account, *, for_all: bool) -> Standing:
        """Note what came of an order."""
        return replace(self, all=account, last="all") if for_all else replace(self, own=account, last="own")


class WeightsStore:
    """Keeps delivered weights.

    Parameters
    ----------
    folder : the service's own; it must be writable only when something is delivered

    Attributes
    ----------
    standing : as it is on the disk, but for weights that are damaged
    problem : what is wrong with what was found there, or None
    damaged : hashes of weights files that should run and cannot
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self.standing = Standing()
        self.problem: str | None = None
        self.damaged: set[str] = set()
        try:
            standing = decode(Standing, (self._folder / FILE).read_bytes())
            for name in (standing.current, standing.previous, standing.trial):
                if name is not None and not _HASH.fullmatch(name):
                    raise BadMessageError(f"{name!r} is no hash")
            self.standing = standing
        except FileNotFoundError:
            pass
        except (OSError, BadMessageError) as error:
            self.problem = f"{self._folder / FILE} cannot be read ({error}): deliver weights again"

    def load(self) -> TrainedNetwork | None:
        """Load what runs, or what ran before if that is damaged; None for the configuration's own weights."""
        while (name := self.standing.current) is not None:
            try:
                return parse_weights(self._read(name))
            except (OSError, WeightsError) as error:
                problem = f"{self._path(name)} cannot be used ({error}): deliver weights again"
                self.problem = problem if self.problem is None else f"{self.problem}; {problem}"
                self.damaged.add(name)
                # Or what is delivered next would have damaged weights before it, and not these.
                self.standing = replace(self.standing, current=self.standing.previous, previous=None)
        return None

    def load_previous(self) -> TrainedNetwork | None:
        """Load what ran before; None for the configuration's own weights.

        Raises
        ------
        OSError, WeightsError : if it cannot be used
        """
        name = self.standing.previous
        return None if name is None else parse_weights(self._read(name))

    def keep(self, name: str, content: bytes) -> None:
        """Bring a weights file of this hash to the disk.

        Raises
        ------
        OSError : if it cannot be written; nothing is left of it then
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path(name), content)

    def change(self, standing: Standing) -> None:
        """Change what is known, in one step.

        Raises
        ------
        OSError : if it cannot be written; all is as before then
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._folder / FILE, encode(standing))
        self.standing = standing
        self._forget_others()

    def _forget_others(self) -> None:
        """Remove what is needed no more; what stays does no harm, and what others put there is theirs."""
        named = {self.standing.current, self.standing.previous, self.standing.trial}
        with suppress(OSError):
            for path in self._folder.iterdir():
                if _OURS.fullmatch(path.name) and path.stem not in named:
                    with suppress(OSError):
                        path.unlink(missing_ok=True)

    def _read(self, name: str) -> bytes:
        with self._path(name).open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if hashlib.sha256(content).hexdigest() != name:
            raise WeightsError("its content is not what was delivered")
        return content

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.npz"
