"""The live table: every device on a broker at a glance, in a terminal's width and height."""

from __future__ import annotations

from datetime import datetime, timedelta

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from trainer.roster import Device, Roster

# Terminals from this width on have room between columns, and for more digits.
WIDE = 100
DIGITS, DIGITS_WIDE = 8, 12

UNKNOWN = Text("-", style="dim")


class LiveTable:
    """What `watch` shows.

    Parameters
    ----------
    roster : what is known
    where : the broker's address
    problem : what is wrong with the connection, or None
    connected : whether there is a connection
    now : the time
    hint : what to say while no device has spoken
    """

    def __init__(
        self,
        roster: Roster,
        where: str,
        problem: str | None,
        *,
        connected: bool,
        now: datetime,
        hint: str,
    ) -> None:
        self._roster = roster
        self._where = where
        self._problem = problem
        self._connected = connected
        self._now = now
        self._hint = hint

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        devices = sorted(self._roster.devices.values(), key=lambda device: device.name)
        head = [self._draw_head(devices)]
        if self._problem is not None:
            head.append(Text(self._problem, style="bold red"))
        if not devices:
            yield Group(*head, Text(), Text(self._hint))
            return
        problems = [
            Text.assemble((device.name, "bold"), f"  {problem}", style="yellow")
            for device in devices
            for problem in device.problems
        ]
        foot = [*problems, *self._draw_notes(devices)]
        # What does not fit is counted: head, the table's two lines, one of them blank, and what is below.
        height = options.max_height if console.is_terminal else len(devices) + len(foot) + 99
        below = min(len(foot), max(3, height // 3))
        room = max(1, height - len(head) - 4 - below)
        shown = devices if len(devices) <= room else _choose(devices, room - 1)
        yield Group(*head, Text(), self._draw_table(shown, options.max_width >= WIDE))
        if len(shown) < len(devices):
            yield Text(f"and {len(devices) - len(shown)} more: --device NAME shows one alone", style="dim")
        if foot:
            yield Group(Text(), *foot[:below])

    def _draw_head(self, devices: list[Device]) -> Text:
        online = sum(device.online is True for device in devices)
        count = f"{len(devices)} device{'' if len(devices) == 1 else 's'}, {online} online"
        clock = f"{self._now.astimezone():%H:%M:%S}"
        return Text.assemble((self._where, "bold"), f"  {count}  {clock}  ", ("Ctrl-C ends", "dim"))

    def _draw_table(self, devices: list[Device], wide: bool) -> Table:
        table = Table(
            box=None,
            padding=(0, 2 if wide else 1, 0, 0),
            header_style="dim",
            # Where there is no connection, what was is not what is.
            style="" if self._connected else "dim",
        )
        table.add_column("device", overflow="fold", min_width=6)
        table.add_column("", no_wrap=True)
        table.add_column("now", no_wrap=True)
        table.add_column("last digits", no_wrap=True)
        for title in ("events", "frames", "each", "memory", "temp", "queued", "lost"):
            table.add_column(title, justify="right", no_wrap=True)
        for device in devices:
            table.add_row(*self._draw_device(device, wide))
        return table

    def _draw_device(self, device: Device, wide: bool) -> list[Text]:
        name = Text(device.name, style="bold yellow" if device.problems else "bold")
        digits = list(device.digits)[-(DIGITS_WIDE if wide else DIGITS) :]
        health = device.health
        figures = [UNKNOWN] * 6
        if health is not None:
            temperature = health.temperature_c
            figures = [
                Text(f"{show_figure(health.frames_per_s)}/s"),
                Text(f"{show_figure(health.frame_ms)}ms"),
                Text(f"{show_figure(health.memory_mb)}MB"),
                UNKNOWN if temperature is None else Text(f"{show_figure(temperature)}°C"),
                Text(show_figure(health.queued), style="yellow" if health.queued else ""),
                Text(show_figure(health.dropped), style="bold red" if health.dropped else ""),
            ]
        return [
            name,
            self._draw_state(device),
            _draw_digit(device),
            Text((" " if wide else "").join(map(str, digits))),
            Text(show_figure(device.events)),
            *figures,
        ]

    def _draw_state(self, device: Device) -> Text:
        if device.online is None or device.since is None:
            return UNKNOWN
        at_least = "" if device.since_then else ">"
        since = f" {at_least}{show_duration(self._now - device.since)}"
        return (
            Text(f"online{since}", style="green") if device.online else Text(f"offline{since}", style="red")
        )

    def _draw_notes(self, devices: list[Device]) -> list[Text]:
        notes = []
        if any(device.online and device.health is None for device in devices):
            notes.append(Text("figures come with a device's next health message, once a minute", style="dim"))
        if self._roster.nonsense:
            count = self._roster.nonsense
            notes.append(
                Text(
                    f"{count:,} message{'' if count == 1 else 's'} made no sense, the last on "
                    f"{self._roster.last_nonsense}",
                    style="dim",
                )
            )
        return notes


def _choose(devices: list[Device], count: int) -> list[Device]:
    """Choose the devices that are most worth a look: with problems, then online, then offline."""
    chosen = sorted(devices, key=lambda device: (not device.problems, device.online is not True))
    return sorted(chosen[: max(1, count)], key=lambda device: device.name)


def _draw_digit(device: Device) -> Text:
    if device.digit is None:
        return UNKNOWN
    sure = "" if device.confidence is None else f" {device.confidence:.0%}"
    return Text.assemble((str(device.digit), "bold cyan"), sure)


def show_figure(number: float) -> str:
    """Three digits or so, whatever the number is."""
    if 0 <= number < 10 and number != int(number):
        return f"{number:.1f}"
    return f"{number:.0f}" if 0 <= number < 100_000 else f"{number:.0e}"


def show_duration(duration: timedelta) -> str:
    """A duration to the unit that matters."""
    seconds = max(0, int(duration.total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
