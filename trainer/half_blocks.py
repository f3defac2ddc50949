"""Pictures in a terminal: two pixels a character, one above the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from rich.style import Style
from rich.text import Text

UPPER_HALF = "\N{UPPER HALF BLOCK}"

# From paper to ink, for terminals without colours; each two columns wide, as a line is twice as high.
SHADES = "  ", "░░", "▒▒", "▓▓", "██"


def draw_half_blocks(image: npt.NDArray[np.uint8], *, larger: int = 1) -> Text:
    """Draw a picture, uint8 (H, W), 255 = white: W characters wide and H / 2 lines high, times `larger`."""
    pixels = np.repeat(np.repeat(image, larger, axis=0), larger, axis=1)
    if len(pixels) % 2:
        pixels = np.pad(pixels, ((0, 1), (0, 0)))
    picture = Text(no_wrap=True)
    for upper, lower in zip(pixels[::2].tolist(), pixels[1::2].tolist(), strict=True):
        for above, below in zip(upper, lower, strict=True):
            picture.append(
                UPPER_HALF,
                Style(color=f"rgb({above},{above},{above})", bgcolor=f"rgb({below},{below},{below})"),
            )
        picture.append("\n")
    return picture


def draw_shades(image: npt.NDArray[np.uint8]) -> Text:
    """Draw a picture, uint8 (H, W), without colours: 2 W characters wide and H lines high."""
    levels = image.astype(np.intp) * len(SHADES) // 256
    return Text("\n".join("".join(SHADES[level] for level in row) for row in levels.tolist()) + "\n")
