"""What is no digit: letters, signs, doodles, two digits, half a digit, and what else a camera comes upon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.feedforward import FloatArray
from shared.strokes import draw_lines, write_strokes
from trainer.doodles import draw_doodle
from trainer.fonts import FOREIGN, LETTERS, SIGNS, draw_text
from trainer.variants import SIDE, draw_pen, rewrite

# The share of a digit's width that is left where it is cut off at one side.
LEFT_OVER = (0.25, 0.5)

Images = npt.NDArray[np.uint8]


class Negatives:
    """Draws what is no digit.

    Parameters
    ----------
    fonts : whose letters and signs it draws; without any it draws none
    images : uint8 (count, 28, 28), digits to cut off, or to write side by side
    labels : uint8 (count,), which digits they are
    """

    def __init__(self, fonts: Sequence[Path], images: Images, labels: npt.NDArray[np.uint8]) -> None:
        self._fonts = fonts
        self._images = images
        # Half of another digit may well be a 1, and half of an 8 a 3.
        self._cuttable = np.flatnonzero(np.isin(labels, (2, 5)))
        self._kinds: list[tuple[float, Callable[[np.random.Generator], FloatArray]]] = [
            *(((0.43, self.draw_letter), (0.05, self.draw_word)) if fonts else ()),
            (0.32, draw_drawing),
            (0.06, draw_stain),
            (0.04, draw_gap),
            (0.07, self.draw_pair),
            (0.03, self.draw_part),
        ]

    def draw(self, random: np.random.Generator) -> FloatArray:
        """Draw one of any kind: float32 (H, W), 1 = ink."""
        shares, kinds = zip(*self._kinds, strict=True)
        ink: FloatArray = kinds[random.choice(len(kinds), p=np.divide(shares, sum(shares)))](random)
        return ink

    def draw_letter(self, random: np.random.Generator) -> FloatArray:
        """Draw a letter, or a sign, or a foreign one, as a hand bends it."""
        kind = random.random()
        return bend(
            self._draw_text(LETTERS if kind < 0.6 else SIGNS if kind < 0.88 else FOREIGN, 1, random), random
        )

    def draw_word(self, random: np.random.Generator) -> FloatArray:
        """Draw two or three letters."""
        return bend(self._draw_text(LETTERS, int(random.integers(2, 4)), random), random)

    def _draw_text(self, characters: str, count: int, random: np.random.Generator) -> FloatArray:
        while True:
            text = "".join(random.choice(list(characters), count))
            font = self._fonts[int(random.integers(len(self._fonts)))]
            ink = draw_text(font, text, SIDE)
            if ink is not None:
                return ink

    def draw_pair(self, random: np.random.Generator) -> FloatArray:
        """Two digits side by side, that touch or nearly do."""
        left, right = (
            rewrite(image, random) for image in self._take(random, np.arange(len(self._images)), 2)
        )
        overlap = int(random.uniform(-0.3, 0.25) * min(left.shape[1], right.shape[1]))
        height = max(len(left), len(right))
        pair = np.zeros((height, left.shape[1] + right.shape[1] - overlap), np.float32)
        pair[: len(left), : left.shape[1]] = left
        side = pair[: len(right), -right.shape[1] :]
        np.maximum(side, right, out=side)
        return pair

    def draw_part(self, random: np.random.Generator) -> FloatArray:
        """A digit that is cut off at its left or its right."""
        (image,) = self._take(random, self._cuttable, 1)
        columns = np.flatnonzero(image.any(axis=0))
        width = int(random.uniform(*LEFT_OVER) * (columns[-1] + 1 - columns[0]))
        part = np.zeros_like(image)
        kept = slice(columns[0], columns[0] + width)
        if random.random() < 0.5:
            kept = slice(columns[-1] + 1 - width, columns[-1] + 1)
        part[:, kept] = image[:, kept]
        return rewrite(part, random) if part.any() else self.draw_part(random)

    def _take(self, random: np.random.Generator, places: npt.NDArray[np.intp], count: int) -> FloatArray:
        taken: FloatArray = self._images[random.choice(places, count)].astype(np.float32) / 255
        return taken


def draw_drawing(random: np.random.Generator) -> FloatArray:
    """A doodle, drawn with some pen."""
    return draw_lines(write_strokes(draw_doodle(random), random), SIDE, SIDE * draw_pen(random))


def draw_stain(random: np.random.Generator) -> FloatArray:
    """A shape without a plan, with holes or without: a fist, leaves, a crumpled shadow."""
    from scipy import ndimage

    field = random.standard_normal((SIDE, SIDE), np.float32)
    for coarseness in random.uniform((2.0, 3.0), (4.0, 9.0)):
        field += (
            ndimage.gaussian_filter(random.standard_normal((SIDE, SIDE), np.float32), coarseness)
            * coarseness
            * 4
        )
    field = ndimage.gaussian_filter(field, 1.0)
    pieces, _ = ndimage.label(field > np.quantile(field, random.uniform(0.6, 0.85)))
    largest = np.argmax(np.bincount(pieces.ravel())[1:]) + 1
    stain: FloatArray = ndimage.gaussian_filter((pieces == largest).astype(np.float32), 0.7)
    stain /= stain.max()
    return stain


def draw_gap(random: np.random.Generator) -> FloatArray:
    """The dark between two or more fingers, or between things: wedges that end in points, bent and uneven.

    Each is much wider at one end than at the other, or else it would be a 1.
    """
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    inside = np.full((SIDE, SIDE), -np.inf, np.float32)
    count = int(random.integers(1, 4))
    wide_end = random.uniform(0.1, 0.22)
    for index in range(count):
        along = np.linspace(0, 1, 30)
        sway = (
            random.uniform(-0.25, 0.25) * along**2
            + (index - (count - 1) / 2) * random.uniform(0.2, 0.3) * along
        )
        radius = wide_end * (1 - along) ** random.uniform(0.5, 1.5) + 0.01
        radius *= 1 + random.uniform(0, 0.3) * np.sin(along * random.uniform(4, 12) + random.uniform(0, 6))
        for x, y, half in zip(0.5 + sway, 0.1 + 0.8 * along, radius, strict=True):
            distance = np.hypot(columns - x * SIDE, rows - y * SIDE)
            np.maximum(inside, half * SIDE - distance, out=inside)
    ink: FloatArray = np.clip(inside + 0.5, 0, 1)
    return np.rot90(ink, int(random.choice((0, 2)))).copy()


def bend(ink: FloatArray, random: np.random.Generator) -> FloatArray:
    """Slant, stretch and bend ink as a hand does."""
    from scipy import ndimage

    ink = np.pad(ink, max(ink.shape) // 4)
    height, width = ink.shape
    tall, wide, slant, turn = random.normal((0, 0, 0.05, 0), (0.12, 0.12, 0.12, 0.08))
    y, x = np.ogrid[-height / 2 : height / 2 : height * 1j, -width / 2 : width / 2 : width * 1j]
    (rise, sway), (one, other) = random.normal(0, 0.03, 2) * SIDE, random.uniform(0, 6, 2)
    rows = np.exp(tall) * (y + turn * x) + rise * np.sin(x / (0.3 * SIDE) + one)
    columns = np.exp(wide) * (x + (slant - turn) * y) + sway * np.sin(y / (0.3 * SIDE) + other)
    bent: FloatArray = ndimage.map_coordinates(ink, (rows + height / 2, columns + width / 2), order=1)
    return bent
