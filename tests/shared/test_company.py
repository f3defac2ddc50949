import numpy as np
import pytest

from shared.candidates import tell_overlap
from shared.company import find_companion
from shared.digit_finder import NoDigit, find_digit, search_frame, search_in_turn
from shared.reading import read_digit, search_and_read
from shared.weights import load_weights
from tests.shared.drawing import FIVE, SEVEN, TWO, WIDTH, draw, photograph
from tests.shared.test_digit_finder import assert_found


@pytest.fixture(scope="module")
def shipped():
    return load_weights().network


@pytest.mark.parametrize("gap", [20, 50, 90])
@pytest.mark.parametrize("other", [TWO, FIVE])
def test_two_digits_are_not_one_digit(shipped, gap, other):
    ink = draw(TWO, size=80, at=(80 - gap / 2, 70)) + draw(other, size=80, at=(120 + gap / 2, 75))
    frame = photograph(np.minimum(ink, 1))
    assert find_digit(frame) is NoDigit.NOT_ONE
    search, answer = search_and_read(frame, shipped)
    assert answer is NoDigit.NOT_ONE
    assert search.chosen is not None


@pytest.mark.parametrize("place", [(230, 20), (120, 140), (20, 20), (30, 160), (240, 160)])
def test_two_digits_on_one_sheet_are_not_one_digit_wherever_they_are(place):
    frame = photograph(draw(TWO, size=70, at=(120, 20)) + draw(SEVEN, size=60, pen=6, at=place))
    assert find_digit(frame) is NoDigit.NOT_ONE


def test_two_digits_are_not_one_where_their_boxes_overlap_or_a_shadow_is_on_one(shipped):
    slanted = [[(0.1, 0.0), (0.6, 0.0), (0.0, 1.0)]]
    ink = draw(slanted, size=120, pen=9, at=(90, 60)) + draw(slanted, size=120, pen=9, at=(163, 60))
    assert read_digit(photograph(ink), shipped) is NoDigit.NOT_ONE
    ink = draw(TWO, size=90, at=(60, 70)) + draw(SEVEN, size=90, at=(200, 70))
    assert find_digit(photograph(ink, np.where(np.arange(WIDTH) < 160, 200, 130))) is NoDigit.NOT_ONE


def test_two_digits_are_both_found_in_turn():
    places = ((60, 70), (200, 70))
    digits = [draw(strokes, size=80, at=at) for strokes, at in zip((TWO, SEVEN), places, strict=True)]
    searches = search_in_turn(photograph(sum(digits)))
    found = sorted((next(searches).found.box, next(searches).found.box))
    for box, ink in zip(found, digits, strict=True):
        rows, columns = np.nonzero(ink > 0.5)
        assert abs(box.x - columns.min()) <= 4
        assert abs(box.y + box.height - rows.max()) <= 4


def test_of_several_the_likeliest_is_the_companion():
    places = ((20, 60), (130, 60), (240, 90))
    ink = sum(draw(TWO, size=size, at=at) for size, at in zip((70, 80, 60), places, strict=True))
    search = search_frame(photograph(ink))
    companion = find_companion(search.ink, search.candidates, search.chosen)
    others = [one.score for one in search.candidates if tell_overlap(one.box, search.chosen.box) == 0]
    assert len(set(others)) > 1
    assert companion.score == max(others)


@pytest.mark.parametrize(("share", "is_alike"), [(0.11, True), (0.09, False)])
def test_what_is_less_than_a_tenth_as_likely_by_its_shape_is_no_company(share, is_alike):
    ink = draw(TWO, size=80, at=(60, 70)) + draw(SEVEN, size=80, at=(200, 70))
    search = search_frame(photograph(ink))
    others = [
        one._replace(score=share * search.chosen.score)
        for one in search.candidates
        if tell_overlap(one.box, search.chosen.box) == 0
    ]
    assert (find_companion(search.ink, others, search.chosen) is not None) == is_alike


def test_a_line_of_writing_is_not_one_digit():
    ink = sum(
        draw(strokes, size=40, pen=4, at=(30 + 45 * place, 100))
        for place, strokes in enumerate([TWO, SEVEN] * 3)
    )
    assert find_digit(photograph(ink)) is NoDigit.NOT_ONE


def test_what_is_written_on_another_sheet_is_no_company():
    ink = draw(TWO, size=80, at=(90, 70))
    other = draw(TWO, size=80, at=(230, 70))
    paper = np.where(np.arange(WIDTH) < 180, 200, 90)
    assert_found(photograph(np.maximum(ink, other), paper), ink)


@pytest.mark.parametrize(
    ("behind", "darkness", "alone"), [(160, 0.7, True), (160, 1, False), (200, 0.7, False)]
)
def test_what_shows_close_beside_the_cards_edge_is_no_company(behind, darkness, alone):
    ink = draw(TWO, size=80, at=(80, 70))
    paper = np.where(np.arange(WIDTH) < 152, 200, behind)
    frame = photograph(ink + darkness * draw(SEVEN, size=80, at=(160, 70)), paper)
    if alone:
        assert_found(frame, ink)
    else:
        assert find_digit(frame) is NoDigit.NOT_ONE
