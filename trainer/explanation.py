"""Explanation: a picture of every step from a frame to an answer, for when a digit is misread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from shared.candidates import INK_LEVELS, SURE_SCORE, Candidate
from shared.digit_finder import WHOLE_DIGIT, FoundDigit, NoDigit, Search
from shared.digit_image import normalise
from shared.feedforward import FeedForward
from shared.ink import Bytes
from shared.reading import (
    LEAST_DOUBT,
    NEEDED_CONFIDENCE,
    TRUST,
    Reading,
    search_and_read,
    show_confidence,
    tell_confidence,
)
from trainer.plots import make_drawable, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

# Of all candidates, those with the highest scores have them written beside their boxes.
SCORES_SHOWN = 5
# Of a picture's height: so far from its top there is room for a score above a box.
ROOM = 0.06

CHOSEN, REFUSED, OTHER = "#1a9850", "#e66101", "#4575b4"

BOXES = (
    "The number on a box is its score, 0 to 1, by which the finder chooses: how much it looks like a digit.\n"
    f"Chosen is, from the lowest level up, the first box with {WHOLE_DIGIT} of the highest score that holds "
    "the box which has that;\nor, if what is read there is not sure, the next likeliest elsewhere, if that "
    f"is surer. Only the {SCORES_SHOWN} highest scores and the chosen one's are written."
)
WEIGHING = (
    "The finder's word on what is chosen is that of a network of its own, which looks at what is around it. "
    f"The odds of both, (c + {LEAST_DOUBT:g}) / (1 - c + {LEAST_DOUBT:g})\n"
    "of a chance c, each raised to a power, the trust in it, are multiplied: "
    f"{TRUST.prior_odds:g} x network^{TRUST.network:g} x finder^{TRUST.finder:g}. "
    "What comes out as a chance is the confidence."
)
TWO_ON_ONE_PAPER = (
    "On the same paper as what is chosen there is another digit, or a letter: by what is around them both "
    "are likely such, or both are read as digits."
)


def explain(frame: Bytes, network: FeedForward, title: str, path: Path) -> None:
    """Draw how a frame, uint8 (height, width), is read: a picture file (PNG, SVG or PDF, by its ending).

    Shown are the frame, the ink map, what each ink level that was looked at leaves of it with the candidates
    found there and their scores, the chosen one with what is around it, the 28x28 image and the output nodes;
    and, in words, what was made of it, and what the boxes are.
    """
    from matplotlib.figure import Figure  # half a second to import

    search, answer = search_and_read(frame, network)
    figure = Figure(figsize=(14, 7.8), layout="constrained")
    axes = figure.subplots(2, 5).flat
    shown, ink_map, *levels = (next(axes) for _ in range(2 + len(INK_LEVELS)))
    _show(shown, search.ink.grey, "what is searched, inverted" if search.chalk else "what is searched")
    _show(ink_map, 255 - search.ink.ink, "chalk" if search.chalk else "ink, against the paper around it")
    _draw_candidates(shown, search, search.candidates, scores=False)
    # A sure candidate ends the search.
    highest = min((one.level for one in search.candidates if one.score >= SURE_SCORE), default=INK_LEVELS[-1])
    for level, part in zip(INK_LEVELS, levels, strict=True):
        if level > highest:
            part.axis("off")
            continue
        _show(part, np.where(search.ink.ink > level, 0, 255), f"ink above level {level} of 255")
        _draw_candidates(part, search, [one for one in search.candidates if one.level == level])
    around, image, outputs, words = axes
    for part in (around, image, outputs, words):
        part.axis("off")
    if isinstance(answer, Reading):
        assert isinstance(search.found, FoundDigit)
        _show(around, _colour(search.found.surroundings.view), "its ink (green), other ink (orange)")
        _show(image, 255 - np.rint(normalise(search.found.ink) * 255), "what the network sees")
        _draw_outputs(outputs, answer)
        words.text(0, 0.9, _tell(answer, search.found), va="top", wrap=True, fontsize=12)
        lines = [WEIGHING, BOXES]
    else:
        text = f"There is no reading:\n\n{search.found}."
        if search.found is NoDigit.NOT_ONE:
            text += f"\n\n{TWO_ON_ONE_PAPER}"
        words.text(0, 0.9, text, va="top", wrap=True, fontsize=12)
        lines = [BOXES]
    if search.candidates:
        _add_legend(figure, search, "\n".join(lines))
    figure.suptitle(make_drawable(title), wrap=True)
    save_figure(figure, path, dpi=100)


def _show(axes: Axes, picture: npt.NDArray[np.generic], title: str) -> None:
    axes.axis("on")
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=11)


def _draw_candidates(
    axes: Axes, search: Search, candidates: Sequence[Candidate], *, scores: bool = True
) -> None:
    best = sorted(search.candidates, key=lambda one: one.score)[-SCORES_SHOWN:]
    # The one that matters most lies on top.
    for candidate in sorted(candidates, key=lambda one: one is search.chosen):
        rows, columns = candidate.box
        corner = columns.start - 1, rows.start - 1
        size = columns.stop - columns.start + 1, rows.stop - rows.start + 1
        box = _make_box(search, candidate, corner, size)
        axes.add_patch(box)
        if scores and (candidate in best or candidate is search.chosen):
            high = rows.start < ROOM * search.ink.ink.shape[0]
            axes.text(
                *corner,
                f"{candidate.score:.2f}",
                color="white",
                fontsize=7,
                va="top" if high else "bottom",
                bbox={"facecolor": box.get_edgecolor(), "edgecolor": "none", "pad": 1},
                clip_on=True,
            )


def _make_box(
    search: Search,
    candidate: Candidate | None,
    corner: tuple[float, float] = (0, 0),
    size: tuple[float, float] = (1, 1),
) -> Rectangle:
    from matplotlib.patches import Rectangle

    colour, line = OTHER, "solid"
    if candidate is not None and candidate is search.chosen:
        colour, line = (CHOSEN, "solid") if isinstance(search.found, FoundDigit) else (REFUSED, "dashed")
    return Rectangle(corner, *size, fill=False, edgecolor=colour, linestyle=line, linewidth=1.5)


def _add_legend(figure: Figure, search: Search, title: str) -> None:
    """Write below the pictures what the boxes are."""
    boxes: dict[str, Rectangle] = {}
    if search.chosen is not None:
        chosen = (
            "chosen, and cut out"
            if isinstance(search.found, FoundDigit)
            else f"chosen, but refused: {search.found}"
        )
        boxes[chosen] = _make_box(search, search.chosen)
    if any(one is not search.chosen for one in search.candidates):
        boxes["another candidate" if boxes else "candidate, refused"] = _make_box(search, None)
    figure.legend(
        boxes.values(),
        boxes.keys(),
        title=title,
        loc="outside lower left",
        ncols=len(boxes),
        frameon=False,
        alignment="left",
        fontsize=10,
        title_fontsize=10,
    )


def _draw_outputs(axes: Axes, reading: Reading) -> None:
    axes.axis("on")
    colours = [CHOSEN if digit == reading.digit else OTHER for digit in range(10)]
    axes.bar(range(10), reading.outputs.tolist(), color=colours)
    axes.set(xticks=range(10), ylim=(0, 1))
    axes.set_title("the output nodes", fontsize=11)


def _colour(view: Bytes) -> Bytes:
    """A view as a picture, uint8 (24, 24, 3): light in grey, the piece and other ink over it in colour."""
    from matplotlib.colors import to_rgb

    own, other, light = view
    # The paper's own light is at 128, and 255 is white here.
    picture = np.repeat(light[..., np.newaxis] * np.float32(1.9), 3, axis=2)
    for ink, colour in ((other, REFUSED), (own, CHOSEN)):
        share = ink[..., np.newaxis] * np.float32(1 / 255)
        picture += share * (np.array(to_rgb(colour), np.float32) * 255 - picture)
    coloured: Bytes = np.clip(picture, 0, 255).astype(np.uint8)
    return coloured


def _tell(reading: Reading, found: FoundDigit) -> str:
    said = reading.confidence >= NEEDED_CONFIDENCE
    return (
        f"Read as {reading.digit}\nwith confidence {show_confidence(reading.confidence)}:\n"
        f"{'said' if said else 'not said'}, as {NEEDED_CONFIDENCE} is needed.\n\n"
        f"The network: {show_confidence(tell_confidence(reading.outputs))}\n"
        f"The finder: {show_confidence(found.surroundings.likelihood)}"
    )
