"""`inkling-trainer train`: a network that learns, and its weights."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

from shared.command_line import INTERRUPTED
from shared.weights import ModelCard, export_weights
from trainer.augmentation import Deformations, Rotations
from trainer.calibration import find_temperature, temper
from trainer.commands.options import Commands, add_data, check_output, load_data
from trainer.commands.progress import show_training
from trainer.datasets import NO_DIGIT, Dataset
from trainer.errors import BadSettingError
from trainer.evaluation import evaluate
from trainer.interruption import ask_before_stopping
from trainer.reports import print_outcome
from trainer.training import Augmentation, Outcome, Settings, train

# The talk's angle.
TALK_DEGREES = 10.0

# One picture in twelve is held out: 5,000 of MNIST's 60,000.
HELD_OUT_SHARE = 12


def add_parser(commands: Commands) -> None:
    """Add `train` to the command line."""
    parser = commands.add_parser(
        "train",
        help="train a network and export its weights",
        description="Train the talk's network (784 inputs, 200 hidden nodes, 10 outputs) and export its "
        "weights. The defaults take a few seconds and reach about 97.8 % on MNIST's test images; "
        "'--rotate --epochs 30' takes twenty seconds and reaches about 98.4 %.",
    )
    defaults = Settings()
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("weights.npz"),
        metavar="FILE",
        help="the weights file (default: %(default)s)",
    )
    add_data(parser, "learn from it rather than from MNIST's training images")
    parser.add_argument(
        "--also",
        type=Path,
        metavar="PATH",
        help="learn from it, too; what 'simulate' makes teaches what is no digit",
    )
    parser.add_argument(
        "--test-data", type=Path, metavar="PATH", help="evaluate on it rather than on MNIST's test images"
    )
    parser.add_argument(
        "--hidden",
        type=int,
        nargs="+",
        default=list(defaults.hidden),
        metavar="NODES",
        help=f"nodes in the hidden layer, or in each of several (default: {defaults.hidden[0]})",
    )
    for option, metavar, meaning in (
        ("--learning-rate", "RATE", "first step's length"),
        ("--epochs", "N", "times every picture is seen"),
        ("--batch-size", "N", "pictures a step"),
        ("--seed", "N", "the same seed gives the same weights"),
    ):
        default = getattr(defaults, option.strip("-").replace("-", "_"))
        parser.add_argument(
            option,
            type=type(default),
            default=default,
            metavar=metavar,
            help=f"{meaning} (default: %(default)s)",
        )
    parser.add_argument(
        "--rotate",
        type=float,
        nargs="?",
        const=TALK_DEGREES,
        default=0.0,
        metavar="DEGREES",
        help=f"turn pictures left and right as the talk does, by {TALK_DEGREES:g} if not told",
    )
    parser.add_argument(
        "--deform",
        type=float,
        nargs="?",
        const=1.0,
        default=0.0,
        metavar="STRENGTH",
        help="turn, stretch, shift and bend pictures, each time in another way; 1 if not told how much",
    )
    parser.add_argument(
        "--calibrate",
        action="store_true",
        help="scale the last weights until the outputs for the held-out pictures mean what they say",
    )
    parser.add_argument("--biases", action="store_true", help="give each node a bias; the talk's have none")
    parser.add_argument(
        "--hold-out",
        type=int,
        metavar="N",
        help="pictures kept apart, to choose the best epoch; 0 learns from all (default: one in "
        f"{HELD_OUT_SHARE})",
    )
    parser.add_argument("--json", action="store_true", help="print the model card as JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer train`."""
    settings = Settings(
        hidden=tuple(options.hidden),
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        batch_size=options.batch_size,
        seed=options.seed,
        biases=options.biases,
    )
    if not 0 <= options.rotate <= 45:
        raise BadSettingError(f"--rotate must be 0 to 45 degrees, not {options.rotate:g}")
    if not 0 <= options.deform <= 3:
        raise BadSettingError(f"--deform must be 0 to 3, not {options.deform:g}")
    if options.rotate and options.deform:
        raise BadSettingError("--deform turns pictures, too: leave out --rotate")
    check_output(options.output)
    dataset = load_data(options.data, options, test=False)
    if options.also is not None:
        dataset = dataset.join(load_data(options.also, options, test=False))
    tests = None
    if options.test_data is not None or options.data is None:
        tests = load_data(options.test_data, options, test=True)
    held_out_count = len(dataset) // HELD_OUT_SHARE if options.hold_out is None else options.hold_out
    if not 0 <= held_out_count < len(dataset):
        raise BadSettingError(f"--hold-out must be 0 to {len(dataset) - 1}, not {held_out_count}")
    if options.calibrate and not held_out_count:
        raise BadSettingError("--calibrate needs held-out pictures: give --hold-out more than 0")
    learnt, held_out = dataset.split(held_out_count, settings.seed)
    for part in (learnt, held_out, tests):
        if part is not None and len(part) and (part.labels == NO_DIGIT).all():
            raise BadSettingError(f"{part.name}: no digits in it, only pictures of what is no digit")
    with ask_before_stopping() as stop:
        with show_training() as report:
            outcome = train(
                learnt,
                settings,
                held_out=held_out if held_out_count else None,
                augmentation=_choose_augmentation(options),
                report=report,
                stop=stop,
            )
        temperature = find_temperature(outcome.network, held_out) if options.calibrate else 1.0
        outcome = replace(outcome, network=temper(outcome.network, temperature))
        changes = {
            "rotate_degrees": options.rotate,
            "deform_strength": options.deform,
            "temperature": round(temperature, 4),
        }
        card = _describe(outcome, settings, changes, learnt, held_out, tests)
        sha256 = export_weights(options.output, outcome.network, card)
    if options.json:
        print(json.dumps({"sha256": sha256, **asdict(card)}))
    else:
        print_outcome(card, outcome, options.output)
    return INTERRUPTED if outcome.stopped else 0


def _choose_augmentation(options: argparse.Namespace) -> Augmentation | None:
    if options.deform:
        return Deformations(options.deform)
    return Rotations(options.rotate) if options.rotate else None


def _describe(
    outcome: Outcome,
    settings: Settings,
    changes: dict[str, float],
    learnt: Dataset,
    held_out: Dataset,
    tests: Dataset | None,
) -> ModelCard:
    metrics: dict[str, object] = {}
    data = [{"use": "learnt from", **learnt.describe()}]
    if outcome.accuracy is not None:
        data.append({"use": "held out to choose the epoch", **held_out.describe()})
        metrics["held_out"] = {"images": len(held_out), "accuracy": round(outcome.accuracy, 6)}
    if tests is not None:
        data.append({"use": "tested on", **tests.describe()})
        evaluation = evaluate(outcome.network, tests)
        metrics["test"] = {"images": len(tests), "accuracy": round(evaluation.accuracy, 6)}
    training = {
        **asdict(settings),
        "loss": "cross-entropy",
        **changes,
        "epochs_done": round(outcome.epochs, 2),
        "cpu_seconds": round(outcome.cpu_seconds, 2),
    }
    return ModelCard.describe(outcome.network, training, data, metrics)
