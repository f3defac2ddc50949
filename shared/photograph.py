"""Image files as frames, read the same way by the trainer and by the edge.

Pillow is not imported here: whoever has it hands in `PIL.Image.open`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.digit_finder import SMALLEST_FRAME
from shared.errors import BadPictureError

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

# More is no photograph, and would fill a Pi Zero's memory.
MOST_PIXELS = 50_000_000

# Finding a digit needs no more pixels along the longer side than between this and twice this.
ENOUGH_PIXELS = 1280

STRIP = 64  # rows of what is read, that are read at a time

_ORIENTATION = 0x0112  # the EXIF tag

Pixels = npt.NDArray[np.uint8]

# How to turn a picture upright, by its EXIF orientation; 1 is upright already.
_UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(np.transpose(pixels), 2),
    8: np.rot90,
}


def read_photograph(path: Path, open_picture: Callable[[Path], Any]) -> Pixels:
    """Read an image file as grey pixels, uint8 (height, width), the way up its EXIF data says.

    Transparent pixels are paper. Large pictures are reduced while they are read.

    Parameters
    ----------
    open_picture : `PIL.Image.open`

    Raises
    ------
    BadPictureError : if it is no image that can be read, or too large or too small to be a photograph
    """
    try:
        if not path.is_file():
            if path.is_dir():
                raise BadPictureError(f"{path} is a folder: name files in it")
            raise BadPictureError(
                f"{path} is not a plain file: name one" if path.exists() else f"no file {path}"
            )
    except OSError as error:  # a name that is too long, say
        raise BadPictureError(f"{path}: {error.strerror}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the limit on pixels below is stricter than Pillow's
            with open_picture(path) as picture:
                width, height = picture.size
                if width * height <= MOST_PIXELS and min(width, height) >= SMALLEST_FRAME:
                    return _read_upright(picture)
    except Exception as error:  # decoders raise all kinds of errors over a damaged file
        raise BadPictureError(f"{path}: not an image that can be read") from error
    raise BadPictureError(
        f"{path}: {width}x{height} pixels, where {SMALLEST_FRAME}x{SMALLEST_FRAME} to "
        f"{MOST_PIXELS // 1_000_000} million belong"
    )


def _read_upright(picture: Any) -> Pixels:
    orientation = picture.getexif().get(_ORIENTATION, 1)
    picture.draft("L", (ENOUGH_PIXELS, ENOUGH_PIXELS))  # a JPEG can be read at a fraction of its size
    is_deep = picture.mode.startswith("I") or picture.mode == "F"
    pixels = np.concatenate(list(_read_deep(picture) if is_deep else _read_grey(picture)))
    if turn := _UPRIGHT.get(orientation):
        pixels = turn(pixels)
    return np.ascontiguousarray(pixels)


def _cut_strips(picture: Any, rows: int) -> Iterator[Any]:
    """Cut a picture into strips of so many rows: copies of all of it would fill a Pi Zero's memory."""
    width, height = picture.size
    for top in range(0, height, rows):
        yield picture.crop((0, top, width, min(top + rows, height)))


def _read_grey(picture: Any) -> Iterator[Pixels]:
    """Reduce a picture of bytes, in grey or in colours, strip by strip."""
    is_transparent = "A" in picture.getbands() or "transparency" in picture.info
    factor = max(1, min(max(picture.size) // ENOUGH_PIXELS, min(picture.size) // SMALLEST_FRAME))
    for strip in _cut_strips(picture, STRIP * factor):
        grey = (_put_on_paper(strip.convert("RGBA")) if is_transparent else strip).convert("L")
        yield np.asarray(grey.reduce(factor) if factor > 1 else grey)


def _put_on_paper(picture: Any) -> Any:
    paper = picture.copy()
    paper.paste((255, 255, 255, 255), (0, 0, *picture.size))
    paper.alpha_composite(picture)
    return paper


def _read_deep(picture: Any) -> Iterator[Pixels]:
    """Scale a picture of 16 bits a pixel, or of floating point numbers, to bytes, strip by strip."""
    highest = max(float(np.nanmax(strip, initial=0.0)) for strip in _cut_strips(picture, STRIP))
    full = 65535.0 if highest > 255 else 255.0 if highest > 1 else 1.0
    for strip in _cut_strips(picture, STRIP):
        values = np.nan_to_num(np.asarray(strip, np.float32)) / full
        yield (np.clip(values, 0, 1) * 255).astype(np.uint8)
