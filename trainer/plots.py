"""Pictures of results, drawn with matplotlib."""

from __future__ import annotations

import io
from pathlib import Path

from shared.atomic_file import write_atomically
from trainer.evaluation import Evaluation


def draw_confusion(evaluation: Evaluation, title: str, path: Path) -> None:
    """Draw a confusion matrix to a picture file (PNG, SVG or PDF, by the name's ending).

    Mistakes are coloured by their share of the row; the diagonal is left pale, so that it does not
    drown them.
    """
    import numpy as np
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
    axes.set_title(title, parse_math=False)
    axes.tick_params(length=0)
    picture = io.BytesIO()
    figure.savefig(picture, format=path.suffix.lstrip(".") or "png", dpi=130)
    write_atomically(path, picture.getvalue())
