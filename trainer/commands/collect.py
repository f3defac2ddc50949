"""`inkling-trainer collect`: keeps every digit that devices read, and what it truly is, if they are told."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from trainer.commands.broker_options import add_broker, read_broker
from trainer.commands.library_options import add_library, open_library
from trainer.commands.options import Commands
from trainer.commands.progress import messages
from trainer.errors import BadSettingError
from trainer.own_digits import NOTHING
from trainer.reports import output

if TYPE_CHECKING:
    from trainer.broker import Broker
    from trainer.collector import Collector, Kept

DAY_S = 86400
MOST_DAYS = 365

DESCRIPTION = """\
Keep the 28x28 picture of every digit that any device reads, with what the network said of it, in a library on
this machine. Nothing is stored on the devices. A device that is told what a digit truly is
(inkling/<device>/request/correct, {"id": ..., "label": 7}) says so, and that is kept, too.

While this does not run, as while the laptop sleeps, the broker keeps what is said, for --days; but no more
messages than its own limit (Mosquitto's max_queued_messages, 1,000 if not configured otherwise), and over a
restart of the broker only if it has persistence. Ctrl-C ends it."""


def add_parser(commands: Commands) -> None:
    """Add `collect` to the command line."""
    parser = commands.add_parser(
        "collect",
        help="keep every digit that devices read, to learn from",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--days",
        type=float,
        default=14.0,
        metavar="N",
        help="how long the broker shall keep what is said while this does not run (default: %(default)g)",
    )
    parser.add_argument(
        "--forget", action="store_true", help="let the broker keep nothing any more, and end at once"
    )
    parser.add_argument("--json", action="store_true", help="print what is kept as JSON, one object a line")
    add_library(parser)
    add_broker(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer collect`."""
    from trainer.broker import Broker
    from trainer.broker_settings import Session
    from trainer.collector import TOPICS, Collector, collect_alone, name_session

    if not 0 < options.days <= MOST_DAYS:
        raise BadSettingError(f"--days must be more than 0 and at most {MOST_DAYS}, not {options.days:g}")
    with open_library(options) as library, collect_alone(library.path):
        session = Session(name_session(library), 0 if options.forget else max(1, round(options.days * DAY_S)))
        try:
            with Broker(read_broker(options), session) as broker:
                if options.forget:
                    output.print(f"{broker.where} keeps nothing for {library.path} any more")
                    return 0
                broker.subscribe(*TOPICS)
                collector = Collector(library)
                if not options.json:
                    output.print(_tell_beginning(broker, library.count()[0], str(library.path)))
                _collect(broker, collector, as_json=options.json)
        except KeyboardInterrupt:  # the way to end it
            return 0
    return 0


def _tell_beginning(broker: Broker, digits: int, where: str) -> str:
    return (
        f"collecting from {broker.where} into {where}, which holds {digits:,} digits; what is said while "
        f"this does not run the broker keeps for {broker.kept_s / DAY_S:.3g} days"
    )


def _collect(broker: Broker, collector: Collector, *, as_json: bool) -> None:
    from rich.status import Status

    from trainer.roster import describe_nonsense

    if output.is_terminal and not as_json:
        with Status("listening; Ctrl-C ends", console=output) as status:
            last = ""

            def show(kept: Kept) -> None:
                nonlocal last
                last = _describe(kept)

            def refresh() -> None:
                total = f"{collector.added:,} new, {collector.corrected:,} corrected"
                status.update(f"{broker.problem or last or 'listening'}  ({total}; Ctrl-C ends)")

            _listen(broker, collector, show, refresh, describe_nonsense)
    else:
        _listen(
            broker,
            collector,
            lambda kept: print(json.dumps(asdict(kept)) if as_json else _describe(kept)),
            sys.stdout.flush,
            describe_nonsense,
        )


def _listen(
    broker: Broker,
    collector: Collector,
    show: Callable[[Kept], None],
    refresh: Callable[[], object],
    describe_nonsense: Callable[..., str],
) -> None:
    """Keep what is said, for ever; what is wrong goes to standard error."""
    from trainer.words import Nonsense

    problem: str | None = None
    while True:
        words = broker.hear(0.25)
        if broker.problem != problem:
            problem = broker.problem
            messages.print(problem or f"connected to {broker.where} again", soft_wrap=True)
        for kept in collector.keep(words):
            if isinstance(kept, Nonsense):
                messages.print(f"not kept: {describe_nonsense(kept)}", soft_wrap=True)
            else:
                show(kept)
        refresh()


def _describe(kept: Kept) -> str:
    from shared.reading import show_confidence

    if kept.is_correction:
        truth = "no digit" if kept.label == NOTHING else str(kept.label)
        return f"{kept.device}: {kept.number} is {truth}; it was read as {kept.digit}"
    return f"{kept.device}: {kept.number} is read as {kept.digit} ({show_confidence(kept.confidence)})"
