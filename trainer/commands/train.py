"""`inkling-trainer train`: a network that learns, and its weights."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from shared.command_line import INTERRUPTED
from shared.records import RecordError, read_record
from shared.weights import ModelCard, export_weights, load_weights
from trainer.calibration import find_temperature, temper
from trainer.checkpoint import Checkpoint, read_options
from trainer.commands.options import Commands, add_data, check_kept_apart, check_output, load_data
from trainer.commands.progress import messages, show_training
from trainer.commands.recipe import add_recipe, read_given, read_recipe, tell_presets
from trainer.datasets import NO_DIGIT, Dataset
from trainer.errors import BadCheckpointError, BadSettingError
from trainer.evaluation import evaluate
from trainer.field_teacher import make_field_teacher, train_field_teacher
from trainer.interruption import ask_before_stopping
from trainer.presets import PROTOCOL, Recipe
from trainer.reports import print_outcome
from trainer.training import Moment, Outcome, count_cores, train
from trainer.training_log import TrainingLog, is_training_log

DESCRIPTION = """\
Train a network and export its weights. Without options it is the talk's: 784 inputs, 200 hidden nodes,
10 outputs. Options that are given beside --preset override it."""

PATHS = ("data", "also", "test_data", "data_dir")


@dataclass(frozen=True)
class Told:
    """What a training was told, and takes from its checkpoint when it goes on; paths are whole ones.

    Attributes
    ----------
    taught_s : CPU seconds in which its teacher with fields learnt; None until it has
    """

    recipe: Recipe
    preset: str | None
    threads: int
    teachers: list[str]
    data: str | None
    also: str | None
    test_data: str | None
    data_dir: str | None
    taught_s: float | None = None


def add_parser(commands: Commands) -> None:
    """Add `train` to the command line."""
    parser = commands.add_parser(
        "train",
        help="train a network and export its weights",
        description=DESCRIPTION,
        epilog=tell_presets(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
    add_recipe(parser)
    parser.add_argument(
        "--teachers",
        type=Path,
        nargs="+",
        metavar="WEIGHTS",
        help="learn from what these networks say, too (distillation)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the training that should have made --output, and was killed; it begins at the last "
        "checkpoint, and ends with the same weights",
    )
    parser.add_argument(
        "--checkpoint-every",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="time between checkpoints, beside --output; each is written at an epoch's end (default: "
        "%(default)s)",
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="write a line for each epoch to a CSV file")
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="cores to use at most (default: all there are); it changes the last bits of large networks, "
        "and more than these with --dropout, --batch-normalisation or --skipping",
    )
    parser.add_argument("--json", action="store_true", help="print the model card as JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer train`."""
    check_output(options.output)
    checkpoint_path = options.output.with_name(f"{options.output.name}.checkpoint")
    check_output(checkpoint_path)
    if options.log is not None:
        check_output(options.log)
    if not options.checkpoint_every >= 0:
        raise BadSettingError(f"--checkpoint-every must be 0 or more, not {options.checkpoint_every:g}")
    taught_s: float | None = None
    if options.resume:
        told = _restore(options, checkpoint_path)
        recipe, taught_s = told.recipe, told.taught_s
    else:
        recipe = read_recipe(options)
    check_kept_apart(
        [("--output", options.output), ("the checkpoint", checkpoint_path), ("--log", options.log)],
        [
            *((f"--{name.replace('_', '-')}", getattr(options, name)) for name in PATHS),
            *(("one of --teachers", Path(path)) for path in options.teachers or ()),
        ],
    )
    options.threads = count_cores() if options.threads is None else options.threads
    if options.threads < 1:
        raise BadSettingError(f"--threads must be 1 or more, not {options.threads}")
    log = None if options.log is None else TrainingLog(options.log, resume=options.resume, warn=_warn)
    teachers = [load_weights(Path(path)).network for path in options.teachers or ()]
    learnt, held_out, tests = _load(options, recipe)
    if not options.resume:
        _tell_replaced(options.output, checkpoint_path, options.log)
    # While its teacher learns, the checkpoint is the teacher's; then it holds the teacher, too.
    goes_on = options.resume and (not recipe.field_teacher or taught_s is not None)
    with ask_before_stopping() as stop:
        if recipe.field_teacher:
            teachers.append(make_field_teacher(recipe))
            if taught_s is None:
                checkpoint = _make_checkpoint(checkpoint_path, options, recipe, None)
                taught = _teach(learnt, recipe, options, checkpoint, stop)
                if taught.stopped:
                    _warn(
                        f"stopped while its teacher learnt: no weights were written{_tell_more(checkpoint)}"
                    )
                    return INTERRUPTED
                teachers[-1], taught_s = taught.network, taught.cpu_seconds
        checkpoint = _make_checkpoint(checkpoint_path, options, recipe, taught_s)
        with _report(log) as report:
            outcome = train(
                learnt,
                recipe,
                held_out=held_out if len(held_out) else None,
                augmentation=recipe.make_augmentation(),
                report=report,
                stop=stop,
                teachers=teachers,
                checkpoint=checkpoint,
                resume=goes_on,
                threads=options.threads,
            )
        outcome = replace(outcome, cpu_seconds=outcome.cpu_seconds + (taught_s or 0))
        temperature = find_temperature(outcome.network, held_out) if recipe.calibrate else 1.0
        outcome = replace(outcome, network=temper(outcome.network, temperature))
        changes = {"temperature": round(temperature, 4), "teachers": list(map(str, options.teachers or ()))}
        card = _describe(outcome, recipe, options.preset, options.threads, changes, learnt, held_out, tests)
        sha256 = export_weights(options.output, outcome.network, card)
    if not outcome.stopped:
        checkpoint.remove()
    if options.json:
        print(json.dumps({"sha256": sha256, **asdict(card)}))
    else:
        print_outcome(card, outcome, options.output)
    if outcome.stopped and (more := _tell_more(checkpoint)):
        _warn(f"stopped{more}")
    return INTERRUPTED if outcome.stopped else 0


