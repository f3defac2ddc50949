"""`inkling-trainer retrain`: a network learns one's own digits."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Column, Table

from shared.weights import DEFAULT_WEIGHTS, ModelCard, TrainedNetwork, export_weights, load_weights
from trainer.commands.library_options import add_library, open_library
from trainer.commands.options import Commands, check_kept_apart, check_output, load_data
from trainer.commands.progress import messages, show_share, show_training
from trainer.datasets import NO_DIGIT, Dataset
from trainer.errors import BadSettingError
from trainer.reports import output
from trainer.retraining import (
    HELD_OUT_ONE_IN,
    MNIST_SHARE,
    NO_DIGIT_SHARE,
    NO_DIGITS,
    OWN_SHARE,
    RECIPE,
    Verdict,
    check_own_share,
    count_showings,
    draw_no_digits,
    hold_out,
    make_recipe,
    retrain,
    try_both,
)
from trainer.significance import CONFIDENCE_LEVEL, find_interval
from trainer.training import Outcome, count_cores

# The exit status when the new weights are worse and were not written.
WORSE = 3

FEWEST_NO_DIGITS, MOST_NO_DIGITS = 100, 100_000

# How many ancestors a model card names.
MOST_ANCESTORS = 20

DESCRIPTION = f"""\
Let a network learn the labelled digits of the library, each shown many times and deformed anew, beside MNIST
and drawings of what is no digit, of which it is taught what it said before, so that it forgets neither.

