"""A picture of what augmentation does: a row for each kind, beside the digit as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from shared.feedforward import FloatArray
from trainer.augmentation import Amounts, Deformations, Rotations
from trainer.datasets import Dataset
from trainer.errors import BadSettingError
from trainer.plots import save_figure
from trainer.training import Augmentation

# Pictures in a row, the digit as it is among them.
ACROSS = 10

# A recipe may leave strokes as they are; their row shows what thicker and thinner ones would be.
SHOWN_STROKE = 0.4

NONE = Amounts(turn=0, slant=0, taller=0, wider=0, shift=0, bend=0, stroke=0)


def draw_augmentation(
    dataset: Dataset, amounts: Amounts, strength: float, degrees: float, seed: int, path: Path
) -> None:
    """Draw what each kind of deformation makes of a digit, and what all make together.

    Parameters
    ----------
    dataset : from which a digit of each kind is taken
    amounts, strength : of the deformations, see `trainer.augmentation.Deformations`
    degrees : of the talk's rotations
    seed : tells which digits, and how they are deformed
    """
    from matplotlib.figure import Figure  # half a second to import

    random = np.random.default_rng(seed)
    rows: list[tuple[str, Augmentation]] = [
        (f"the talk's rotations\n{degrees:g} degrees left or right", Rotations(degrees)),
        *(
            (text, Deformations(1.0, replace(NONE, smoothness=amounts.smoothness, **part)))
            for text, part in _list_kinds(amounts, strength)
        ),
        (f"all together,\nstrength {strength:g}", Deformations(strength, amounts)),
    ]
    figure = Figure(figsize=(0.8 * ACROSS + 2.6, 0.84 * len(rows) + 0.3), layout="constrained")
    grid = figure.subplots(len(rows), ACROSS)
    for index, ((text, augmentation), axes) in enumerate(zip(rows, grid, strict=True)):
        image = _choose(dataset, index % 10, random)
        shown = [image, *(augmentation(image[np.newaxis], random, 1.0)[0] for _ in range(ACROSS - 1))]
        for one, axis in zip(shown, axes, strict=True):
            axis.imshow(one, cmap="gray_r", vmin=0, vmax=1)
            axis.set(xticks=(), yticks=())
            axis.spines[:].set_color("#bbbbbb")
        axes[0].spines[:].set(color="#b2182b", linewidth=2)
        axes[0].set_ylabel(text, rotation=0, ha="right", va="center", fontsize=9, labelpad=8)
    grid[0, 0].set_title("as it is", fontsize=9)
    save_figure(figure, path)


def _list_kinds(amounts: Amounts, strength: float) -> list[tuple[str, dict[str, float]]]:
    turn, slant, taller, wider, shift, bend, stroke = (
        strength * getattr(amounts, name)
        for name in ("turn", "slant", "taller", "wider", "shift", "bend", "stroke")
    )
    return [
        (f"turn\n{turn:.2g} degrees", {"turn": turn}),
        (f"slant\n{slant:.2g} of the height", {"slant": slant}),
        (f"taller, wider\n{taller:.2g}, {wider:.2g} of the size", {"taller": taller, "wider": wider}),
        (f"shift\n{shift:.2g} px", {"shift": shift}),
        (f"bend\n{bend:.2g} px, alike within {amounts.smoothness:g} px", {"bend": bend}),
        (
            f"stroke\n{stroke:.2g} px" if stroke else f"stroke\n--stroke {SHOWN_STROKE:g}, left out below",
            {"stroke": stroke or SHOWN_STROKE},
        ),
    ]


def _choose(dataset: Dataset, digit: int, random: np.random.Generator) -> FloatArray:
    (places,) = np.nonzero(dataset.labels == digit)
    if not len(places):
        raise BadSettingError(f"{dataset.name}: no {digit} in it to show")
    image: FloatArray = dataset.images[random.choice(places)] * np.float32(1 / 255)
    return image
