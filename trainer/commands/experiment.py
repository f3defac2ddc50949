"""`inkling-trainer experiment`: what becomes of the accuracy when one thing changes."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from shared.atomic_file import write_atomically
from shared.command_line import INTERRUPTED
from trainer.commands.options import Commands, add_data, check_kept_apart, check_output, load_data
from trainer.commands.progress import messages, show_share
from trainer.datasets import Dataset
from trainer.errors import BadSettingError
from trainer.experiment_results import plot_experiment, tell_rows, write_table
from trainer.experiments import EXPERIMENTS, Experiment, check_data
from trainer.interruption import ask_before_stopping
from trainer.reports import output, print_rows
from trainer.settings import Settings
from trainer.trials import FinishedTrials, run_trials, tabulate

SEEDS, QUICK_SEEDS = 5, 2

# A quick experiment learns from so many pictures, once.
QUICK_PICTURES = 6000

# Of other data without pictures of their own to test on, one in so many is kept apart.
TEST_SHARE = 6


def add_parser(commands: Commands) -> None:
    """Add `experiment` to the command line."""
    questions = "\n".join(f"  {one.name:15}{one.question}" for one in EXPERIMENTS.values())
    parser = commands.add_parser(
        "experiment",
        help="draw what becomes of the accuracy when one thing changes",
        description="Train networks that differ in one thing, from several seeds, and draw how well they "
        "read: a picture (.png and .svg) and a table (.csv), named like the experiment.\n\n" + questions,
        epilog="Runs that are finished are kept in NAME.trials.json in the same folder: interrupted, the "
        "same command goes on.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("experiment", choices=EXPERIMENTS, metavar="NAME", help="one of those above")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="where to; made if it is not there (default: here)",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help=f"networks for each point (default: {SEEDS}, quick: {QUICK_SEEDS})",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"half the points, {QUICK_PICTURES:,} pictures, one epoch: to see how it goes",
    )
    parser.add_argument(
        "--jobs", type=int, default=-1, metavar="N", help="runs side by side (default: as many as cores)"
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="run on a Dask cluster: its scheduler's address, such as tcp://10.0.0.5:8786",
    )
    add_data(parser, "learn from it rather than from MNIST's training images")
    parser.add_argument(
        "--test-data",
        type=Path,
        metavar="PATH",
        help=f"read it rather than MNIST's test images (with --data alone: one in {TEST_SHARE} of it)",
    )
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer experiment`."""
    seeds = (QUICK_SEEDS if options.quick else SEEDS) if options.seeds is None else options.seeds
    if seeds < 1 or options.jobs == 0:
        raise BadSettingError("--seeds must be 1 or more, and --jobs not 0")
    if options.output.exists() and not options.output.is_dir():
        raise BadSettingError(f"{options.output} is no folder: name one to write to")
    options.output.mkdir(parents=True, exist_ok=True)
    experiment = EXPERIMENTS[options.experiment]
    file = options.output / experiment.name
    kept = file.with_suffix(".trials.json")
    for path in (kept, *(file.with_suffix(suffix) for suffix in (".csv", ".png", ".svg"))):
        check_output(path)
        check_kept_apart([("the file", path)], [("--data", options.data), ("--test-data", options.test_data)])
    learnt, tests = _load(options)
    check_data(learnt, tests)
    settings, pictures = Settings(), len(learnt)
    if options.quick:
        settings, pictures = replace(settings, epochs=1), min(QUICK_PICTURES, pictures)
    values = experiment.choose_values(pictures, quick=options.quick)
    trials = experiment.plan(seeds, pictures, settings, values)
    finished = FinishedTrials(kept, learnt, tests)
    with ask_before_stopping() as stop, show_share(experiment.question, keep=True) as progress:
        complete = run_trials(
            trials,
            finished,
            learnt,
            tests,
            jobs=options.jobs,
            scheduler=options.scheduler,
            progress=progress,
            stop=stop,
        )
    if not complete:
        going_on = f"what is finished is kept in {kept}: the same command goes on"
        messages.print(f"stopped; {going_on if kept.exists() else 'nothing was finished yet'}")
        return INTERRUPTED
    rows = tabulate(trials, finished)
    write_atomically(file.with_suffix(".csv"), write_table(experiment, rows))
    from trainer.plots import save_figure  # matplotlib takes a while to import

    figure = plot_experiment(experiment, rows, _describe(experiment, settings, pictures, seeds, tests))
    for suffix in (".png", ".svg"):
        save_figure(figure, file.with_suffix(suffix))
    if options.json:
        print(json.dumps({"experiment": experiment.name, "rows": tell_rows(rows)}))
    else:
        print_rows(experiment.axis, rows)
        output.print(f"drawn to {file}.png and {file}.svg, table in {file}.csv")
    return 0


def _load(options: argparse.Namespace) -> tuple[Dataset, Dataset]:
    learnt = load_data(options.data, options, test=False)
    if options.test_data is not None or options.data is None:
        return learnt, load_data(options.test_data, options, test=True)
    return learnt.split(len(learnt) // TEST_SHARE, seed=0)


def _describe(experiment: Experiment, settings: Settings, pictures: int, seeds: int, tests: Dataset) -> str:
    """What all networks have in common."""
    parts = {
        "hidden-nodes": f"{settings.hidden[0]} hidden nodes",
        "learning-rate": f"learning rate {settings.learning_rate:g}",
        "epochs": f"{settings.epochs} epoch{'s'[: settings.epochs - 1]}",
        "training-size": f"{pictures:,} pictures",
    }
    if experiment.name == "training-size":
        parts["epochs"] = f"{settings.epochs * pictures:,} pictures seen"
    parts.pop(experiment.name, None)
    return f"{', '.join(parts.values())}\n{tests.name}; mean and range of {seeds} seed{'s'[: seeds - 1]}"