One own digit in {HELD_OUT_ONE_IN} is held out. The old and the new weights read these, MNIST's test images
and other drawings of no digit. New weights that are worse on any of them, by more than chance explains
(McNemar's test), are not written, the status is {WORSE}, and the report says why; --force writes them all the
same."""


def add_parser(commands: Commands) -> None:
    """Add `retrain` to the command line."""
    parser = commands.add_parser(
        "retrain",
        help="let a network learn your own digits",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--from",
        dest="parent",
        type=Path,
        metavar="WEIGHTS",
        help="the weights to begin with (default: the weights that ship with Inkling)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("retrained.npz"),
        metavar="FILE",
        help="the new weights (default: %(default)s)",
    )
    parser.add_argument("--device", metavar="NAME", help="learn only what this device read")
    parser.add_argument(
        "--hold-out-one-in",
        type=int,
        default=HELD_OUT_ONE_IN,
        metavar="N",
        help="of each own digit's kind (default: %(default)s); those held out stay so as the library grows",
    )
    parser.add_argument(
        "--own-share",
        type=float,
        default=OWN_SHARE,
        metavar="SHARE",
        help="of all that is shown, the share of own digits, 0 to 1 (default: %(default)g)",
    )
    parser.add_argument(
        "--no-digits",
        type=int,
        default=NO_DIGITS,
        metavar="N",
        help="drawings of what is no digit to go on refusing, and a quarter as many to test on "
        "(default: %(default)s)",
    )
    parser.add_argument("--epochs", type=int, default=RECIPE.epochs, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--learning-rate",
        type=float,
        default=RECIPE.learning_rate,
        metavar="RATE",
        help="default: %(default)s",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the same seed gives the same weights"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="cores to use at most (default: all)")
    parser.add_argument("--force", action="store_true", help="write the new weights even if they are worse")
    parser.add_argument(
        "--progress",
        choices=("bar", "json"),
        default="bar",
        help="how to show progress on standard error: to people, or to programs as JSON, one object a line",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_library(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer retrain`."""
    from trainer.library import find_library

    check_output(options.output)
    as_json = options.progress == "json"
    check_kept_apart(
        [("--output", options.output)],
        [
            ("what it begins with", options.parent or DEFAULT_WEIGHTS),
            ("the library", find_library(options.library, options.data_dir)),
        ],
    )
    threads = count_cores() if options.threads is None else options.threads
    if threads < 1:
        raise BadSettingError(f"--threads must be 1 or more, not {threads}")
    if not FEWEST_NO_DIGITS <= options.no_digits <= MOST_NO_DIGITS:
        raise BadSettingError(
            f"--no-digits must be {FEWEST_NO_DIGITS} to {MOST_NO_DIGITS:,}, not {options.no_digits}"
        )
    check_own_share(options.own_share)
    parent = load_weights(options.parent)
    recipe = make_recipe(
        parent.network, epochs=options.epochs, learning_rate=options.learning_rate, seed=options.seed
    )
    own = _load_own(options)
    learnt, held = hold_out(own, options.hold_out_one_in, options.seed)
    if not len(learnt):
        raise BadSettingError("all own digits are held out, and none is left to learn from: label more")
    mnist, tests = (load_data(None, options, test=test) for test in (False, True))
    with show_share("drawing what is no digit", keep=True, as_json=as_json) as progress:
        refused, refused_tests = draw_no_digits(mnist, options.no_digits, options.seed, progress)
    with show_training(as_json=as_json) as report:
        outcome = retrain(
            parent.network,
            mnist,
            learnt,
            refused,
            recipe,
            own_share=options.own_share,
            report=report,
            threads=threads,
        )
    verdicts = {
        name: try_both(parent.network, outcome.network, dataset)
        for name, dataset in (("test", tests), ("own_held_out", held), ("no_digits", refused_tests))
        if len(dataset)
    }
    objections = [verdict.objection for verdict in verdicts.values() if verdict.objection is not None]
    training = {
        "command": "retrain",
        "lineage": _trace(parent),
        **asdict(recipe),
        "own_share": options.own_share,
        "own_shown": count_showings(len(learnt), len(mnist) + len(refused), options.own_share),
        "own_device": options.device,
        "own_labels": _count_labels(learnt),
        "taught_by_parent": {"mnist": MNIST_SHARE, "no_digits": NO_DIGIT_SHARE},
        "hold_out_one_in": options.hold_out_one_in,
        "threads": threads,
        "cpu_seconds": round(outcome.cpu_seconds, 2),
        "objections": objections,
    }
    data = [
        {"use": use, **dataset.describe()}
        for use, dataset in (
            ("learnt from", mnist),
            ("learnt from", learnt),
            ("learnt from", refused),
            *(("tested on", verdict.dataset) for verdict in verdicts.values()),
        )
    ]
    metrics = {name: verdict.describe() for name, verdict in verdicts.items()}
    card = ModelCard.describe(outcome.network, training, data, metrics)
    is_written = options.force or not objections
    sha256 = export_weights(options.output, outcome.network, card) if is_written else None
    if options.json:
        written = {"written": str(options.output) if is_written else None, "sha256": sha256}
        print(json.dumps({**written, "objections": objections, **asdict(card)}))
    else:
        _print_report(verdicts, learnt, outcome)
        _print_verdict(objections, options.output, is_written=is_written)
    return 0 if is_written else WORSE


def _load_own(options: argparse.Namespace) -> Dataset:
    from trainer.own_digits import make_dataset

    with open_library(options) as library:
        own = make_dataset(library.take_all(options.device))
        if not len(own):
            whose = f" of {options.device}" if options.device else ""
            raise BadSettingError(
                f"{library.path}: no digits{whose} with a label to learn from: 'inkling-trainer label' gives "
                "them one, 'collect' and 'add-photos' bring more"
            )
    return own


def _trace(parent: TrainedNetwork) -> list[str]:
    """The hashes of a network's ancestors, its parent's first."""
    before: Any = parent.card.training.get("lineage")
    known = [str(one) for one in before] if isinstance(before, list) else []
    return [parent.sha256, *known][:MOST_ANCESTORS]


def _count_labels(dataset: Dataset) -> dict[str, int]:
    counts = {label: int((dataset.labels == label).sum()) for label in range(NO_DIGIT + 1)}
    return {
        "no digit" if label == NO_DIGIT else str(label): count for label, count in counts.items() if count
    }


def _print_report(verdicts: dict[str, Verdict], learnt: Dataset, outcome: Outcome) -> None:
    table = Table(Column("read right", overflow="fold"), "images", "before", "after", "p")
    for verdict in verdicts.values():
        shares = []
        for right, accuracy in zip(verdict.right, verdict.accuracies, strict=True):
            low, high = find_interval(right, verdict.comparison.images)
            shares.append(f"{accuracy:.2%} ({100 * low:.1f} to {100 * high:.1f})")
        images = f"{verdict.comparison.images:,}"
        table.add_row(verdict.dataset.name, images, *shares, f"{verdict.comparison.chance:.2g}")
    labels = ", ".join(f"{count} x {label}" for label, count in _count_labels(learnt).items())
    output.print(f"{len(learnt):,} own digits learnt ({labels}) in {outcome.cpu_seconds:.0f} CPU seconds")
    output.print(table)
    output.print(
        f"in brackets {CONFIDENCE_LEVEL:.0%} intervals; p: how often chance alone makes such a difference"
    )
    if "own_held_out" not in verdicts:
        messages.print("too few own digits to hold any out: whether they are read better is not known")


def _print_verdict(objections: Sequence[str], path: Path, *, is_written: bool) -> None:
    for objection in objections:
        output.print(objection)
    if is_written:
        output.print(f"weights exported to {path}" + (", because of --force" if objections else ""))
    else:
        output.print(f"{path} was not written; --force writes it all the same")
