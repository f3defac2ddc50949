"""Files that are written as training goes, and that it goes on without: a full disk ends no training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class SideFile:
    """A file that training goes on without.

    Parameters
    ----------
    path : what the message calls it
    warn : is told that it cannot be written, and what to do; once, however often that is tried
    """

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self._path, self._warn = path, warn
        self._is_told = False

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Within the block it is written; an `OSError` there is told, and ends nothing but the block."""
        try:
            yield
        except OSError as error:
            if not self._is_told:
                self._is_told = True
                self._warn(
                    f"{self._path} cannot be written ({error.strerror}): training goes on, and it is tried "
                    "again; mend that before the end"
                )
