"""What was seen of the emulated Pi, against what it should be."""

from __future__ import annotations

from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Finding(NamedTuple):
    """One line of the table; `good` is None where there is no goal."""

    what: str
    seen: str
    goal: str
    good: bool | None


class Findings:
    """All that was seen so far; each is said at once, too."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []

    @property
    def all_good(self) -> bool:
        """Whether every goal is reached."""
        return all(finding.good is not False for finding in self._findings)

    def note(self, what: str, seen: str, goal: str = "", good: bool | None = None) -> None:
        """Note what was seen."""
        self._findings.append(Finding(what, seen, goal, good))
        print(f"{what}: {seen}", flush=True)

    def note_at_most(self, what: str, seen: float, most: float, unit: str) -> None:
        """Note a figure, of which less is better."""
        self.note(what, f"{seen:.2f} {unit}", f"at most {most:g} {unit}", seen <= most)

    def print(self) -> None:
        """Print the table."""
        table = Table("", "seen", "goal", "reached")
        for what, seen, goal, good in self._findings:
            table.add_row(what, seen, goal, {None: "", True: "yes", False: "NO"}[good])
        Console(width=None if Console().is_terminal else 120).print(table)
