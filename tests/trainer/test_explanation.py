import re

import numpy as np
import pytest

from shared.digit_finder import FoundDigit, find_digit, search_frame
from shared.reading import TRUST, read_digit, show_confidence, tell_confidence
from shared.weights import load_weights
from tests.shared.drawing import FIVE, TWO, draw, photograph
from trainer.explanation import CHOSEN, OTHER, REFUSED, explain


@pytest.fixture(scope="module")
def trained():
    return load_weights().network


@pytest.fixture
def picture(tmp_path, trained):
    """Explains a frame, and gives the SVG picture of that; matplotlib puts each line of words there, too."""

    def make(frame):
        explain(frame, trained, "a frame", tmp_path / "steps.svg")
        return (tmp_path / "steps.svg").read_text()

    return make


def read_words(picture):
    return re.findall(r"<!-- (.*?) -->", picture)


def test_the_chosen_box_and_what_was_made_of_it_are_told(picture, trained):
    frame = photograph(draw(TWO))
    reading = read_digit(frame, trained)
    told = picture(frame)
    words = read_words(told)
    assert "chosen, and cut out" in words
    assert f"with confidence {show_confidence(reading.confidence)}:" in words
    assert f"The network: {show_confidence(tell_confidence(reading.outputs))}" in words
    assert f"The finder: {show_confidence(find_digit(frame).surroundings.likelihood)}" in words
    assert any(f"{TRUST.prior_odds:g} x network^{TRUST.network:g} x" in line for line in words)
    assert CHOSEN in told
    assert REFUSED not in told


def test_where_nothing_is_read_no_box_looks_as_if_it_were(picture):
    ink = draw(TWO, size=80, at=(55, 70)) + draw(FIVE, size=80, at=(145, 75))
    told = picture(photograph(np.minimum(ink, 1)))
    words = read_words(told)
    assert "chosen, but refused: not one digit" in words
    assert "another candidate" in words
    assert "There is no reading:" in words
    assert any("same paper" in line for line in words)
    assert not any("network^" in line for line in words)
    assert REFUSED in told
    assert OTHER in told
    assert CHOSEN not in told


def test_the_score_of_each_box_is_written_once(picture):
    frame = photograph(draw(TWO))
    search = search_frame(frame)
    assert isinstance(search.found, FoundDigit)
    words = read_words(picture(frame))
    assert words.count(f"{search.chosen.score:.2f}") == 1


def test_without_boxes_none_are_explained(picture):
    words = read_words(picture(np.full((240, 320), 10, np.uint8)))
    assert "too dark." in words
    assert not any("box" in line for line in words)


@pytest.mark.parametrize("name", [r"'$\foo$.png'", r"a\$b$.png", "$.png", "bad\udcff.png"])
def test_a_name_is_no_formula(tmp_path, trained, name):
    explain(photograph(draw(TWO)), trained, f"{name}, read", tmp_path / "steps.svg")
    shown = name.replace("\udcff", "?")
    assert f"{shown}, read" in read_words((tmp_path / "steps.svg").read_text())


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_letters_that_the_font_lacks_are_no_warning(tmp_path, trained, suffix):
    """Warnings are errors in all tests."""
    path = tmp_path / f"steps.{suffix}"
    explain(photograph(draw(TWO)), trained, "\N{CJK UNIFIED IDEOGRAPH-4E8C}.png, read", path)
    assert path.stat().st_size
