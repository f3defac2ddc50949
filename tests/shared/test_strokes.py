import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.strokes import FORMS, draw_digit, draw_lines, write_strokes

FORM = [(digit, number) for digit, forms in FORMS.items() for number in range(len(forms))]


@pytest.mark.parametrize(("digit", "number"), FORM)
def test_each_form_is_written_within_its_box_and_fills_it(digit, number):
    random = np.random.default_rng(number)
    for liveliness in (0.0, 0.5, 1.0):
        lines = write_strokes(FORMS[digit][number], random, liveliness)
        assert len(lines) == len(FORMS[digit][number])
        points = np.concatenate(lines)
        assert points.min() >= -1e-9
        assert points.max() <= 1 + 1e-9
        assert max(np.ptp(points, axis=0)) == pytest.approx(1.0)


def test_no_two_are_alike_and_the_same_seed_writes_the_same():
    one, other, again = (
        np.concatenate(write_strokes(FORMS[8][0], np.random.default_rng(seed))) for seed in (1, 2, 1)
    )
    assert np.abs(one - other).max() > 0.01
    np.testing.assert_array_equal(one, again)


@given(pen=st.floats(2.0, 20.0), size=st.integers(30, 90))
def test_a_pen_is_as_wide_as_asked(pen, size):
    upright = np.array([[0.5, 0.0], [0.5, 1.0]])
    ink = draw_lines([upright], size, pen)
    middle = ink[len(ink) // 2]
    assert middle.sum() == pytest.approx(pen, abs=1.01)
    assert ink.dtype == np.float32
    assert ink.max() == 1.0


def test_the_european_forms_are_there():
    assert len(FORMS[1]) >= 3
    assert any(len(form) == 2 for form in FORMS[7])  # crossed
    assert any(form[0][-1][0] < 0.4 and form[0][-1][1] > 0.7 for form in FORMS[9])  # hooked


@pytest.mark.parametrize("digit", range(10))
def test_a_drawn_digit_lies_within_mnists_margins(digit):
    image = draw_digit(digit, np.random.default_rng(digit))
    assert image.shape == (28, 28)
    assert image.dtype == np.float32
    assert image[3:25, 3:25].sum() == pytest.approx(image.sum(), rel=0.02)
    assert 0.02 < image.mean() < 0.3
