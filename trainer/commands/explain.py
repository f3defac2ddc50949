"""`inkling-trainer explain`: every step from a photograph to its answer."""

from __future__ import annotations

import argparse
from pathlib import Path

from shared.weights import load_weights
from trainer.commands.options import Commands, check_kept_apart, check_picture, name_weights
from trainer.reports import output


def add_parser(commands: Commands) -> None:
    """Add `explain` to the command line."""
    parser = commands.add_parser(
        "explain",
        help="draw every step from a photograph to its answer",
        description="Draw how a photograph is read: its ink, the candidates and their scores, what is "
        "around the chosen one, what the network sees and what it says. For when a digit is misread.",
    )
    parser.add_argument("image", type=Path, help="the photograph")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("explanation.png"),
        metavar="FILE",
        help="the picture, .png, .svg or .pdf (default: %(default)s)",
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="default: the weights that ship with Inkling"
    )
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer explain`."""
    from PIL import Image

    from shared.photograph import read_photograph
    from trainer.explanation import explain  # matplotlib takes a while to import

    check_picture("--output", options.output)
    check_kept_apart(
        [("--output", options.output)], [("the photograph", options.image), ("--weights", options.weights)]
    )
    trained = load_weights(options.weights)
    frame = read_photograph(options.image, Image.open)
    explain(
        frame,
        trained.network,
        f"{options.image.name}, read with {name_weights(options.weights, trained)}",
        options.output,
    )
    output.print(f"explanation drawn to {options.output}")
    return 0
