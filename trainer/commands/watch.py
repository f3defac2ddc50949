"""`inkling-trainer watch`: what every device on a broker says, live."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trainer.commands.broker_options import add_broker, read_broker
from trainer.commands.options import Commands
from trainer.commands.progress import messages
from trainer.reports import output

if TYPE_CHECKING:
    from trainer.broker import Broker
    from trainer.words import Nonsense, Word

# How often the table is drawn.
REFRESH_S = 0.25


def add_parser(commands: Commands) -> None:
    """Add `watch` to the command line."""
    parser = commands.add_parser(
        "watch",
        help="watch what devices read, and how they are",
        description="Show every device on a broker: what is held up to it, how it is, and what is wrong. "
        "Ctrl-C ends it. Where the output is no terminal, a line is printed for all that changes.",
    )
    parser.add_argument("--device", metavar="NAME", help="only this one")
    parser.add_argument("--json", action="store_true", help="print each message as JSON, one object a line")
    add_broker(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer watch`."""
    from trainer.broker import Broker
    from trainer.words import list_topics

    topics = list_topics(options.device or "+")
    try:
        with Broker(read_broker(options)) as broker:
            broker.subscribe(*topics)
            if options.json:
                _print_json(broker)
            elif output.is_terminal and not output.is_dumb_terminal:
                _show_table(broker, options.device)
            else:
                _print_lines(broker)
    except KeyboardInterrupt:  # the way to end it
        return 0
    return 0


def _listen(broker: Broker) -> Iterator[list[Word | Nonsense]]:
    """Hear what is said, for ever; the connection's problems go to standard error as they come and go."""
    problem: str | None = None
    while True:
        words = broker.hear(REFRESH_S)
        if broker.problem != problem:
            problem = broker.problem
            messages.print(problem or f"connected to {broker.where} again", soft_wrap=True)
        yield words


def _print_json(broker: Broker) -> None:
    from trainer.roster import describe_nonsense
    from trainer.words import Word

    for words in _listen(broker):
        for word in words:
            if isinstance(word, Word):
                said = {"device": word.device, "kind": word.kind, "time": _tell_time(word.time)}
                print(json.dumps(said | {key: word.content[key] for key in word.content if key not in said}))
            else:
                messages.print(f"no sense: {describe_nonsense(word)}", soft_wrap=True)
        sys.stdout.flush()


def _print_lines(broker: Broker) -> None:
    from trainer.roster import Roster

    roster = Roster()
    for words in _listen(broker):
        if not broker.connected:
            roster.forget_states()
        for word in words:
            for change in roster.note(word):
                print(f"{datetime.now():%H:%M:%S} {change}")
        sys.stdout.flush()


def _show_table(broker: Broker, device: str | None) -> None:
    from rich.live import Live

    from trainer.live_table import LiveTable
    from trainer.roster import Roster

    roster, next_time = Roster(), 0.0
    who = "no device" if device is None else f"no device called {device}"
    hint = (
        f"{who} has spoken yet. Does inkling-edge run, and is {broker.where} the broker in its "
        "configuration? 'inkling-edge check' tells. And where a broker has access control, it must let us "
        "hear inkling/#."
    )
    with Live(console=output, auto_refresh=False, screen=True) as live:
        while True:
            if not broker.connected:
                roster.forget_states()
            if time.monotonic() >= next_time:
                table = LiveTable(
                    roster,
                    broker.where,
                    broker.problem,
                    connected=broker.connected,
                    now=datetime.now(UTC),
                    hint=hint,
                )
                live.update(table, refresh=True)
                next_time = time.monotonic() + REFRESH_S
            for word in broker.hear(max(0.0, next_time - time.monotonic())):
                roster.note(word)


def _tell_time(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds")
