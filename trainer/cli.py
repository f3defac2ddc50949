"""The command `inkling-trainer`."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from shared import __version__
from shared.command_line import INTERRUPTED
from shared.weights import ModelCard, export_weights, load_weights
from trainer.augmentation import Deformations, Rotations
from trainer.calibration import find_temperature, measure_reliability, temper
from trainer.datasets import NO_DIGIT, Dataset, load_dataset, load_mnist, save_dataset
from trainer.datasets import Progress as ReportShare
from trainer.errors import BadSettingError
from trainer.evaluation import evaluate
from trainer.fonts import TESTING_FONTS, TRAINING_FONTS, list_fonts
from trainer.interruption import ask_before_stopping
from trainer.mnist import fetch_mnist, find_data_directory
from trainer.reports import output, print_content, print_evaluation, print_outcome, tell_evaluation
from trainer.training import Augmentation, Moment, Outcome, Settings, train

NAME = "inkling-trainer"

# The talk's angle.
TALK_DEGREES = 10.0

# One picture in twelve is held out: 5,000 of MNIST's 60,000.
HELD_OUT_SHARE = 12

# More pictures than this are more than a laptop's memory holds while it learns from them.
MOST_SIMULATED = 1_000_000

# Of what is simulated, the share that is no digit.
NEGATIVES = 0.5

# Of what is simulated to learn from, the share that no camera looks at: quicker, and sharper.
STRAIGHT = 0.4

PICTURE_FORMATS = (".png", ".svg", ".pdf")

messages = Console(stderr=True, highlight=False, markup=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `inkling-trainer`; returns its exit status, or raises what went wrong."""
    options = build_parser().parse_args(arguments)
    return int(options.command(options))


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog=NAME, description="Train the network that reads handwritten digits, and see how well it reads."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    fetch = commands.add_parser("fetch", help="fetch MNIST, 70,000 handwritten digits")
    _add_data_directory(fetch)
    fetch.set_defaults(command=run_fetch)

    simulate_parser = commands.add_parser(
        "simulate",
        help="make a data set of simulated paper",
        description="Hold up MNIST's digits, digits in other forms, and what is no digit before a simulated "
        "camera, and keep what the finder makes of them, for 'train --also' and 'evaluate --data'.",
    )
    simulate_parser.add_argument("output", type=Path, metavar="FILE", help="the data set, .npz")
    simulate_parser.add_argument(
        "--count", type=int, default=40000, metavar="N", help="pictures (default: %(default)s)"
    )
    simulate_parser.add_argument(
        "--negatives",
        type=float,
        default=NEGATIVES,
        metavar="SHARE",
        help="share of them that is no digit: letters, signs, doodles ... (default: %(default)s)",
    )
    simulate_parser.add_argument(
        "--test",
        action="store_true",
        help="of MNIST's test images and of other fonts, all before the camera: not to learn from",
    )
    simulate_parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the same seed gives the same pictures"
    )
    _add_data_directory(simulate_parser)
    simulate_parser.set_defaults(command=run_simulate)

    train_parser = commands.add_parser(
        "train",
        help="train a network and export its weights",
        description="Train the talk's network (784 inputs, 200 hidden nodes, 10 outputs) and export its "
        "weights. The defaults take a few seconds and reach about 97.8 % on MNIST's test images; "
        "'--rotate --epochs 30' takes twenty seconds and reaches about 98.4 %.",
    )
    defaults = Settings()
    train_parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("weights.npz"),
        metavar="FILE",
        help="the weights file (default: %(default)s)",
    )
    _add_data(train_parser, "learn from it rather than from MNIST's training images")
    train_parser.add_argument(
        "--also",
        type=Path,
        metavar="PATH",
        help="learn from it, too; what 'simulate' makes teaches what is no digit",
    )
    train_parser.add_argument(
        "--test-data", type=Path, metavar="PATH", help="evaluate on it rather than on MNIST's test images"
    )
    train_parser.add_argument(
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
        train_parser.add_argument(
            option,
            type=type(default),
            default=default,
            metavar=metavar,
            help=f"{meaning} (default: %(default)s)",
        )
    train_parser.add_argument(
        "--rotate",
        type=float,
        nargs="?",
        const=TALK_DEGREES,
        default=0.0,
        metavar="DEGREES",
        help=f"turn pictures left and right as the talk does, by {TALK_DEGREES:g} if not told",
    )
    train_parser.add_argument(
        "--deform",
        type=float,
        nargs="?",
        const=1.0,
        default=0.0,
        metavar="STRENGTH",
        help="turn, stretch, shift and bend pictures, each time in another way; 1 if not told how much",
    )
    train_parser.add_argument(
        "--calibrate",
        action="store_true",
        help="scale the last weights until the outputs for the held-out pictures mean what they say",
    )
    train_parser.add_argument(
        "--biases", action="store_true", help="give each node a bias; the talk's have none"
    )
    train_parser.add_argument(
        "--hold-out",
        type=int,
        metavar="N",
        help="pictures kept apart, to choose the best epoch; 0 learns from all (default: one in "
        f"{HELD_OUT_SHARE})",
    )
    train_parser.add_argument("--json", action="store_true", help="print the model card as JSON")
    train_parser.set_defaults(command=run_train)

    evaluate_parser = commands.add_parser("evaluate", help="see how well a network reads")
    _add_weights(evaluate_parser)
    _add_data(evaluate_parser, "read it rather than MNIST's test images")
    evaluate_parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="draw the confusion matrix (.png, .svg or .pdf)"
    )
    evaluate_parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="draw the reliability diagram: how often readings are right, by their confidence",
    )
    evaluate_parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    evaluate_parser.set_defaults(command=run_evaluate)

    explain_parser = commands.add_parser(
        "explain",
        help="draw every step from a photograph to its answer",
        description="Draw how a photograph is read: its ink, the candidates and their scores, the digit that "
        "was cut out, what the network sees and what it says. For when a digit is misread.",
    )
    explain_parser.add_argument("image", type=Path, help="the photograph")
    explain_parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("explanation.png"),
        metavar="FILE",
        help="the picture, .png, .svg or .pdf (default: %(default)s)",
    )
    explain_parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="default: the weights that ship with Inkling"
    )
    explain_parser.set_defaults(command=run_explain)

    show = commands.add_parser("show", help="show a weights file's model card")
    _add_weights(show)
    show.add_argument("--json", action="store_true", help="print it as JSON")
    show.set_defaults(command=run_show)
    return parser


