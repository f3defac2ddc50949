"""The report page: all there is to say of a network, in one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from shared.digit_image import IMAGE_SIZE
from shared.feedforward import FloatArray
from shared.reading import NEEDED_CONFIDENCE, show_confidence
from shared.weights import TrainedNetwork
from trainer.backquery import make_minds
from trainer.calibration import Reliability, measure_reliability
from trainer.datasets import Dataset
from trainer.evaluation import Evaluation, evaluate
from trainer.mistakes import Mistake, find_mistakes
from trainer.plots import plot_reliability
from trainer.reports import show_in_line
from trainer.significance import CONFIDENCE_LEVEL, find_interval

# On the page; `inkling-trainer evaluate --mistakes` draws more.
MOST_MISTAKES = 40

LEVEL = f"{100 * CONFIDENCE_LEVEL:.0f} %"

# Drawn in this colour, lines and letters take on that of the page's text, dark or light.
INK = "#010203"

STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fdfdfb; --pale: #7a7f87; --line: #d9dbde;
  --mark: 178, 24, 43; --right: 33, 102, 172; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6ea; --paper: #16181c; --pale: #9299a3;
  --line: #363a41; --mark: 244, 120, 110; --right: 120, 180, 235; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
p.figure { font-size: 2.6rem; margin: 0; line-height: 1.2; }
p.note, th { color: var(--pale); font-weight: normal; font-size: 0.9rem; }
table { border-collapse: collapse; } td, th { padding: 0.2rem 0.7rem; text-align: right; }
tbody tr { border-top: 1px solid var(--line); }
table.card td { text-align: left; vertical-align: top; overflow-wrap: anywhere; }
table.card th { text-align: left; white-space: nowrap; vertical-align: top; }
table.confusion td, table.confusion th { width: 2.2rem; text-align: center; }
.scroll { overflow-x: auto; }
.sheet { display: flex; flex-wrap: wrap; gap: 0.6rem; }
figure { margin: 0; width: 80px; text-align: center; }
figcaption { color: var(--pale); font-size: 0.8rem; line-height: 1.3; white-space: nowrap; }
figure.wrong figcaption { color: rgb(var(--mark)); }
img.digit { width: 80px; height: 80px; image-rendering: pixelated; border: 1px solid var(--line); }
svg { max-width: 34rem; width: 100%; height: auto; }
"""


def write_page(trained: TrainedNetwork, tests: Dataset, learnt: Dataset | None) -> str:
    """Write the report of a network.

    Parameters
    ----------
    tests : what it is evaluated on
    learnt : pictures to take averages of, for its mind; None leaves its mind out

    Returns
    -------
    HTML with all pictures in it
    """
    evaluation = evaluate(trained.network, tests)
    reliability = measure_reliability(trained.network, tests)
    mistakes = find_mistakes(trained.network, tests, MOST_MISTAKES)
    title = f"Inkling network {trained.name}"
    sections = [
        _write_summary(trained, evaluation, tests),
        _write_digits(evaluation),
        _write_confusion(evaluation),
        _write_mistakes(mistakes, evaluation),
        _write_reliability(reliability),
    ]
    if learnt is not None:
        sections.append(_write_minds(trained, learnt))
    sections.append(_write_card(trained))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(sections)
        + "\n</body>\n</html>\n"
    )


def _write_summary(trained: TrainedNetwork, evaluation: Evaluation, tests: Dataset) -> str:
    low, high = find_interval(evaluation.correct, evaluation.images)
    size = sum(part.size for part in trained.network.parameters)
    sentences = [
        f"{' - '.join(map(str, trained.network.layers))} nodes, {trained.network.activation}; "
        f"{size:,} weights, kept as {trained.precision}.",
        f"Of the digits read right {_percent(evaluation.right_said)} are said, with the needed confidence of "
        f"{NEEDED_CONFIDENCE:g}.",
    ]
    if evaluation.no_digits:
        share = _percent(evaluation.no_digits_said)
        sentences.append(f"Of {evaluation.no_digits:,} pictures of no digit {share} are said to be one.")
    return (
        f'<p class="figure">{_percent(evaluation.accuracy)}</p>\n'
        f"<p>{evaluation.correct:,} of {evaluation.images:,} digits read right ({escape(tests.name)}); the "
        f"true share lies between {_percent(low)} and {_percent(high)} ({LEVEL} interval, "
        f"Wilson).</p>\n<p>{' '.join(sentences)}</p>"
    )


def _write_digits(evaluation: Evaluation) -> str:
    rows = []
    for digit in range(10):
        row = evaluation.confusion[digit]
        right, count = int(row[digit]), int(row.sum())
        low, high = find_interval(right, count)
        rows.append(
            (
                str(digit),
                f"{count:,}",
                _percent(float(evaluation.recall[digit])),
                f"{_percent(low)} to {_percent(high)}",
                _percent(float(evaluation.precision[digit])),
            )
        )
    names = ("digit", "images", "recall", f"{LEVEL} interval", "precision")
    return (
        "<h2>Digit by digit</h2>\n"
        + _write_table(names, rows)
        + '<p class="note">Recall: of the pictures of a digit, the share read as it. Precision: of those '
        "read as it, the share that are.</p>"
    )


