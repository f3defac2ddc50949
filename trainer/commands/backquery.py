"""`inkling-trainer backquery`: what a network has in mind when it thinks of a digit."""

from __future__ import annotations

import argparse
from pathlib import Path

from shared.weights import load_weights
from trainer.backquery import make_minds
from trainer.commands.options import (
    Commands,
    add_data,
    add_weights,
    check_kept_apart,
    check_picture,
    load_data,
    name_weights,
)
from trainer.reports import output


def add_parser(commands: Commands) -> None:
    """Add `backquery` to the command line."""
    parser = commands.add_parser(
        "backquery",
        help="draw what a network has in mind when it thinks of a digit",
        description="Draw three pictures of each digit: the average of all that are learnt from; the talk's "
        "backquery, an answer sent backwards through the links; and the picture that excites the digit's "
        "output node most, found by gradient ascent from grey. Below each is what the network reads in it: "
        "often it does not see in a backquery what it was asked for, and it is surest of what looks like "
        "noise to people.",
    )
    add_weights(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("mind.png"),
        metavar="FILE",
        help="the picture, .png, .svg or .pdf (default: %(default)s)",
    )
    add_data(parser, "take the average of it rather than of MNIST's training images")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer backquery`."""
    check_picture("--output", options.output)
    check_kept_apart([("--output", options.output)], [("--data", options.data), ("WEIGHTS", options.weights)])
    trained = load_weights(options.weights)
    minds = make_minds(trained.network, load_data(options.data, options, test=False))
    from trainer.plots import plot_minds, save_figure  # matplotlib takes a while to import

    layers = " - ".join(map(str, trained.card.layers))
    save_figure(
        plot_minds(minds, trained.network, f"The mind of {name_weights(options.weights, trained)}, {layers}"),
        options.output,
    )
    output.print(f"three pictures of each digit drawn to {options.output}")
    return 0
