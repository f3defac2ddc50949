"""Live settings: those of the configuration that can be changed while the daemon runs."""

from __future__ import annotations

import logging
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from edge.config import Configuration
from edge.errors import RefusedRequestError
from shared.atomic_file import write_atomically
from shared.errors import BadMessageError
from shared.messages import ConfigureRequest, decode, encode

log = logging.getLogger(__name__)

FILE = "settings.json"

# The tables of the configuration that a request may change, in part.
TABLES = ("settling", "leds", "health")


class LiveSettings:
    """The configuration as it is now, and the changes that are kept across restarts.

    Parameters
    ----------
    configuration : what its file says
    folder : where changes are kept; None keeps them until the daemon ends

    Attributes
    ----------
    configuration : with all changes; it is replaced as a whole, so that any thread may read it
    folder : where the service may keep things; None: nowhere
    problem : why earlier changes could not be read, or None
    """

    def __init__(self, configuration: Configuration, folder: Path | None) -> None:
        self._file = configuration
        self.folder = folder
        self._path = None if folder is None else folder / FILE
        self._changes = ConfigureRequest()
        self.problem: str | None = None
        if self._path is not None:
            try:
                self._changes = decode(ConfigureRequest, self._path.read_bytes())
            except FileNotFoundError:
                pass
            except (OSError, BadMessageError) as error:
                self.problem = f"{self._path} cannot be read ({error}): configure the device again"
        self.configuration = _apply(self._changes, configuration)

    def change(self, request: ConfigureRequest) -> dict[str, Any]:
        """Change what is asked and keep it; returns the settings as they are then, and if they were kept.

        Raises
        ------
        RefusedRequestError : if nothing is asked
        """
        if request == ConfigureRequest(transaction=request.transaction):
            raise RefusedRequestError(
                "nothing to change: give settling, leds or health, or reset; "
                "all else needs the configuration file and a restart"
            )
        before = ConfigureRequest() if request.reset else self._changes
        self._changes = ConfigureRequest(
            **{table: _merge(getattr(before, table), getattr(request, table)) for table in TABLES}
        )
        self.configuration = _apply(self._changes, self._file)
        return {**self.describe(), "kept": self._keep()}

    def describe(self) -> dict[str, Any]:
        """Tell what can be changed, and what it is now."""
        return {
            table: {
                item.name: getattr(getattr(self.configuration, table), item.name)
                for item in fields(getattr(self._changes, table))
            }
            for table in TABLES
        }

    def _keep(self) -> bool:
        if self._path is None:
            return False
        try:
            write_atomically(self._path, encode(self._changes))
        except OSError as error:
            log.warning(
                "settings: %s cannot be written (%s): they are lost at the next start", self._path, error
            )
            return False
        self.problem = None
        return True


def _apply(changes: ConfigureRequest, configuration: Configuration) -> Configuration:
    tables = {table: _merge(getattr(configuration, table), getattr(changes, table)) for table in TABLES}
    return replace(configuration, **tables)


def _merge(settings: Any, changes: Any) -> Any:
    """Settings with those that are not None in changes, which has some of their fields."""
    values = {item.name: getattr(changes, item.name) for item in fields(changes)}
    return replace(settings, **{name: value for name, value in values.items() if value is not None})