def _add_data_directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="where MNIST is kept (default: $INKLING_DATA, or the user's data directory)",
    )


def _add_data(parser: argparse.ArgumentParser, purpose: str) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help=f"{purpose}: a CSV file as in the talk (label, 784 pixels), a folder of pictures named "
        "..._3.png or sorted into folders 0 to 9, or what 'simulate' made",
    )
    _add_data_directory(parser)


def _add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "weights",
        type=Path,
        nargs="?",
        metavar="WEIGHTS",
        help="a weights file (default: the weights that ship with Inkling)",
    )


@contextmanager
def _show_share(text: str, *, keep: bool = False) -> Iterator[ReportShare]:
    """Show a progress bar for work that reports the share done; and keep it there, if it took long."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=messages, transient=not keep, disable=not messages.is_terminal) as bar:
        task = bar.add_task(text, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def _load(path: Path | None, options: argparse.Namespace, *, test: bool) -> Dataset:
    if path is None:
        return load_mnist(find_data_directory(options.data_dir), test=test)
    with _show_share(f"reading {path.name}") as progress:
        return load_dataset(path, test=test, progress=progress)


def run_fetch(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer fetch`."""
    with messages.status("fetching MNIST") as status:
        fetch_mnist(
            find_data_directory(options.data_dir),
            messages.print,
            lambda name, share: status.update(f"{name} {share:.0%}"),
        )
    return 0


def run_simulate(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer simulate`."""
    from trainer.sightings import simulate  # scenes take a while to import

    if not 0 <= options.negatives <= 1:
        raise BadSettingError(f"--negatives must be 0 to 1, not {options.negatives:g}")
    if not 1 <= options.count <= MOST_SIMULATED or options.seed < 0:
        raise BadSettingError(f"--count must be 1 to {MOST_SIMULATED:,}, and --seed not below 0")
    if options.output.suffix != ".npz":
        raise BadSettingError(f"{options.output} must end in .npz")
    _check_output(options.output)
    fonts = list_fonts(TESTING_FONTS if options.test else TRAINING_FONTS)
    digits = _load(None, options, test=options.test)
    with _show_share("simulating", keep=True) as progress:
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


def run_train(options: argparse.Namespace) -> int:
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
    _check_output(options.output)
    dataset = _load(options.data, options, test=False)
    if options.also is not None:
        dataset = dataset.join(_load(options.also, options, test=False))
    tests = None
    if options.test_data is not None or options.data is None:
        tests = _load(options.test_data, options, test=True)
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
        with _show_training() as report:
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


def _check_output(path: Path) -> None:
    """Refuse a file that could not be written, before the work and not after it."""
    folder = path.resolve().parent
    if path.is_dir():
        raise BadSettingError(f"{path} is a folder: name a file to write to")
    if not folder.is_dir():
        raise BadSettingError(f"no folder {folder} to write {path.name} to: make it first")
    if not os.access(folder, os.W_OK):
        raise BadSettingError(f"{folder} cannot be written to: choose another folder, or ask for permission")


def _check_picture(option: str, path: Path) -> None:
    _check_output(path)
    if path.suffix.lower() not in PICTURE_FORMATS:
        raise BadSettingError(f"{option} {path} must end in {', '.join(PICTURE_FORMATS)}")


@contextmanager
def _show_training() -> Iterator[Callable[[Moment], None]]:
    columns = (
        TextColumn("epoch {task.fields[epoch]}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("loss {task.fields[loss]:.3f}  {task.fields[accuracy]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=messages) as bar:
        task = bar.add_task("training", epoch=1, loss=float("nan"), accuracy="")

        def report(moment: Moment) -> None:
            accuracy = "" if moment.accuracy is None else f"held out {moment.accuracy:.2%}"
            bar.update(
                task,
                completed=moment.done,
                total=moment.total,
                epoch=moment.epoch,
                loss=moment.loss,
                accuracy=accuracy,
            )

        yield report


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


def run_evaluate(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer evaluate`."""
    for option, picture in (("--picture", options.picture), ("--calibration", options.calibration)):
        if picture is not None:
            _check_picture(option, picture)
    trained = load_weights(options.weights)
    dataset = _load(options.data, options, test=True)
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


def run_explain(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer explain`."""
    from PIL import Image

    from shared.photograph import read_photograph
    from trainer.explanation import explain  # matplotlib takes a while to import

    _check_picture("--output", options.output)
    trained = load_weights(options.weights)
    frame = read_photograph(options.image, Image.open)
    explain(frame, trained.network, f"{options.image.name}, read with {trained.name}", options.output)
    output.print(f"explanation drawn to {options.output}")
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer show`."""
    trained = load_weights(options.weights)
    content = {"sha256": trained.sha256, **asdict(trained.card)}
    if options.json:
        print(json.dumps(content))
        return 0
    print_content(content)
    return 0
