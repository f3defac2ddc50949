"""Finding a digit in frames drawn here, and fitting it the way MNIST was made."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shared.digit_finder import Box, FoundDigit, NoDigit, find_digit
from shared.digit_image import normalise, to_inputs
from shared.errors import BadFrameError, NoInkError

HEIGHT, WIDTH = 240, 320

# Strokes of digits in a box one high, as corners (x, y) of a line drawn without lifting the pen.
SEVEN = [[(0.0, 0.0), (0.6, 0.0), (0.2, 1.0)]]
FIVE = [
    [(0.05, 0.1), (0.0, 0.45), (0.45, 0.5), (0.5, 0.8), (0.3, 1.0), (0.0, 0.9)],
    [(0.15, 0.0), (0.55, 0.0)],
]
TWO = [[(0.0, 0.2), (0.2, 0.0), (0.5, 0.1), (0.5, 0.35), (0.0, 1.0), (0.6, 1.0)]]

quick = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def draw(strokes, *, size=100.0, pen=8.0, at=(130.0, 60.0), shape=(HEIGHT, WIDTH)):
    """Ink, 0.0 to 1.0, of strokes whose box has its top left corner at `at` (x, y)."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    distance = np.full(shape, np.inf)
    for stroke in strokes:
        for (x0, y0), (x1, y1) in itertools.pairwise(stroke):
            x, y, dx, dy = at[0] + x0 * size, at[1] + y0 * size, (x1 - x0) * size, (y1 - y0) * size
            along = np.clip(((columns - x) * dx + (rows - y) * dy) / (dx * dx + dy * dy), 0, 1)
            distance = np.minimum(distance, np.hypot(columns - x - along * dx, rows - y - along * dy))
    return np.clip(pen / 2 + 0.5 - distance, 0, 1)


def photograph(ink, paper=190.0, depth=0.7, noise=3.0):
    """The frame a camera would give of ink on paper, grey 0 to 255."""
    grain = np.random.default_rng(1).normal(0, noise, ink.shape)
    return np.clip(paper * (1 - depth * ink) + grain, 0, 255).astype(np.uint8)


def box_of(ink):
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return Box(columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)


def assert_found(frame, ink, slack=4):
    found = find_digit(frame)
    assert isinstance(found, FoundDigit)
    assert np.abs(np.subtract(found.box, box_of(ink))).max() <= slack, (found.box, box_of(ink))
    return found


def assert_same_shape(image, other):
    """Two 28x28 images show the same digit, give or take the width of the pen."""
    likeness = np.vdot(image, other) / (np.linalg.norm(image) * np.linalg.norm(other))
    assert likeness > 0.85


@pytest.mark.parametrize("pen", [3, 6, 12, 20])
def test_a_digit_is_found_whatever_the_pen(pen):
    ink = draw(TWO, pen=pen)
    assert_found(photograph(ink), ink)


@pytest.mark.parametrize(("paper", "depth"), [(230, 0.9), (190, 0.2), (60, 0.6), (120, 0.4)])
def test_a_digit_is_found_in_faint_pencil_and_dim_light(paper, depth):
    ink = draw(SEVEN)
    assert_found(photograph(ink, paper, depth, noise=1.5), ink)


@pytest.mark.parametrize("size", [35, 80, 200])
def test_a_digit_is_found_small_or_filling_the_frame(size):
    ink = draw(TWO, size=size, pen=size / 12, at=(110, 20))
    assert_found(photograph(ink), ink)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_the_box_is_in_pixels_of_the_frame_handed_in(scale):
    ink = np.kron(draw(SEVEN), np.ones((scale, scale)))
    assert_found(photograph(ink), ink, slack=4 * scale)


def test_a_digit_that_fills_a_frame_of_mnists_size_is_found():
    ink = draw(SEVEN, size=19, pen=2.5, at=(8, 4), shape=(28, 28))
    assert_found(photograph(ink), ink)


def test_a_digit_that_touches_the_frames_edge_is_found():
    ink = draw(TWO, at=(200, 140))
    assert ink[-1].any()
    assert_found(photograph(ink), ink)


def test_a_piece_that_broke_off_belongs_to_the_digit():
    ink = draw(FIVE)
    found = assert_found(photograph(ink), ink)
    assert_same_shape(normalise(found.ink), normalise(ink.astype(np.float32)))


def test_a_faint_gap_in_a_stroke_does_not_break_the_digit():
    ink = draw(TWO, pen=5)
    ink[100:106] *= 0.45
    assert_found(photograph(ink), ink)