def _teach(
    learnt: Dataset,
    recipe: Recipe,
    options: argparse.Namespace,
    checkpoint: Checkpoint,
    stop: Callable[[], bool],
) -> Outcome:
    with show_training("teacher's ") as report:
        return train_field_teacher(
            learnt,
            recipe,
            report=report,
            stop=stop,
            checkpoint=checkpoint,
            resume=options.resume,
            threads=options.threads,
        )


def _make_checkpoint(
    path: Path, options: argparse.Namespace, recipe: Recipe, taught_s: float | None
) -> Checkpoint:
    told = asdict(_keep(options, recipe, taught_s))
    return Checkpoint(path, told, options.checkpoint_every, _warn)


def _warn(text: str) -> None:
    messages.print(text, soft_wrap=True)


def _tell_more(checkpoint: Checkpoint) -> str:
    return f": the same command with --resume goes on from {checkpoint.path}" if checkpoint.is_there else ""


def _tell_replaced(path: Path, checkpoint: Path, log: Path | None) -> None:
    """Tell what will be lost, while there is time to put it elsewhere."""
    if path.exists():
        _warn(f"{path} is there already: it is replaced when this training ends, also by Ctrl-C")
    if checkpoint.exists():
        _warn(
            f"{checkpoint} is of a training that did not end, and is replaced: --resume would go on from it"
        )
    if log is not None and log.exists() and not is_training_log(log):
        _warn(f"{log} is there already, and is no training log: it is replaced when this training begins")


