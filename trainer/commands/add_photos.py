"""`inkling-trainer add-photos`: photographs as own digits."""

from __future__ import annotations

import argparse
from pathlib import Path

from shared.command_line import FAILED
from shared.printable import make_printable
from shared.weights import load_weights
from trainer.commands.library_options import add_library, open_library
from trainer.commands.options import Commands
from trainer.commands.progress import messages, show_share
from trainer.reports import output


def add_parser(commands: Commands) -> None:
    """Add `add-photos` to the command line."""
    parser = commands.add_parser(
        "add-photos",
        help="add photographs of digits, to learn from",
        description="Read photographs as the Pi would, and add their digits to the library, with labels from "
        "names like the book's (..._3.png) or from folders 0 to 9; others can be labelled with 'label'. Ends "
        "with status 1 if none could be read.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the photographs, also in folders of it")
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="who reads them, to tell which are doubtful (default: the weights that ship with Inkling)",
    )
    add_library(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer add-photos`."""
    from trainer.photographs import Unread, add_photographs

    trained = load_weights(options.weights)
    added = there = labelled = 0
    unread: list[Unread] = []
    with open_library(options) as library:
        with show_share("reading photographs") as progress:
            for outcome in add_photographs(library, options.folder, trained, progress):
                if isinstance(outcome, Unread):
                    unread.append(outcome)
                    continue
                is_new, label = outcome
                added, there = added + is_new, there + (not is_new)
                labelled += is_new and label is not None
        for one in unread:
            messages.print(f"not read: {make_printable(one.why, 400)}", soft_wrap=True)
        output.print(
            f"{added} added to {library.path}, {labelled} of them with a label; {there} were there already, "
            f"{len(unread)} could not be read",
            soft_wrap=True,
        )
        if added > labelled:
            output.print("'inkling-trainer label' asks what the others are")
    return 0 if added or there else FAILED
