"""`inkling-trainer compare`: which of two networks reads better, and whether chance alone may do it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from shared.weights import load_weights
from trainer.commands.options import Commands, add_data, load_data
from trainer.reports import output, print_comparison, tell_comparison
from trainer.significance import compare_networks


def add_parser(commands: Commands) -> None:
    """Add `compare` to the command line."""
    parser = commands.add_parser(
        "compare",
        help="see which of two networks reads better",
        description="Let two networks read the same pictures, and tell how often chance alone would make "
        "two equally good ones differ so much (McNemar's test).",
    )
    parser.add_argument("first", type=Path, metavar="A", help="a weights file")
    parser.add_argument("second", type=Path, metavar="B", help="another one")
    add_data(parser, "read it rather than MNIST's test images")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer compare`."""
    first, second = load_weights(options.first), load_weights(options.second)
    dataset = load_data(options.data, options, test=True)
    comparison = compare_networks(first.network, second.network, dataset)
    if options.json:
        print(json.dumps(tell_comparison(comparison, first, second, dataset)))
        return 0
    if first.sha256 == second.sha256:
        output.print("both files hold the same weights")
    print_comparison(comparison, (str(options.first), str(options.second)), dataset)
    return 0
