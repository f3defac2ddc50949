from pathlib import Path

import matplotlib
import numpy as np
import pytest

from shared.digit_image import crop, measure_stroke
from shared.strokes import write_strokes
from trainer.doodles import DOODLES, MADE_UP, glyph
from trainer.errors import MissingFontError
from trainer.fonts import (
    FOREIGN,
    LETTERS,
    SIGNS,
    TESTING_FONTS,
    TRAINING_FONTS,
    VALIDATION_FONTS,
    draw_text,
    list_fonts,
)
from trainer.negatives import Negatives, bend, draw_gap
from trainer.variants import SIDE, print_digit, rewrite, write_digit

# Matplotlib brings it along, so it is there without any package of fonts.
FONT = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"


@pytest.fixture
def random():
    return np.random.default_rng(3)


def test_no_font_is_for_more_than_one_purpose():
    purposes = (TRAINING_FONTS, VALIDATION_FONTS, TESTING_FONTS)
    assert len({package for fonts in purposes for package in fonts}) == sum(map(len, purposes))


def test_no_letter_is_one_that_looks_like_a_digit():
    assert not set(LETTERS + SIGNS + FOREIGN) & set("0123456789OoQIlij|!/()[]Zz2Ss$GbBgqΘθΦφσ")


def test_a_missing_font_is_said_with_its_package():
    with pytest.raises(MissingFontError, match="sudo apt install fonts-of-nobody"):
        list_fonts({"fonts-of-nobody": ("nobody/Nobody.ttf",)})


def test_text_is_drawn_as_ink_with_hardly_any_paper_around():
    ink = draw_text(FONT, "H", 60)
    assert ink.dtype == np.float32
    assert 40 < len(ink) < 60
    assert len(ink) - len(crop(ink)) <= 2
    assert draw_text(FONT, "HH", 60).shape[1] > 1.8 * ink.shape[1]


def test_a_character_that_the_font_lacks_is_not_drawn():
    assert draw_text(FONT, "あ", 60) is None


@pytest.mark.parametrize("doodle", dict.fromkeys((*DOODLES, *MADE_UP)))
def test_each_doodle_can_be_written(doodle, random):
    for _ in range(5):
        points = np.concatenate(write_strokes(doodle(random), random))
        assert np.isfinite(points).all()
        assert np.ptp(points, axis=0).min() > 0.02


def test_negatives_of_all_kinds_are_ink(drawn_digits, random):
    negatives = Negatives([FONT], drawn_digits.images, drawn_digits.labels)
    for _ in range(60):
        ink = negatives.draw(random)
        assert ink.dtype == np.float32
        assert ink.min() >= 0
        assert 0.9 < ink.max() <= 1.0001  # rounding


def test_a_part_of_a_digit_is_narrower_than_the_whole(drawn_digits, random):
    negatives = Negatives([FONT], drawn_digits.images, drawn_digits.labels)
    for _ in range(10):
        part = negatives.draw_part(random)
        assert part.shape[1] < 0.6 * part.shape[0]


def test_a_pair_is_wider_than_high(drawn_digits, random):
    negatives = Negatives([FONT], drawn_digits.images, drawn_digits.labels)
    widths = [pair.shape[1] / pair.shape[0] for pair in (negatives.draw_pair(random) for _ in range(150))]
    assert np.median(widths) > 0.9


def test_a_glyph_is_too_wide_for_a_1(random):
    for _ in range(30):
        wide, tall = np.ptp(np.concatenate([np.array(stroke) for stroke in glyph(random)]), axis=0)
        assert wide > 0.4 * tall


def test_a_gap_is_much_wider_at_one_end(random):
    rows = [draw_gap(random).sum(axis=1) for _ in range(40)]
    ends = [sorted((row[6:14].mean(), row[-14:-6].mean())) for row in rows]
    assert np.median([wide / max(thin, 1) for thin, wide in ends]) > 2


def test_bending_keeps_the_ink(random):
    ink = draw_text(FONT, "R", 60)
    for _ in range(10):
        bent = bend(ink, random)
        assert bent.sum() == pytest.approx(ink.sum(), rel=0.6)
        assert bent.max() > 0.9


def test_digits_are_rewritten_with_pens_from_fine_to_felt_tip(drawn_digits, random):
    digit = drawn_digits.images[4] / np.float32(255)
    widths = [measure_stroke(ink) / max(ink.shape) for ink in (rewrite(digit, random) for _ in range(40))]
    assert min(widths) < 0.06
    assert max(widths) > 0.13


@pytest.mark.parametrize("digit", range(10))
def test_digits_are_written_and_printed(digit, random):
    for ink in (write_digit(digit, random), print_digit(digit, random, [FONT])):
        assert SIDE / 2 < max(ink.shape) < 2 * SIDE
        assert 0.02 < ink.mean() < 0.8
