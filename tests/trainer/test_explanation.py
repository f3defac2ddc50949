import re

import numpy as np
import pytest

from shared.digit_finder import FoundDigit, search_frame
from shared.reading import read_digit, show_confidence, tell_confidence
from shared.weights import load_weights
from tests.shared.drawing import FIVE, TWO, draw, photograph
from trainer.explanation import CHOSEN, OTHER, REFUSED, explain

ONE = [[(0.3, 0.0), (0.3, 1.0)]]


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
    assert any("0.75 x network^0.89 x finder^0.7." in line for line in words)
    assert CHOSEN in told
    assert REFUSED not in told


def test_a_one_is_told_to_be_weighed_in_another_way(picture):
    words = read_words(picture(photograph(draw(ONE))))
    assert "Read as 1" in words
    assert any(line.startswith("The finder, asked for a 1: ") for line in words)
    assert any("1 x network^0.56 x finder^1" in line for line in words)


def test_where_nothing_is_read_no_box_looks_as_if_it_were(picture):
    ink = draw(TWO, size=80, at=(55, 70)) + draw(FIVE, size=80, at=(145, 75))
    told = picture(photograph(np.minimum(ink, 1)))
    words = read_words(told)
    assert "chosen, but refused: not one digit" in words
    assert "another candidate" in words
    assert "Nothing was read." in words
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