def _load(options: argparse.Namespace, recipe: Recipe) -> tuple[Dataset, Dataset, Dataset | None]:
    """Load the pictures to learn from, those held out, and those to test on."""
    dataset = load_data(options.data, options, test=False)
    if options.also is not None:
        dataset = dataset.join(load_data(options.also, options, test=False))
    tests = None
    if options.test_data is not None or options.data is None:
        tests = load_data(options.test_data, options, test=True)
    learnt, held_out = dataset.split(recipe.count_held_out(len(dataset)), recipe.seed)
    for part in (learnt, held_out, tests):
        if part is not None and len(part) and (part.labels == NO_DIGIT).all():
            raise BadSettingError(f"{part.name}: no digits in it, only pictures of what is no digit")
    return learnt, held_out, tests


def _keep(options: argparse.Namespace, recipe: Recipe, taught_s: float | None) -> Told:
    """What a checkpoint keeps of the options."""
    paths = {name: getattr(options, name) for name in PATHS}
    return Told(
        recipe,
        options.preset,
        options.threads,
        [str(Path(path).resolve()) for path in options.teachers or ()],
        **{name: None if path is None else str(path.resolve()) for name, path in paths.items()},
        taught_s=taught_s,
    )


def _restore(options: argparse.Namespace, path: Path) -> Told:
    """Take from a checkpoint what the training was told, and refuse to be told something else now."""
    try:
        told = read_record(Told, read_options(path))
    except (RecordError, BadSettingError) as error:
        raise BadCheckpointError(
            f"{path} is of another version ({error}): train without --resume, or go on with that version"
        ) from error
    recipe = told.recipe
    now = {name: (value, getattr(recipe, name)) for name, value in read_given(options).items()}
    for name in PATHS:
        value, kept = getattr(options, name), getattr(told, name)
        now |= {name: (str(value.resolve()), kept)} if value is not None else {}
        setattr(options, name, None if kept is None else Path(kept))
    for name in ("preset", "threads"):
        value, kept = getattr(options, name), getattr(told, name)
        now |= {name: (value, kept)} if value is not None else {}
        setattr(options, name, kept)
    if options.teachers is not None:
        now["teachers"] = ([str(teacher.resolve()) for teacher in options.teachers], told.teachers)
    options.teachers = told.teachers
    for name, (value, before) in now.items():
        if value != before:
            raise BadSettingError(
                f"--resume goes on as it was begun, with {name} {before}, not {value}: leave it out"
            )
    return told


@contextmanager
def _report(log: TrainingLog | None) -> Iterator[Callable[[Moment], None]]:
    with show_training() as show:
        if log is None:
            yield show
            return

        def report(moment: Moment) -> None:
            show(moment)
            log.report(moment)

        try:
            yield report
        finally:
            log.close()


def _describe(
    outcome: Outcome,
    recipe: Recipe,
    preset: str | None,
    threads: int,
    changes: dict[str, Any],
    learnt: Dataset,
    held_out: Dataset,
    tests: Dataset | None,
) -> ModelCard:
    metrics: dict[str, object] = {}
    data = [{"use": "learnt from", **learnt.describe()}]
    if outcome.accuracy is not None:
        data.append({"use": "held out to choose the epoch", **held_out.describe()})
        metrics["held_out"] = {"images": held_out.digits, "accuracy": round(outcome.accuracy, 6)}
    if tests is not None:
        data.append({"use": "tested on", **tests.describe()})
        evaluation = evaluate(outcome.network, tests)
        metrics["test"] = {"images": evaluation.images, "accuracy": round(evaluation.accuracy, 6)}
    unused = set() if recipe.deform_strength else {"calm", "calmest", *asdict(recipe.amounts)}
    training = {
        **({} if preset is None else {"preset": preset, "protocol": PROTOCOL}),
        **{key: value for key, value in asdict(recipe).items() if key not in unused},
        "hold_out": len(held_out),
        **changes,
        "threads": threads,
        "epochs_done": round(outcome.epochs, 2),
        "cpu_seconds": round(outcome.cpu_seconds, 2),
    }
    return ModelCard.describe(outcome.network, training, data, metrics)
