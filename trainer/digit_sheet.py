"""A sheet of own digits: all their pictures with their numbers, in one PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from shared.atomic_file import write_atomically
from shared.digit_image import IMAGE_SIZE
from shared.reading import show_confidence
from trainer.own_digits import OwnDigit

# Pixels: of a picture, which is drawn three times as large, of what is written below it, and between two.
SIDE, CAPTION, GAP = 3 * IMAGE_SIZE, 38, 10
COLUMNS = 12

# On one sheet; more make a picture that few programs open.
MOST_ON_A_SHEET = 1200

PAPER, NUMBER, INK, LABELLED, DOUBTED = "#ffffff", "#000000", "#606060", "#2166ac", "#b2182b"


def draw_sheet(digits: Sequence[OwnDigit], path: Path) -> None:
    """Draw digits in their order, `MOST_ON_A_SHEET` at most, each with its number and what it is read as.

    Below a digit that has a label that is written, in red if it was read as something else.
    """
    shown = digits[:MOST_ON_A_SHEET]
    columns = min(COLUMNS, max(1, len(shown)))
    rows = max(1, -(-len(shown) // columns))
    width, height = SIDE + GAP, SIDE + CAPTION + GAP
    sheet = Image.new("RGB", (columns * width + GAP, rows * height + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, digit in enumerate(shown):
        left, top = GAP + place % columns * width, GAP + place // columns * height
        # Dark ink on white paper, as people know it.
        picture = Image.fromarray(255 - digit.image).resize((SIDE, SIDE), Image.Resampling.NEAREST)
        sheet.paste(picture, (left, top))
        draw.rectangle((left - 1, top - 1, left + SIDE, top + SIDE), outline="#d0d0d0")
        draw.text((left, top + SIDE + 2), f"{digit.number}", fill=NUMBER)
        draw.text(
            (left, top + SIDE + 14), f"read {digit.digit} ({show_confidence(digit.confidence)})", fill=INK
        )
        if digit.label is not None:
            colour = LABELLED if digit.label == digit.digit else DOUBTED
            draw.text((left, top + SIDE + 26), f"is {digit.meaning}", fill=colour)
    content = io.BytesIO()
    sheet.save(content, "PNG")
    write_atomically(path, content.getvalue())
