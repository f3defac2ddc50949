"""`inkling-trainer fetch`: MNIST, as files."""

from __future__ import annotations

import argparse

from trainer.commands.options import Commands, add_data_directory
from trainer.commands.progress import messages
from trainer.mnist import fetch_mnist, find_data_directory


def add_parser(commands: Commands) -> None:
    """Add `fetch` to the command line."""
    parser = commands.add_parser(
        "fetch",
        help="fetch MNIST, 70,000 handwritten digits",
        description="Fetch MNIST: 60,000 handwritten digits to learn from and 10,000 to test on. What "
        "is there already and whole is not fetched again.",
    )
    add_data_directory(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer fetch`."""
    with messages.status("fetching MNIST") as status:
        fetch_mnist(
            find_data_directory(options.data_dir),
            messages.print,
            lambda name, share: status.update(f"{name} {share:.0%}"),
        )
    return 0
