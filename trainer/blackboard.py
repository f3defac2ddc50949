"""The blackboard: what the lessons draw again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What speaks for something, and what speaks against it.
BLUE, RED = "#2166ac", "#b2182b"

# How large a node is, and how far from where a link begins its weight is written, as a share of the link:
# where links cross half way nothing can be read.
NODE_SIZE, LABEL_AT = 2400, 0.25


def draw_network(
    axes: Axes,
    weights: Sequence[npt.ArrayLike],
    nodes: Sequence[Sequence[float | str]],
    names: Sequence[str] = (),
    *,
    backwards: bool = False,
) -> None:
    """Draw a small network: its nodes in columns, and every link with its weight.

    Parameters
    ----------
    weights : a matrix (nodes in next layer, nodes in this layer) for each layer of links; positive weights
        are blue, negative ones red, and the heavier the thicker
    nodes : what is written into the nodes of each layer, inputs first
    names : what is written above each layer
    backwards : write the weights near the nodes that links lead to, for what goes back through them
    """
    matrices = [np.asarray(matrix, np.float64) for matrix in weights]
    heaviest = max(float(np.abs(matrix).max()) for matrix in matrices)
    places = [
        [(float(column), (len(layer) - 1) / 2 - row) for row in range(len(layer))]
        for column, layer in enumerate(nodes)
    ]
    at = 1 - LABEL_AT if backwards else LABEL_AT
    for matrix, before, after in zip(matrices, places, places[1:], strict=False):
        for (to, origin), weight in np.ndenumerate(matrix):
            (left, low), (right, high) = before[origin], after[to]
            colour = BLUE if weight > 0 else RED
            axes.plot(
                (left, right),
                (low, high),
                color=colour,
                linewidth=0.8 + 3 * abs(weight) / heaviest,
                alpha=0.6,
                zorder=1,
            )
            axes.text(
                left + at * (right - left),
                low + at * (high - low),
                f"{weight:g}",
                ha="center",
                va="center",
                fontsize=9,
                color=colour,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )
    for layer, column in zip(nodes, places, strict=True):
        across, down = zip(*column, strict=True)
        axes.scatter(across, down, NODE_SIZE, color="white", edgecolor="black", zorder=2)
        for value, (x, y) in zip(layer, column, strict=True):
            text = value if isinstance(value, str) else f"{value:.3g}"
            axes.text(x, y, text, ha="center", va="center", fontsize=10, zorder=3)
    top = (max(map(len, nodes)) - 1) / 2 + 0.5
    for name, x in zip(names, range(len(nodes)), strict=False):
        axes.text(x, top, name, ha="center", va="bottom", fontsize=10)
    axes.set(xlim=(-0.4, len(nodes) - 0.6), ylim=(-top, top + (0.2 if names else 0)))
    axes.axis("off")


def plot_pictures(
    pictures: npt.NDArray[np.generic], captions: Sequence[str] = (), *, across: int = 10, title: str = ""
) -> Figure:
    """Draw pictures side by side, dark ink on white paper, each with its caption.

    Parameters
    ----------
    pictures : (count, height, width), each shown from its palest, paper, to its darkest, ink
    across : how many go in a row
    """
    from matplotlib.figure import Figure

    across = min(across, len(pictures))
    rows = -(-len(pictures) // across)
    lines = max((caption.count("\n") + 1 for caption in captions), default=0)
    figure = Figure(figsize=(1.0 * across, (1.0 + 0.17 * lines) * rows + (0.3 if title else 0)))
    figure.set_layout_engine("constrained")
    if title:
        figure.suptitle(title)
    grid = figure.subplots(rows, across, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(pictures):
            axes.axis("off")
            continue
        axes.imshow(pictures[place], cmap="gray_r")
        axes.set(xticks=(), yticks=())
        axes.spines[:].set_color("#bbbbbb")
        if place < len(captions):
            axes.set_xlabel(captions[place], fontsize=8)
    return figure


def draw_outputs(axes: Axes, outputs: npt.ArrayLike, wanted: int | None = None) -> None:
    """Draw what the ten output nodes say as bars: the loudest is dark, the number of the one wanted is red.

    Parameters
    ----------
    outputs : (10,), 0 to 1
    """
    signals = np.asarray(outputs)
    colours = [BLUE if digit == signals.argmax() else "#92c5de" for digit in range(10)]
    axes.bar(range(10), signals, color=colours)
    axes.set(xticks=range(10), ylim=(0, 1), yticks=(0, 0.5, 1))
    if wanted is not None:
        axes.get_xticklabels()[wanted].set(color=RED, weight="bold")
