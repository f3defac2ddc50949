"""What an experiment gave: its table and its curve."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainer.experiments import Experiment
from trainer.plots import make_drawable
from trainer.trials import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What guessing would read right.
CHANCE = 0.1


def write_table(experiment: Experiment, rows: Sequence[Row]) -> bytes:
    """An experiment's table as CSV: a row a value, accuracies 0 to 1; empty where weights ran away."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        (
            experiment.name.replace("-", "_"),
            "seeds",
            "ran_away",
            "mean",
            "standard_deviation",
            "lowest",
            "highest",
        )
    )
    for row in rows:
        ends = (min(row.accuracies), max(row.accuracies)) if row.accuracies else (float("nan"),) * 2
        figures = ("" if share != share else f"{share:.6f}" for share in (row.mean, row.spread, *ends))
        writer.writerow((f"{row.value:g}", row.seeds, row.seeds - len(row.accuracies), *figures))
    return file.getvalue().encode()


def tell_rows(rows: Sequence[Row]) -> list[dict[str, object]]:
    """An experiment's table as JSON has it: the accuracies of the seeds whose weights did not run away."""
    return [{"value": row.value, "seeds": row.seeds, "accuracies": list(row.accuracies)} for row in rows]


def plot_experiment(experiment: Experiment, rows: Sequence[Row], setting: str) -> Figure:
    """Draw an experiment's curve: the mean of the seeds, the band between the best and the worst, and each.

    Parameters
    ----------
    setting : what all runs have in common, for below the title
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    shown = [row for row in rows if row.accuracies]
    values = [row.value for row in shown]
    figure = Figure(figsize=(6.8, 4.4), layout="constrained")
    axes = figure.add_subplot()
    axes.fill_between(
        values,
        [100 * min(row.accuracies) for row in shown],
        [100 * max(row.accuracies) for row in shown],
        color="#92c5de",
        alpha=0.6,
        linewidth=0,
    )
    for row in shown:
        count = len(row.accuracies)
        axes.plot(
            [row.value] * count, [100 * one for one in row.accuracies], ".", color="#4393c3", markersize=4
        )
    axes.plot(values, [100 * row.mean for row in shown], "o-", color="#2166ac", markersize=5)
    if experiment.logarithmic and len(values) > 1:
        axes.set_xscale("log")
    axes.set_xticks(values, [f"{value:,g}" if value < 1000 else f"{value:,.0f}" for value in values])
    axes.minorticks_off()
    if experiment.disturb is not None:
        axes.set_ylim(0, 101)
        axes.axhline(100 * CHANCE, color="#666666", linestyle="--", linewidth=1)
        axes.annotate(
            "guessing", (0.01, 100 * CHANCE), xycoords=("axes fraction", "data"), ha="left", va="bottom"
        )
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:g} %"))
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set(xlabel=experiment.axis, ylabel="read right")
    question = experiment.question[0].upper() + experiment.question[1:]
    axes.set_title(question, fontsize=13, pad=36)
    axes.annotate(
        make_drawable(setting),
        (0.5, 1.0),
        xytext=(0, 7),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        fontsize=9,
        color="#444444",
    )
    return figure