def test_ink_is_only_the_digits_own():
    ink = draw(SEVEN, at=(60, 60))
    smudge = draw([[(0, 0), (0.05, 0.05)]], at=(260, 200))
    found = assert_found(photograph(np.maximum(ink, smudge)), ink)
    assert found.ink.dtype == np.float32
    assert found.ink.min() >= 0
    assert found.ink.max() <= 1
    assert_same_shape(normalise(found.ink), normalise(ink.astype(np.float32)))


@pytest.mark.parametrize("darkest", [0.6, 0.8])
def test_a_shadow_across_the_digit_does_not_matter(darkest):
    ink = draw(TWO)
    paper = np.where(np.arange(WIDTH) < 160, 200, 200 * darkest)
    found = assert_found(photograph(ink, paper), ink)
    assert_same_shape(normalise(found.ink), normalise(ink.astype(np.float32)))


def test_a_vignette_does_not_matter():
    rows, columns = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    ink = draw(TWO)
    assert_found(photograph(ink, 200 * (1 - 0.3 * (rows**2 + columns**2))), ink)


def squares():
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return ((rows % 30 < 2) | (columns % 30 < 2)).astype(float)


def test_the_squares_of_the_paper_are_not_ink():
    ink = draw(TWO, pen=6)
    found = assert_found(photograph(ink, 200 * (1 - 0.2 * squares())), ink)
    assert_same_shape(normalise(found.ink), normalise(ink.astype(np.float32)))


def test_the_edge_of_a_grey_card_on_white_is_not_ink():
    ink = draw(TWO)
    paper = np.full((HEIGHT, WIDTH), 250.0)
    paper[40:180, 100:220] = 190
    assert_found(photograph(ink, paper), ink)


@pytest.mark.parametrize("paper", [0, 1, 40, 190, 255])
@pytest.mark.parametrize("noise", [0, 4])
def test_blank_paper_holds_no_digit(paper, noise):
    assert find_digit(photograph(np.zeros((HEIGHT, WIDTH)), paper, noise=noise)) is NoDigit.NOTHING


@pytest.mark.parametrize("angle", [0, 30, 90, 200])
def test_a_gradient_of_light_holds_no_digit(angle):
    rows, columns = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    slope = np.cos(np.radians(angle)) * columns + np.sin(np.radians(angle)) * rows
    assert find_digit(photograph(np.zeros((HEIGHT, WIDTH)), 130 + 80 * slope)) is NoDigit.NOTHING


def test_squared_paper_holds_no_digit():
    assert find_digit(photograph(np.zeros((HEIGHT, WIDTH)), 200 * (1 - 0.2 * squares()))) is NoDigit.NOTHING


def test_a_solid_patch_is_no_digit():
    patch = np.zeros((HEIGHT, WIDTH))
    patch[80:160, 120:200] = 1
    assert find_digit(photograph(patch)) is NoDigit.NOTHING


def test_a_dark_table_beside_the_paper_is_no_digit():
    paper = np.where(np.arange(WIDTH) < 250, 200, 60)
    assert find_digit(photograph(np.zeros((HEIGHT, WIDTH)), paper)) is NoDigit.NOTHING


@quick
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=28, max_side=70)))
def test_any_frame_has_an_answer_and_its_box_lies_inside(frame):
    found = find_digit(frame)
    if isinstance(found, FoundDigit):
        x, y, width, height = found.box
        assert 0 <= x < x + width <= frame.shape[1]
        assert 0 <= y < y + height <= frame.shape[0]


@quick
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(28, 500),
    width=st.integers(28, 500),
    grain=st.sampled_from([1, 5, 20]),
)
def test_any_clutter_has_an_answer_and_its_ink_can_be_normalised(seed, height, width, grain):
    coarse = -(-height // grain), -(-width // grain)
    patches = np.random.default_rng(seed).integers(0, 256, coarse, np.uint8)
    frame = np.kron(patches, np.ones((grain, grain), np.uint8))[:height, :width]
    found = find_digit(frame)
    if isinstance(found, FoundDigit):
        assert normalise(found.ink).shape == (28, 28)
        assert 0 <= found.box.x < found.box.x + found.box.width <= width
        assert 0 <= found.box.y < found.box.y + found.box.height <= height


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((240, 320, 3), np.uint8),
        np.zeros((240, 320), np.float32),
        np.zeros(784, np.uint8),
        np.zeros((27, 320), np.uint8),
        np.zeros((0, 0), np.uint8),
    ],
)
def test_what_is_no_grey_frame_is_refused(frame):
    with pytest.raises(BadFrameError):
        find_digit(frame)


def test_a_frame_is_left_as_it_was():
    frame = photograph(draw(TWO))
    frame.setflags(write=False)
    find_digit(frame)


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
