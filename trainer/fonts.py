"""Letters and signs of fonts: what people write that is no digit."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shared.feedforward import FloatArray
from trainer.errors import MissingFontError

# Where Debian's packages put fonts, each in a folder under its format's.
FONT_FOLDER = Path("/usr/share/fonts")

# Package -> its fonts. Most were drawn after somebody's handwriting; of each kind some are kept to choose by,
# and some for the last test, which nothing is chosen by.
TRAINING_FONTS: dict[str, tuple[str, ...]] = {
    "fonts-bwht": (
        "bwht/BecauseWeBuild-Regular.otf",
        "bwht/BecauseWeConnect-Regular.otf",
        "bwht/BecauseWeCreate-Regular.otf",
        "bwht/BecauseWeLearn-Regular.otf",
        "bwht/BecauseWeMentor-Regular.otf",
        "bwht/BecauseWeOrganize-Regular.otf",
    ),
    "fonts-dancingscript": ("dancingscript/DancingScript-Regular.otf",),
    "fonts-dejavu-core": ("dejavu/DejaVuSans.ttf", "dejavu/DejaVuSerif.ttf"),
    "fonts-dkg-handwriting": ("fifthhorseman/dkg.ttf",),
    "fonts-humor-sans": ("humor-sans/Humor-Sans.ttf",),
    "fonts-kaushanscript": ("kaushanscript/KaushanScript-Regular.otf",),
    "fonts-kiloji": ("kiloji/kiloji.ttf",),
    "fonts-kristi": ("kristi/Kristi.ttf",),
    "fonts-leckerli-one": ("leckerli-one/LeckerliOne-Regular.ttf",),
    "fonts-lobster": ("lobster/lobster.otf",),
    "fonts-oldstandard": ("fonts-oldstandard/OldStandard-Italic.ttf",),
    "fonts-opendyslexic": ("opendyslexic/OpenDyslexic-Regular.otf",),
    "fonts-seto": ("seto/setofont.ttf",),
    "fonts-sil-andika": ("andika/Andika-Regular.ttf",),
    "fonts-sjfonts": ("sjfonts/SteveHand.ttf", "sjfonts/Delphine.ttf"),
    "fonts-tlwg-purisa-otf": ("tlwg/Purisa.otf",),
}
VALIDATION_FONTS: dict[str, tuple[str, ...]] = {
    "fonts-havana": ("havana/Havana-Regular.otf",),
    "fonts-klee": ("klee/KleeOne-Regular.ttf",),
    "fonts-yusei-magic": ("yusei-magic/YuseiMagic-Regular.ttf",),
}
TESTING_FONTS: dict[str, tuple[str, ...]] = {
    "fonts-breip": ("breip/Breip.ttf",),
    "fonts-comic-neue": ("comic-neue/ComicNeue-Regular.otf",),
    "fonts-ecolier-court": ("ecolier-court/Ecolier-court.ttf",),
    "fonts-lato": ("lato/Lato-Regular.ttf",),
    "fonts-rufscript": ("rufscript/Rufscript010.ttf",),
    "fonts-tomsontalks": ("tomsontalks/TomsonTalks.ttf",),
}

# Not among them, since a person takes them for digits where nothing tells that letters are meant: O o (0);
# I i J j l and all strokes and brackets (1); Z z and a script Q (2); S s $ (5); b G (6); B (8); g q (9).
LETTERS = "ACDEFHKLMNPRTUVWXYacdefhkmnprtuvwxy"
SIGNS = "&?@#%+=*<>^~"
# What only some of the fonts have.
FOREIGN = "ÄÖÜÅÆÑÊÇäöüåæñêçΔΛΞΠΣΨΩαγελμπψωЖДФЮЯжфюяあおきけさたなぬねまみもゆをアオカキサセタネモヤヲ"


def list_fonts(packages: dict[str, tuple[str, ...]]) -> list[Path]:
    """Tell where the fonts of some of Debian's packages are.

    Raises
    ------
    MissingFontError : naming the packages that must be installed first
    """
    if missing := list_missing(packages):
        raise MissingFontError(f"fonts are missing: sudo apt install {' '.join(missing)}")
    return list_installed(packages)


def list_installed(packages: dict[str, tuple[str, ...]]) -> list[Path]:
    """Tell where those fonts of some of Debian's packages are that are installed."""
    return [path for names in packages.values() for name in names if (path := _find(name))]


def list_missing(packages: dict[str, tuple[str, ...]]) -> list[str]:
    """Tell which of Debian's packages of fonts are not installed."""
    return [package for package, names in packages.items() if None in map(_find, names)]


def _find(name: str) -> Path | None:
    return next(FONT_FOLDER.glob(f"*/{name}"), None)


def draw_text(font: Path, text: str, size: int) -> FloatArray | None:
    """Draw text in a font: float32 (height, width), 1 = ink; None if the font lacks a character of it.

    Parameters
    ----------
    size : of the font in pixels, about the height of a tall letter with its descender
    """
    if any(not _has_character(font, character) for character in text):
        return None
    return _draw(font, text, size)


def _draw(font: Path, text: str, size: int) -> FloatArray | None:
    face = _open_font(font, size)
    left, top, right, bottom = face.getbbox(text)
    if right <= left or bottom <= top:
        return None
    picture = Image.new("L", (int(right - left), int(bottom - top)))
    ImageDraw.Draw(picture).text((-left, -top), text, fill=255, font=face)
    ink: FloatArray = np.asarray(picture, np.float32) / np.float32(255)
    return ink


@lru_cache(maxsize=64)
def _open_font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(os.fspath(path), size)


@lru_cache(maxsize=8192)
def _has_character(font: Path, character: str) -> bool:
    drawn, lacking = (_draw(font, text, 32) for text in (character, "\uffff"))
    if drawn is None:
        return False
    # What a font lacks it draws as an empty box, or as a question mark in a box.
    return lacking is None or drawn.shape != lacking.shape or not np.array_equal(drawn, lacking)


if __name__ == "__main__":
    print(*list_missing(TRAINING_FONTS | VALIDATION_FONTS | TESTING_FONTS))
