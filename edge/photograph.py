"""Image files as frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.errors import BadPictureError

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def read_photograph(path: Path) -> npt.NDArray[np.uint8]:
    """Read an image file as grey pixels, uint8 (height, width), the way up its EXIF data says.

    Raises
    ------
    BadPictureError : if it is no image that can be read, or too large to be a photograph
    """
    from PIL import Image, ImageOps  # a Pi that only looks through its camera never needs it

    try:
        with Image.open(path) as picture:
            # A JPEG can be read at a fraction of its size, which is all that finding a digit needs.
            picture.draft("L", (1280, 1280))
            upright = ImageOps.exif_transpose(picture)
            if upright.has_transparency_data:
                paper = Image.new("RGBA", upright.size, "white")
                upright = Image.alpha_composite(paper, upright.convert("RGBA"))
            return np.asarray(upright.convert("L"))
    except FileNotFoundError as error:
        raise BadPictureError(f"no file {path}") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadPictureError(f"{path}: not an image that can be read") from error