def _write_confusion(evaluation: Evaluation) -> str:
    shares = evaluation.confusion / np.maximum(evaluation.confusion.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0)
    strongest = max(0.01, float(shares.max()))
    rows = []
    for label, counts in enumerate(evaluation.confusion.tolist()):
        cells = [
            f'<td style="background: rgba(var(--{"right" if label == digit else "mark"}), '
            f'{0.15 if label == digit else 0.75 * shares[label, digit] / strongest:.2f})">{count or ""}</td>'
            for digit, count in enumerate(counts)
        ]
        rows.append(f"<tr><th>{label}</th>{''.join(cells)}</tr>")
    head = "".join(f"<th>{digit}</th>" for digit in range(10))
    return (
        "<h2>Confusion matrix</h2>\n"
        '<p class="note">A row for what it was, a column for what the network read.</p>\n'
        f'<div class="scroll"><table class="confusion"><thead><tr><th></th>{head}</tr></thead>\n'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _write_mistakes(mistakes: Sequence[Mistake], evaluation: Evaluation) -> str:
    if not mistakes:
        return "<h2>The worst mistakes</h2>\n<p>There are none.</p>"
    figures = (
        _write_figure(
            mistake.image,
            f"read {mistake.digit} ({show_confidence(mistake.confidence)})",
            f"was {mistake.meaning}",
        )
        for mistake in mistakes
    )
    count = evaluation.images - evaluation.correct + evaluation.no_digits
    return (
        f"<h2>The worst mistakes</h2>\n"
        f'<p class="note">{len(mistakes)} of {count:,}: '
        "read wrong with most confidence.</p>\n" + _write_sheet(figures)
    )


def _write_reliability(reliability: Reliability) -> str:
    import matplotlib as mpl

    inked = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    # With a salt of its own the same network gives the same page.
    looks: Any = dict.fromkeys(inked, INK) | {"svg.fonttype": "none", "svg.hashsalt": "inkling"}
    with mpl.rc_context(looks):
        file = io.StringIO()
        plot_reliability(reliability, "").savefig(
            file, format="svg", transparent=True, metadata={"Date": None}
        )
    svg = file.getvalue()
    return (
        "<h2>Whether its confidence means what it says</h2>\n"
        + svg[svg.index("<svg") :].replace(INK, "currentColor")
        + '<p class="note">How often readings are right, by their confidence: bars that end on the diagonal '
        "mean what they say. Below, how many readings each bar stands for.</p>"
    )


def _write_minds(trained: TrainedNetwork, learnt: Dataset) -> str:
    parts = ["<h2>What it has in mind</h2>"]
    for kind, pictures in make_minds(trained.network, learnt).items():
        outputs = trained.network.query(pictures)
        read = outputs.argmax(axis=1).tolist()
        figures = (
            _write_figure(
                _to_bytes(pictures[digit]),
                f"read {read[digit]}",
                f"node {digit}: {outputs[digit, digit]:.2f}",
                wrong=read[digit] != digit,
            )
            for digit in range(10)
        )
        parts += [f'<p class="note">{escape(kind)}</p>', _write_sheet(figures)]
    return "\n".join(parts)


def _write_card(trained: TrainedNetwork) -> str:
    content = {"sha256": trained.sha256, "kept as": trained.precision, **asdict(trained.card)}
    rows = (
        f"<tr><th>{escape(key)}</th><td>{_write_value(value)}</td></tr>" for key, value in content.items()
    )
    return f'<h2>Model card</h2>\n<table class="card"><tbody>{"".join(rows)}</tbody></table>'


def _write_value(value: object) -> str:
    if isinstance(value, dict):
        return "<br>".join(
            f"{escape(str(key))}: {escape(show_in_line(inner))}" for key, inner in value.items()
        )
    if isinstance(value, list):
        return "<br><br>".join(map(_write_value, value))
    return escape(show_in_line(value))


def _write_table(names: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>\n'


def _write_sheet(figures: Iterable[str]) -> str:
    return f'<div class="sheet">{"".join(figures)}</div>'


def _write_figure(image: npt.NDArray[np.uint8], *caption: str, wrong: bool = False) -> str:
    file = io.BytesIO()
    Image.fromarray(255 - image).save(file, "PNG")
    picture = base64.b64encode(file.getvalue()).decode()
    return (
        f'<figure{" class=wrong" if wrong else ""}><img class="digit" alt="{escape(", ".join(caption))}" '
        f'src="data:image/png;base64,{picture}"><figcaption>{"<br>".join(map(escape, caption))}</figcaption>'
        "</figure>"
    )


def _to_bytes(inputs: FloatArray) -> npt.NDArray[np.uint8]:
    ink = np.clip((inputs - 0.01) / 0.99, 0, 1).reshape(IMAGE_SIZE, IMAGE_SIZE)
    picture: npt.NDArray[np.uint8] = np.rint(255 * ink).astype(np.uint8)
    return picture


def _percent(share: float) -> str:
    return "" if share != share else f"{100 * share:.2f} %"
