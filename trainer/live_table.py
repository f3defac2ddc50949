"""The live table: every device on a broker at a glance, in a terminal's width and height."""

from __future__ import annotations

from datetime import datetime, timedelta

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from shared.reading import show_confidence
from trainer.roster import Device, Roster

# Below this width some figures are left out; from the others on there is room between columns, and for more
# digits.
NARROW, WIDE, VERY_WIDE = 80, 100, 120
DIGITS, DIGITS_WIDE = 8, 12

# What is worth a column in any terminal, and what only where there is room; with a share for what is wrong.
FIGURES = ("events", "frames", "each", "mem", "temp", "wait", "lost")
FIGURES_NARROW = ("events", "frames", "wait", "lost")

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
        width, height = options.max_width, options.max_height
        lines = [line for text in foot for line in text.wrap(console, width)]
        # What is wrong gets a third of the height, or what the devices leave.
        head_height = 2 + sum(len(text.wrap(console, width)) for text in head)
        below = min(len(lines), max(height // 3, height - head_height - len(devices) - 2))
        room = max(1, height - head_height - below - 2)
        shown = devices if len(devices) <= room else _choose(devices, room - 1)
        yield Group(*head, Text(), self._draw_table(shown, width))
        if len(shown) < len(devices):
            yield Text(f"and {len(devices) - len(shown)} more: --device NAME shows one alone", style="dim")
        if lines:
            yield Group(Text(), *lines[:below])

    def _draw_head(self, devices: list[Device]) -> Text:
        online = sum(device.online is True for device in devices)
        count = f"{len(devices)} device{'' if len(devices) == 1 else 's'}, {online} online"
        clock = f"{self._now.astimezone():%H:%M:%S}"
        return Text.assemble((self._where, "bold"), f"  {count}  {clock}  ", ("Ctrl-C ends", "dim"))

    def _draw_table(self, devices: list[Device], width: int) -> Table:
        titles = FIGURES if width >= NARROW else FIGURES_NARROW
        table = Table(
            box=None,
            padding=(0, 2 if width >= WIDE else 1, 0, 0),
            header_style="dim",
            # Where there is no connection, what was is not what is.
            style="" if self._connected else "dim",
        )
        table.add_column("device", overflow="fold", min_width=6)
        table.add_column("state", no_wrap=True)
        # As wide as they can become, lest columns jump with each digit.
        table.add_column("now", no_wrap=True, min_width=6)
        table.add_column("last", no_wrap=True, min_width=DIGITS)
        for title in titles:
            table.add_column(title, justify="right", no_wrap=True)
        for device in devices:
            figures = _draw_figures(device)
            table.add_row(
                Text(device.name, style="bold yellow" if device.problems else "bold"),
                self._draw_state(device),
                _draw_digit(device),
                _draw_digits(device, spread=width >= VERY_WIDE),
                *(figures[title] for title in titles),
                # What was, when the device was last there.
                style="dim" if device.online is False else "",
            )
        return table

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
    sure = "" if device.confidence is None else f" {show_confidence(device.confidence)}"
    return Text.assemble((str(device.digit), "bold cyan"), sure)


def _draw_digits(device: Device, *, spread: bool) -> Text:
    digits = list(device.digits)[-(DIGITS_WIDE if spread else DIGITS) :]
    return Text((" " if spread else "").join(map(str, digits)), style="cyan")


def _draw_figures(device: Device) -> dict[str, Text]:
    """Figures by their column; those that health has not told are unknown."""
    figures = dict.fromkeys(FIGURES, UNKNOWN) | {"events": Text(show_figure(device.events))}
    health = device.health
    if health is None:
        return figures
    if health.temperature_c is not None:
        figures["temp"] = Text(f"{show_figure(health.temperature_c)}°C")
    return figures | {
        "frames": Text(f"{show_figure(health.frames_per_s)}/s"),
        "each": Text(f"{show_figure(health.frame_ms)}ms"),
        "mem": Text(f"{show_figure(health.memory_mb)}MB"),
        "wait": Text(show_figure(health.queued), style="yellow" if health.queued else ""),
        "lost": Text(show_figure(health.dropped), style="bold red" if health.dropped else ""),
    }


def show_figure(number: float) -> str:
    """Two or three digits if that is enough, few characters whatever the number is."""
    if 0 <= number < 9.95 and number != int(number):
        return f"{number:.1f}"
    return f"{number:.0f}" if 0 <= number < 100_000 else f"{number:.0e}"


def show_duration(duration: timedelta) -> str:
    """A duration to the unit that matters."""
    seconds = max(0, int(duration.total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
