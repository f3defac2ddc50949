"""Pictures of results, drawn with matplotlib."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shared.atomic_file import write_atomically
from shared.digit_image import IMAGE_SIZE
from shared.feedforward import FeedForward, FloatArray
from shared.reading import show_confidence
from trainer.calibration import Reliability
from trainer.evaluation import Evaluation
from trainer.mistakes import Mistake

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Mistakes side by side on their sheet.
COLUMNS = 10


def plot_confusion(evaluation: Evaluation, title: str) -> Figure:
    """Draw a confusion matrix.

    Mistakes are coloured by their share of the row; the diagonal is left pale, so that it does not
    drown them.
    """
    from matplotlib.figure import Figure  # half a second to import

    rows = np.maximum(evaluation.confusion.sum(axis=1, keepdims=True), 1)
    mistakes = evaluation.confusion / rows
    np.fill_diagonal(mistakes, 0.0)
    figure = Figure(figsize=(6.4, 6.4), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(mistakes, cmap="OrRd", vmin=0.0, vmax=max(0.01, float(mistakes.max()) * 1.4))
    for label, row in enumerate(evaluation.confusion):
        for digit, count in enumerate(row):
            if count:
                axes.text(
                    digit,
                    label,
                    f"{count}",
                    ha="center",
                    va="center",
                    fontsize=9,
                    weight="bold" if label == digit else "normal",
                    color="#666666" if label == digit else "black",
                )
    axes.set(xlabel="the network read", ylabel="it was", xticks=range(10), yticks=range(10))
    axes.set_title(make_drawable(title))
    axes.tick_params(length=0)
    return figure


def plot_reliability(reliability: Reliability, title: str) -> Figure:
    """Draw a reliability diagram: how often readings are right, by their confidence.

    Bars that end on the diagonal mean what they say; below it, how many readings each bar stands for.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 6.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    edges = np.linspace(0, 1, len(reliability.counts) + 1)
    width = edges[1]
    upper.plot((0, 1), (0, 1), color="#666666", linestyle="--", linewidth=1)
    upper.bar(
        edges[:-1], np.nan_to_num(reliability.right), width, align="edge", color="#f4a582", edgecolor="white"
    )
    upper.plot(reliability.confidences, reliability.right, "o", color="#b2182b")
    upper.set(ylabel="share that was right", xlim=(0, 1), ylim=(0, 1.02))
    upper.set_title(f"{make_drawable(title)}\nexpected calibration error {reliability.error:.2%}")
    lower.bar(edges[:-1], reliability.counts, width, align="edge", color="#92c5de", edgecolor="white")
    lower.set(xlabel="confidence", ylabel="readings", yscale="symlog")
    return figure


def plot_mistakes(mistakes: Sequence[Mistake], title: str) -> Figure:
    """Draw a sheet of mistakes: each picture, what the network read and how sure it was, and what it is."""
    from matplotlib.figure import Figure

    rows = max(1, -(-len(mistakes) // COLUMNS))
    figure = Figure(figsize=(COLUMNS * 1.05, rows * 1.45 + 0.5), layout="constrained")
    figure.suptitle(make_drawable(title))
    for place, axes in enumerate(figure.subplots(rows, COLUMNS, squeeze=False).flat):
        axes.axis("off")
        if place < len(mistakes):
            mistake = mistakes[place]
            axes.imshow(mistake.image, cmap="gray_r", vmin=0, vmax=255)
            sure = show_confidence(mistake.confidence)
            axes.set_title(f"read {mistake.digit} ({sure})\nwas {mistake.meaning}", fontsize=8)
    return figure


def plot_minds(minds: Mapping[str, FloatArray], network: FeedForward, title: str) -> Figure:
    """Draw pictures of each digit, a row a kind, and below each what the network reads in it.

    Parameters
    ----------
    minds : float32 (10, 784) of each kind, inputs for the digits 0 to 9, by what the row is called
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 1.3 * len(minds) + 0.4), layout="constrained")
    figure.suptitle(make_drawable(title))
    grid = figure.subplots(len(minds), 10, squeeze=False)
    for row, (kind, pictures) in zip(grid, minds.items(), strict=True):
        outputs = network.query(pictures)
        for digit, axes in enumerate(row):
            axes.imshow(pictures[digit].reshape(IMAGE_SIZE, IMAGE_SIZE), cmap="gray_r", vmin=0, vmax=1)
            axes.set(xticks=(), yticks=())
            read = int(outputs[digit].argmax())
            colour = "black" if read == digit else "#b2182b"
            axes.set_xlabel(
                f"read {read}\nnode {digit}: {outputs[digit, digit]:.2f}", fontsize=7, color=colour
            )
        row[0].set_ylabel(make_drawable(kind), rotation=0, ha="right", va="center", fontsize=9)
    return figure


def make_drawable(text: str) -> str:
    """Text as matplotlib can draw it: file names may hold bytes that are no characters, and dollar signs.

    What is between two of these matplotlib takes for a formula, also with `parse_math=False` where it wraps.
    """
    return text.encode("utf-8", "replace").decode("utf-8").replace("$", r"\$")


def save_figure(figure: Figure, path: Path, dpi: int = 130) -> None:
    """Write a figure to a picture file: PNG, SVG or PDF, by its ending."""
    picture = io.BytesIO()
    with warnings.catch_warnings():
        # A name may hold letters that matplotlib's font lacks: a box is drawn, and nobody can mend that.
        warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from")
        figure.savefig(picture, format=path.suffix.lstrip(".") or "png", dpi=dpi)
    write_atomically(path, picture.getvalue())
