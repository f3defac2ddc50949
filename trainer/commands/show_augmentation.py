"""`inkling-trainer show-augmentation`: what augmentation does to pictures, as a picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.options import Commands, add_data, check_kept_apart, check_picture, load_data
from trainer.commands.recipe import add_amounts, add_preset, read_recipe
from trainer.presets import TALK_DEGREES
from trainer.reports import output


def add_parser(commands: Commands) -> None:
    """Add `show-augmentation` to the command line."""
    parser = commands.add_parser(
        "show-augmentation",
        help="draw what 'train --rotate' and 'train --deform' make of pictures",
        description="Draw what the talk's rotations, and each kind of deformation that 'train --deform' "
        "knows, make of a digit. The amounts are standard deviations: a third of all pictures is deformed "
        "further.",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("augmentation.png"),
        metavar="FILE",
        help="the picture, .png, .svg or .pdf (default: %(default)s)",
    )
    add_data(parser, "show its pictures rather than MNIST's training images")
    add_preset(parser, "show what this recipe of 'train' does to pictures")
    add_amounts(parser)
    parser.add_argument("--seed", type=int, default=argparse.SUPPRESS, metavar="N", help="which digits")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer show-augmentation`."""
    from trainer.augmentation_sheet import draw_augmentation

    check_picture("--output", options.output)
    check_kept_apart([("--output", options.output)], [("--data", options.data)])
    recipe = read_recipe(options)
    draw_augmentation(
        load_data(options.data, options, test=False),
        recipe.amounts,
        recipe.deform_strength or 1.0,
        recipe.rotate_degrees or TALK_DEGREES,
        recipe.seed,
        options.output,
    )
    output.print(f"augmentation drawn to {options.output}")
    return 0
