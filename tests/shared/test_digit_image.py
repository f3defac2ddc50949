"""Fitting a digit into 28x28 pixels the way MNIST was made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shared.digit_image import normalise, to_inputs
from shared.errors import NoInkError
from tests.shared.drawing import FIVE, HEIGHT, SEVEN, TWO, WIDTH, box_of, draw

quick = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def centre_of_mass(image):
    return [np.average(np.arange(28), weights=image.sum(axis=axis)) for axis in (1, 0)]


@quick
@given(
    strokes=st.sampled_from([TWO, FIVE, SEVEN]),
    size=st.floats(40, 160),
    pen=st.floats(0.05, 0.2),
    x=st.floats(10, 60),
    y=st.floats(10, 60),
    aspect=st.sampled_from([(1, 1), (1, 2), (2, 1)]),
)
def test_normalise_spans_20_pixels_around_the_centre_of_mass(strokes, size, pen, x, y, aspect):
    ink = draw(strokes, size=size, pen=pen * size, at=(x + 20, y + 20), shape=(260, 260))
    image = normalise(ink[:: aspect[0], :: aspect[1]].astype(np.float32))
    assert image.shape == (28, 28)
    assert image.dtype == np.float32
    assert image.min() >= 0
    assert image.max() <= 1
    assert max(box_of(image)[2:]) == 20
    assert np.abs(np.subtract(centre_of_mass(image), 14)).max() <= 0.51


@quick
@given(x=st.integers(0, 100), y=st.integers(0, 60))
def test_normalise_does_not_care_where_the_ink_is(x, y):
    digit = draw(TWO, at=(10, 10), shape=(130, 100)).astype(np.float32)
    moved = np.zeros((HEIGHT, WIDTH), np.float32)
    moved[y : y + 130, x : x + 100] = digit
    np.testing.assert_array_equal(normalise(moved), normalise(digit))


def test_normalise_keeps_the_aspect():
    image = normalise(np.pad(np.ones((60, 12), np.float32), 30))
    assert box_of(image)[2:] == (4, 20)


def test_normalise_leaves_an_image_of_mnists_alone():
    image = normalise(draw(TWO, pen=14).astype(np.float32))
    np.testing.assert_allclose(normalise(image), image, atol=1e-5)


def test_normalise_brings_every_pen_near_one_width():
    masses = [normalise(draw(TWO, pen=pen).astype(np.float32)).sum() for pen in (2, 5, 10, 15, 22)]
    assert max(masses) < 2.5 * min(masses)


def test_ink_a_little_fuller_than_full_is_full():
    ink = draw(FIVE, pen=6)
    np.testing.assert_allclose(normalise(ink * np.float32(1.01)), normalise(ink), atol=0.03)


@pytest.mark.parametrize("shape", [(28, 28), (1, 1), (0, 5), (200, 3)])
def test_normalise_needs_ink(shape):
    with pytest.raises(NoInkError):
        normalise(np.zeros(shape, np.float32))


@quick
@given(
    hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.floats(0, 1, width=32)
    )
)
def test_normalise_makes_an_image_of_any_ink(ink):
    try:
        image = normalise(ink)
    except NoInkError:
        assert ink.max() < 0.1
    else:
        assert np.isfinite(image).all()
        assert -1e-5 <= image.min() <= image.max() <= 1 + 1e-5


def test_inputs_are_scaled_as_in_the_talk():
    inputs = to_inputs(np.stack([np.zeros((28, 28), np.float32), np.ones((28, 28), np.float32)]))
    assert inputs.shape == (2, 784)
    assert inputs.dtype == np.float32
    np.testing.assert_allclose(inputs[0], 0.01)
    np.testing.assert_allclose(inputs[1], 1.0)


def test_one_image_makes_one_row_of_inputs():
    image = np.linspace(0, 1, 784, dtype=np.float32).reshape(28, 28)
    np.testing.assert_allclose(to_inputs(image), 0.01 + 0.99 * np.linspace(0, 1, 784), rtol=1e-6)
