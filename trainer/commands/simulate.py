"""`inkling-trainer simulate`: a data set of simulated paper."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.options import Commands, add_data_directory, check_output, load_data
from trainer.commands.progress import show_share
from trainer.datasets import save_dataset
from trainer.errors import BadSettingError
from trainer.fonts import TESTING_FONTS, TRAINING_FONTS, list_fonts
from trainer.reports import output

# More pictures than this are more than a laptop's memory holds while it learns from them.
MOST_SIMULATED = 1_000_000

# Of what is simulated, the share that is no digit.
NEGATIVES = 0.5

# Of what is simulated to learn from, the share that no camera looks at: quicker, and sharper.
STRAIGHT = 0.4


def add_parser(commands: Commands) -> None:
    """Add `simulate` to the command line."""
    parser = commands.add_parser(
        "simulate",
        help="make a data set of simulated paper",
        description="Hold up MNIST's digits, digits in other forms, and what is no digit before a simulated "
        "camera, and keep what the finder makes of them, for 'train --also' and 'evaluate --data'.",
    )
    parser.add_argument("output", type=Path, metavar="FILE", help="the data set, .npz")
    parser.add_argument(
        "--count", type=int, default=40000, metavar="N", help="pictures (default: %(default)s)"
    )
    parser.add_argument(
        "--negatives",
        type=float,
        default=NEGATIVES,
        metavar="SHARE",
        help="share of them that is no digit: letters, signs, doodles ... (default: %(default)s)",
    )
    parser.add_argument(
        "--test",
        action="store_true",
        help="of MNIST's test images and of other fonts, all before the camera: not to learn from",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the same seed gives the same pictures"
    )
    add_data_directory(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer simulate`."""
    from trainer.sightings import simulate  # scenes take a while to import

    if not 0 <= options.negatives <= 1:
        raise BadSettingError(f"--negatives must be 0 to 1, not {options.negatives:g}")
    if not 1 <= options.count <= MOST_SIMULATED or options.seed < 0:
        raise BadSettingError(f"--count must be 1 to {MOST_SIMULATED:,}, and --seed not below 0")
    if options.output.suffix != ".npz":
        raise BadSettingError(f"{options.output} must end in .npz")
    check_output(options.output)
    fonts = list_fonts(TESTING_FONTS if options.test else TRAINING_FONTS)
    digits = load_data(None, options, test=options.test)
    with show_share("simulating", keep=True) as progress:
        dataset = simulate(
            digits,
            fonts,
            options.count,
            negatives=options.negatives,
            straight=0.0 if options.test else STRAIGHT,
            seed=options.seed,
            progress=progress,
        )
    save_dataset(dataset, options.output)
    output.print(f"{len(dataset):,} pictures written to {options.output}")
    return 0
