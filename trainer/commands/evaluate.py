"""`inkling-trainer evaluate`: how well a network reads."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from shared.weights import load_weights
from trainer.calibration import measure_reliability
from trainer.commands.options import Commands, add_data, add_weights, check_picture, load_data
from trainer.evaluation import evaluate
from trainer.reports import output, print_evaluation, tell_evaluation


def add_parser(commands: Commands) -> None:
    """Add `evaluate` to the command line."""
    parser = commands.add_parser("evaluate", help="see how well a network reads")
    add_weights(parser)
    add_data(parser, "read it rather than MNIST's test images")
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="draw the confusion matrix (.png, .svg or .pdf)"
    )
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="draw the reliability diagram: how often readings are right, by their confidence",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer evaluate`."""
    for option, picture in (("--picture", options.picture), ("--calibration", options.calibration)):
        if picture is not None:
            check_picture(option, picture)
    trained = load_weights(options.weights)
    dataset = load_data(options.data, options, test=True)
    evaluation = evaluate(trained.network, dataset)
    reliability = measure_reliability(trained.network, dataset)
    if options.calibration is not None:
        from trainer.plots import draw_reliability

        draw_reliability(reliability, f"{trained.name} on {dataset.name}", options.calibration)
    if options.picture is not None:
        from trainer.plots import draw_confusion  # matplotlib takes a while to import

        title = f"{trained.name} on {dataset.name}: {evaluation.accuracy:.2%}"
        draw_confusion(evaluation, title, options.picture)
    if options.json:
        print(json.dumps(tell_evaluation(evaluation, reliability, trained, dataset)))
    else:
        print_evaluation(evaluation, reliability, trained, dataset)
        if options.calibration is not None:
            output.print(f"reliability diagram drawn to {options.calibration}")
        if options.picture is not None:
            output.print(f"confusion matrix drawn to {options.picture}")
    return 0
