"""Explanation: a picture of every step from a frame to an answer, for when a digit is misread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from shared.candidates import INK_LEVELS, SURE_SCORE, Candidate
from shared.digit_finder import FoundDigit, Search, search_frame
from shared.digit_image import normalise
from shared.feedforward import FeedForward
from shared.ink import Bytes
from shared.reading import NEEDED_CONFIDENCE, Reading, read_found, show_confidence, tell_confidence
from trainer.plots import make_drawable, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of all candidates, those with the highest scores have them written beside their boxes.
SCORES_SHOWN = 5

CHOSEN, REFUSED = "#1a9850", "#4575b4"


def explain(frame: Bytes, network: FeedForward, title: str, path: Path) -> None:
    """Draw how a frame, uint8 (height, width), is read: a picture file (PNG, SVG or PDF, by its ending).

    Shown are the frame, the ink map, what each ink level that was looked at leaves of it with the candidates
    found there and how likely they are digits, the digit as it was cut out, the 28x28 image and the output
    nodes.
    """
    from matplotlib.figure import Figure  # half a second to import

    search = search_frame(frame)
    figure = Figure(figsize=(14, 7.2), layout="constrained")
    axes = figure.subplots(2, 5).flat
    shown, ink_map, *levels = (next(axes) for _ in range(2 + len(INK_LEVELS)))
    _show(shown, search.ink.grey, "what is searched, inverted" if search.chalk else "what is searched")
    _show(ink_map, 255 - search.ink.ink, "chalk" if search.chalk else "ink, against the paper around it")
    _draw_candidates(shown, search, search.candidates)
    # A sure candidate ends the search.
    highest = min((one.level for one in search.candidates if one.score >= SURE_SCORE), default=INK_LEVELS[-1])
    for level, part in zip(INK_LEVELS, levels, strict=True):
        if level > highest:
            part.axis("off")
            continue
        _show(part, np.where(search.ink.ink > level, 0, 255), f"ink above level {level} of 255")
        _draw_candidates(part, search, [one for one in search.candidates if one.level == level])
    cut, image, outputs, words = axes
    for part in (cut, image, outputs, words):
        part.axis("off")
    if isinstance(search.found, FoundDigit):
        _show(cut, 255 - np.rint(search.found.ink * 255), "the digit, cut out")
        _show(image, 255 - np.rint(normalise(search.found.ink) * 255), "what the network sees")
        reading = read_found(search.found, network)
        _draw_outputs(outputs, reading)
        words.text(0, 0.9, _tell(reading, search.found), va="top", wrap=True, fontsize=12)
    else:
        words.text(0, 0.9, f"The finder says: {search.found}.", va="top", wrap=True, fontsize=12)
    figure.suptitle(make_drawable(title), parse_math=False, wrap=True)
    save_figure(figure, path, dpi=100)


def _show(axes: Axes, picture: npt.NDArray[np.generic], title: str) -> None:
    axes.axis("on")
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=11)


def _draw_candidates(axes: Axes, search: Search, candidates: Sequence[Candidate]) -> None:
    from matplotlib.patches import Rectangle

    best = sorted(search.candidates, key=lambda one: one.score)[-SCORES_SHOWN:]
    for candidate in candidates:
        rows, columns = candidate.box
        corner = columns.start - 1, rows.start - 1
        size = columns.stop - columns.start + 1, rows.stop - rows.start + 1
        colour = CHOSEN if candidate is search.chosen else REFUSED
        axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=colour, linewidth=1.5))
        if candidate in best or candidate is search.chosen:
            axes.text(
                *corner,
                f"{candidate.score:.2f}",
                color="white",
                fontsize=7,
                va="bottom",
                bbox={"facecolor": colour, "edgecolor": "none", "pad": 1},
                clip_on=True,
            )


def _draw_outputs(axes: Axes, reading: Reading) -> None:
    axes.axis("on")
    colours = [CHOSEN if digit == reading.digit else REFUSED for digit in range(10)]
    axes.bar(range(10), reading.outputs.tolist(), color=colours)
    axes.set(xticks=range(10), ylim=(0, 1))
    axes.set_title("the output nodes", fontsize=11)


def _tell(reading: Reading, found: FoundDigit) -> str:
    said = reading.confidence >= NEEDED_CONFIDENCE
    # Bars look like a 1, so that the finder judges it by other weights.
    finder = "The finder, for a 1" if reading.digit == 1 else "The finder"
    return (
        f"Read as {reading.digit}\nwith confidence {show_confidence(reading.confidence)}:\n"
        f"{'said' if said else 'not said'}, as {NEEDED_CONFIDENCE} is needed.\n\n"
        f"{finder}: {found.likelihood.of(reading.digit):.2f}\n"
        f"The network: {show_confidence(tell_confidence(reading.outputs))}"
    )
