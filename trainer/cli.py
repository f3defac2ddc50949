"""The command `inkling-trainer`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from shared import __version__
from trainer.commands import (
    add_photos,
    backquery,
    collect,
    compare,
    configure,
    convert,
    dashboard,
    deliver,
    evaluate,
    experiment,
    explain,
    fetch,
    keygen,
    label,
    report,
    restart,
    retrain,
    show,
    show_augmentation,
    simulate,
    train,
    view,
    watch,
)

NAME = "inkling-trainer"

# In the order in which the help names them.
COMMANDS = (
    fetch,
    simulate,
    show_augmentation,
    train,
    evaluate,
    compare,
    report,
    backquery,
    experiment,
    explain,
    convert,
    show,
    dashboard,
    watch,
    view,
    configure,
    restart,
    collect,
    label,
    add_photos,
    retrain,
    keygen,
    deliver,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `inkling-trainer`; returns its exit status, or raises what went wrong."""
    options = build_parser().parse_args(arguments)
    return int(options.command(options))


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog=NAME,
        description="Train the network that reads handwritten digits, see how well it reads, and watch the "
        "devices that read with it.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser
