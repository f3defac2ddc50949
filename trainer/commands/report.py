"""`inkling-trainer report`: all there is to say of a network, on one page."""

from __future__ import annotations

import argparse
from pathlib import Path

from shared.atomic_file import write_atomically
from shared.weights import load_weights
from trainer.commands.options import (
    Commands,
    add_data,
    add_weights,
    check_kept_apart,
    check_output,
    load_data,
)
from trainer.commands.progress import messages
from trainer.datasets import Dataset
from trainer.reports import output


def add_parser(commands: Commands) -> None:
    """Add `report` to the command line."""
    parser = commands.add_parser(
        "report",
        help="write all there is to say of a network to a page",
        description="Write one HTML page, with all pictures in it, that opens without internet: accuracy "
        "and its interval, digit by digit, the confusion matrix, the worst mistakes, the reliability "
        "diagram, what the network has in mind, and its model card.",
    )
    add_weights(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("report.html"),
        metavar="FILE",
        help="the page (default: %(default)s)",
    )
    add_data(parser, "read it rather than MNIST's test images")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer report`."""
    check_output(options.output)
    check_kept_apart([("--output", options.output)], [("--data", options.data), ("WEIGHTS", options.weights)])
    trained = load_weights(options.weights)
    tests = load_data(options.data, options, test=True)
    # Averages of what it learnt from are only at hand where that was MNIST.
    learnt: Dataset | None = tests
    if options.data is None:
        learnt = load_data(None, options, test=False)
    elif not set(range(10)) <= set(tests.labels.tolist()):
        learnt = None
    with messages.status("evaluating"):
        from trainer.page import write_page  # matplotlib takes a while to import

        page = write_page(trained, tests, learnt)
    # A data set's name may hold bytes that are no text.
    write_atomically(options.output, page.encode(errors="backslashreplace"))
    output.print(f"report written to {options.output}")
    return 0
