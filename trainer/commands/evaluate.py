"""`inkling-trainer evaluate`: how well a network reads."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from shared.weights import load_weights
from trainer.calibration import measure_reliability
from trainer.commands.options import (
    Commands,
    add_data,
    add_weights,
    check_kept_apart,
    check_picture,
    load_data,
    name_weights,
)
from trainer.evaluation import evaluate
from trainer.mistakes import find_mistakes
from trainer.reports import output, print_evaluation, tell_evaluation

# On a sheet of the worst mistakes.
MOST_MISTAKES = 50


def add_parser(commands: Commands) -> None:
    """Add `evaluate` to the command line."""
    parser = commands.add_parser(
        "evaluate",
        help="see how well a network reads",
        description="Let a network read pictures that it did not learn from, and tell how many it reads "
        "right, with the 95 % interval of that, digit by digit; how often its confidence is right; and how "
        "much of what is no digit it takes for one.",
    )
    add_weights(parser)
    add_data(parser, "read it rather than MNIST's test images")
    for option, meaning in (
        ("--picture", "draw the confusion matrix (.png, .svg or .pdf)"),
        ("--calibration", "draw the reliability diagram: how often readings are right, by their confidence"),
        ("--mistakes", f"draw the {MOST_MISTAKES} worst mistakes: read wrong with most confidence"),
    ):
        parser.add_argument(option, type=Path, metavar="FILE", help=meaning)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer evaluate`."""
    asked = {name: getattr(options, name) for name in ("picture", "calibration", "mistakes")}
    pictures: dict[str, Path] = {name: path for name, path in asked.items() if path is not None}
    for picture, path in pictures.items():
        check_picture(f"--{picture}", path)
    check_kept_apart(
        [(f"--{picture}", path) for picture, path in pictures.items()],
        [("--data", options.data), ("WEIGHTS", options.weights)],
    )
    trained = load_weights(options.weights)
    dataset = load_data(options.data, options, test=True)
    evaluation = evaluate(trained.network, dataset)
    reliability = measure_reliability(trained.network, dataset)
    if pictures:
        from trainer import plots  # matplotlib takes a while to import

        name = name_weights(options.weights, trained)
        title = f"{dataset.name}, read by {name}"
        if "picture" in pictures:
            figure = plots.plot_confusion(evaluation, f"{title}\n{evaluation.accuracy:.2%} right")
            plots.save_figure(figure, pictures["picture"])
        if "calibration" in pictures:
            plots.save_figure(plots.plot_reliability(reliability, title), pictures["calibration"])
        if "mistakes" in pictures:
            worst = find_mistakes(trained.network, dataset, MOST_MISTAKES)
            figure = plots.plot_mistakes(worst, f"The worst mistakes of {name}, {dataset.name}")
            plots.save_figure(figure, pictures["mistakes"])
    if options.json:
        print(json.dumps(tell_evaluation(evaluation, reliability, trained, dataset)))
    else:
        print_evaluation(evaluation, reliability, trained, dataset)
        for picture, drawn in (
            ("calibration", "reliability diagram"),
            ("picture", "confusion matrix"),
            ("mistakes", "worst mistakes"),
        ):
            if picture in pictures:
                output.print(f"{drawn} drawn to {pictures[picture]}")
    return 0
