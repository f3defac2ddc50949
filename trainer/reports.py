"""Reports: what training and evaluation gave, for people to read and for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from shared.printable import make_printable
from shared.reading import NEEDED_CONFIDENCE
from shared.weights import ModelCard, TrainedNetwork
from trainer.calibration import Reliability
from trainer.datasets import Dataset
from trainer.evaluation import Evaluation
from trainer.significance import CONFIDENCE_LEVEL, Comparison, find_interval
from trainer.training import Outcome
from trainer.trials import Row

output = Console(highlight=False, markup=False)


def print_outcome(card: ModelCard, outcome: Outcome, path: Path) -> None:
    """Print what a training gave."""
    if outcome.stopped:
        output.print(f"stopped after {outcome.epochs:.1f} epochs; the best network so far is kept")
    for name, figures in card.metrics.items():
        output.print(
            f"{name.replace('_', ' ')}: {figures['accuracy']:.2%} of {figures['images']:,} images read right"
        )
    if not card.metrics:
        output.print("nothing was held out or tested: --test-data tells how well it reads")
    output.print(f"{outcome.cpu_seconds:.1f} CPU seconds; weights exported to {path}")


def tell_evaluation(
    evaluation: Evaluation, reliability: Reliability, trained: TrainedNetwork, dataset: Dataset
) -> dict[str, object]:
    """Tell how a network did as JSON has it: a share of nothing is null."""
    return {
        "weights": trained.sha256,
        "data": dataset.describe(),
        "images": evaluation.images,
        "correct": evaluation.correct,
        "accuracy": _tell_share(evaluation.accuracy),
        "interval": [_tell_share(end) for end in find_interval(evaluation.correct, evaluation.images)],
        "recall": [_tell_share(share) for share in evaluation.recall.tolist()],
        "precision": [_tell_share(share) for share in evaluation.precision.tolist()],
        "confusion": evaluation.confusion.tolist(),
        "needed_confidence": NEEDED_CONFIDENCE,
        "right_said": _tell_share(evaluation.right_said),
        "no_digits": evaluation.no_digits,
        "no_digits_said": _tell_share(evaluation.no_digits_said),
        "calibration": {
            "expected_error": reliability.error,
            "counts": reliability.counts.tolist(),
            "confidences": [_tell_share(share) for share in reliability.confidences.tolist()],
            "right": [_tell_share(share) for share in reliability.right.tolist()],
        },
    }


def _tell_share(share: float) -> float | None:
    return None if share != share else share


def print_evaluation(
    evaluation: Evaluation, reliability: Reliability, trained: TrainedNetwork, dataset: Dataset
) -> None:
    """Print how a network did, digit by digit."""
    output.print(
        f"{trained.name} read {evaluation.correct:,} of {evaluation.images:,} right: "
        f"{evaluation.accuracy:.2%} of {dataset.name}, {show_interval(evaluation)}"
    )
    table = Table("digit", "images", "recall", "precision", "most often misread as")
    for digit in range(10):
        row = evaluation.confusion[digit].copy()
        right, row[digit] = row[digit], 0
        mistaken = int(row.argmax())
        table.add_row(
            str(digit),
            f"{right + row.sum():,}",
            _show_percent(float(evaluation.recall[digit])),
            _show_percent(float(evaluation.precision[digit])),
            f"{mistaken} ({row[mistaken]} times)" if row[mistaken] else "",
        )
    output.print(table)
    output.print(
        f"of those read right {_show_percent(evaluation.right_said)} are said, with the needed confidence "
        f"of {NEEDED_CONFIDENCE:g}"
    )
    if evaluation.no_digits:
        output.print(
            f"of {evaluation.no_digits:,} pictures of no digit {_show_percent(evaluation.no_digits_said)} "
            "are said to be one"
        )
    output.print(f"expected calibration error: {reliability.error:.2%}")


def show_interval(evaluation: Evaluation) -> str:
    """Where the true accuracy lies, for people."""
    low, high = find_interval(evaluation.correct, evaluation.images)
    return f"{CONFIDENCE_LEVEL:.0%} interval {low:.2%} to {high:.2%}"


def print_comparison(comparison: Comparison, names: tuple[str, str], dataset: Dataset) -> None:
    """Print how two networks read the same digits."""
    table = Table(
        Column("weights", overflow="fold"),
        "right",
        "accuracy",
        f"{CONFIDENCE_LEVEL:.0%} interval",
        "alone right",
    )
    for name, alone in zip(names, (comparison.first_only, comparison.second_only), strict=True):
        right = comparison.both + alone
        low, high = find_interval(right, comparison.images)
        table.add_row(
            name,
            f"{right:,}",
            f"{right / comparison.images:.2%}",
            f"{low:.2%} to {high:.2%}",
            f"{alone:,}",
        )
    output.print(f"{comparison.images:,} digits of {dataset.name}")
    output.print(table)
    better = comparison.better
    verdict = "chance alone may have made the difference" if better is None else f"{names[better]} is better"
    output.print(f"{verdict}: McNemar's test, p = {comparison.chance:.3g}")


def tell_comparison(
    comparison: Comparison, first: TrainedNetwork, second: TrainedNetwork, dataset: Dataset
) -> dict[str, object]:
    """Tell how two networks read the same digits as JSON has it."""
    right = [comparison.both + alone for alone in (comparison.first_only, comparison.second_only)]
    return {
        "weights": [first.sha256, second.sha256],
        "data": dataset.describe(),
        "images": comparison.images,
        "correct": right,
        "accuracy": [count / comparison.images for count in right],
        "interval": [find_interval(count, comparison.images) for count in right],
        "both": comparison.both,
        "first_only": comparison.first_only,
        "second_only": comparison.second_only,
        "neither": comparison.neither,
        "p_value": comparison.chance,
        "better": comparison.better,
    }


def print_rows(axis: str, rows: Sequence[Row]) -> None:
    """Print an experiment's table."""
    table = Table(axis, "read right", "standard deviation", "seeds")
    for row in rows:
        away = row.seeds - len(row.accuracies)
        seeds = f"{row.seeds}, {away} ran away" if away else str(row.seeds)
        table.add_row(f"{row.value:,g}", _show_percent(row.mean), _show_percent(row.spread), seeds)
    output.print(table)


def _show_percent(share: float) -> str:
    return "" if share != share else f"{share:.2%}"


def print_content(content: dict[str, object]) -> None:
    """Print keys and values as a table."""
    table = Table("key", Column("value", overflow="fold"), show_header=False)
    for key, value in content.items():
        table.add_row(make_printable(key, None), _show_value(value))
    output.print(table)


def _show_value(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(
            f"{make_printable(key, None)}: {show_in_line(inner)}" for key, inner in value.items()
        )
    return "\n\n".join(map(_show_value, value)) if isinstance(value, list) else show_in_line(value)


def show_in_line(value: object) -> str:
    """Any value of a model card on one line, for people; a stranger's card commands no terminal."""
    if isinstance(value, dict):
        text = ", ".join(f"{key} {inner}" for key, inner in value.items())
    else:
        text = " - ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return make_printable(text, None)
