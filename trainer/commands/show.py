"""`inkling-trainer show`: a weights file's model card."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from shared.weights import load_weights
from trainer.commands.options import Commands, add_weights
from trainer.reports import print_content


def add_parser(commands: Commands) -> None:
    """Add `show` to the command line."""
    parser = commands.add_parser(
        "show",
        help="show a weights file's model card",
        description="Show what a weights file says of itself: its layers, how it was trained, on which data, "
        "what was measured, and its hash.",
    )
    add_weights(parser)
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer show`."""
    trained = load_weights(options.weights)
    content = {"sha256": trained.sha256, "store": trained.precision, **asdict(trained.card)}
    if options.json:
        print(json.dumps(content))
        return 0
    print_content(content)
    return 0
