from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from shared.backdrop import SURFACES, THINGS, draw_backdrop
from shared.conditions import PAPERS, PENS, Conditions
from shared.layer import Place
from shared.pen import draw_strokes, thin
from shared.scenery import FRAME, Scene, hold_up
from shared.sheet import write_change, write_sheet
from shared.strokes import draw_digit
from shared.texture import measure_distance

SEEDS = st.integers(0, 2**32 - 1)
DIGITS = st.integers(0, 9)
CLEAN = Conditions(noise=0, blur=0, exposure=1)


def see_ink(frame):
    """The box (left, top, right, bottom) of what is much darker than most of the frame."""
    rows, columns = np.nonzero(frame < 0.6 * np.median(frame))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@given(SEEDS, DIGITS)
def test_a_digit_held_up_anyhow_is_whole_in_the_frame(seed, digit):
    random = np.random.default_rng(seed)
    conditions = Conditions.draw(random)
    sheet, place = write_sheet(draw_digit(digit, random), conditions, random)
    left, top, right, bottom = sheet.find_box(place, FRAME)
    assert left > -1
    assert top > -1
    assert right < FRAME[1] + 1
    assert bottom < FRAME[0] + 1
    assert max(right - left, bottom - top) > 0.1 * FRAME[0]


@settings(max_examples=20)
@given(SEEDS, DIGITS)
def test_the_same_seed_gives_the_same_picture(seed, digit):
    one, other = (
        hold_up(draw_digit(digit, random), random) for random in map(np.random.default_rng, [seed] * 2)
    )
    assert one.frame.shape == FRAME
    assert one.frame.dtype == np.uint8
    assert np.array_equal(one.frame, other.frame)
    assert one.box == other.box


@given(
    SEEDS,
    DIGITS,
    st.floats(0.3, 0.8),
    st.floats(-1, 1),
    st.floats(-1, 1),
    st.floats(-15, 15),
    st.floats(0, 30),
)
@example(seed=323, digit=9, size=0.76953125, x=0.0, y=0.0, tilt=0.0, lean=0.0)  # had a line beside the digit
def test_the_box_is_where_the_ink_is(seed, digit, size, x, y, tilt, lean):
    random = np.random.default_rng(seed)
    conditions = replace(CLEAN, size=size, x=x, y=y, tilt=tilt, lean=lean)
    frame, box = hold_up(draw_digit(digit, random), random, conditions)
    sides = box.x, box.y, box.x + box.width, box.y + box.height
    assert sides == pytest.approx(see_ink(frame), abs=2.5)


@pytest.mark.parametrize("pen", PENS)
@pytest.mark.parametrize("paper", PAPERS)
def test_what_is_named_is_not_drawn(pen, paper):
    random = np.random.default_rng(0)
    conditions = Conditions.draw(random, pen=pen, paper=paper, size=0.5, blur=0.7, noise=1.0)
    assert (conditions.pen, conditions.paper) == (pen, paper)
    assert (conditions.size, conditions.blur, conditions.noise) == (0.5, 0.7, 1.0)


def test_everything_else_is_drawn_anew():
    random = np.random.default_rng(0)
    drawn = [Conditions.draw(random) for _ in range(200)]
    assert all(len({getattr(one, field.name) for one in drawn}) > 1 for field in fields(Conditions))
    assert {one.paper for one in drawn} == set(PAPERS)
    assert {one.pen for one in drawn} == set(PENS)
    assert all(PAPERS[one.paper].dark == (one.pen in ("chalk", "stylus")) for one in drawn)


@pytest.mark.parametrize("stroke", [0.03, 0.06, 0.1, 0.16])
@pytest.mark.parametrize("digit", [1, 2, 3, 5, 7])
def test_a_pen_writes_strokes_as_wide_as_asked(digit, stroke):
    written = draw_strokes(draw_digit(digit, np.random.default_rng(digit)), 150, stroke)
    inside = ndimage.distance_transform_edt(np.pad(written, 1) > 0.5)
    # Twice the distance from a stroke's middle to its side.
    assert 2 * np.percentile(inside[thin(inside > 0)], 50) == pytest.approx(stroke * 150, abs=2.5)


def test_a_thin_pen_leaves_a_filled_loop_filled():
    rows, columns = np.mgrid[:28, :28]
    six = (
        (np.hypot(rows - 20, columns - 14) < 6.5) | ((abs(columns - 11) < 2) & (rows > 2) & (rows < 20))
    ).astype(np.float32)
    written = draw_strokes(six, 100, 0.05)
    lower, upper = written[75:95].sum(axis=1), written[10:40].sum(axis=1)
    assert lower.mean() > 3 * upper.mean()


@pytest.mark.parametrize("side", [2, 3, 5])
def test_a_dot_stays_a_dot_with_a_thin_pen(side):
    dot = np.zeros((28, 28), np.float32)
    dot[4 : 4 + side, 4 : 4 + side] = 1
    assert draw_strokes(dot, 60, 0.05).max() == 1


@given(SEEDS, DIGITS)
def test_thinning_keeps_what_hangs_together_and_every_loop(seed, digit):
    solid = ndimage.zoom(draw_digit(digit, np.random.default_rng(seed)), 4, order=1) > 0.5
    thinned = thin(solid)
    everywhere = np.ones((3, 3))
    assert np.all(solid[thinned])
    assert ndimage.label(thinned, everywhere)[1] == ndimage.label(solid, everywhere)[1]
    assert ndimage.label(~thinned)[1] == ndimage.label(~solid)[1]
    assert thinned.sum() < 0.4 * solid.sum()


def test_a_sheet_can_be_shown_in_other_places():
    random = np.random.default_rng(0)
    scene = Scene(random, CLEAN, np.ones(FRAME, np.float32))
    sheet, place = write_sheet(draw_digit(3, random), replace(CLEAN, fills=False), random)
    for other in (place._replace(x=90, y=100), place._replace(scale=0.6, angle=30), place._replace(lean=25)):
        frame = scene.look(random, [(sheet, other)])
        assert sheet.find_box(other, FRAME) == pytest.approx(see_ink(frame), abs=2.5)
    away = scene.look(random, [(sheet, place._replace(x=5000))])
    assert np.array_equal(away, scene.look(random))


def test_halfway_to_another_place_is_between():
    assert Place(0, 10, 0, 1, 4).blend(Place(10, 30, 20, 2, 0), 0.5) == Place(5, 20, 10, 1.5, 2)


def test_a_digit_that_is_written_bit_by_bit_grows_to_the_whole():
    random = np.random.default_rng(0)
    steps, place = write_change(None, draw_digit(8, random), CLEAN, random)
    scene = Scene(random, CLEAN, np.ones(FRAME, np.float32))
    ink = [(scene.look(random, [(step, place)]) < 100).sum() for step in steps]
    assert ink == sorted(ink)
    assert ink[0] < 0.4 * ink[-1]


def test_only_the_noise_of_a_still_scene_changes():
    random = np.random.default_rng(0)
    scene = Scene(random, Conditions.draw(random, noise=3.0, exposure=0.7))
    one, other = (scene.look(random).astype(float) for _ in range(2))
    assert 2 < (one - other).std() < 5


@pytest.mark.parametrize("surface", SURFACES)
def test_surfaces_fill_the_frame(surface):
    canvas = surface(np.random.default_rng(0), (100, 160))
    assert canvas.shape == (100, 160)
    assert canvas.dtype == np.float32


@settings(max_examples=30)
@given(SEEDS)
def test_things_are_laid_on_any_canvas(seed):
    random = np.random.default_rng(seed)
    canvas = np.full((60, 90), 0.5, np.float32)
    for thing in THINGS:
        assert thing(random, canvas) is canvas
        assert np.isfinite(canvas).all()


@pytest.mark.parametrize("shape", [(64, 64), (240, 320), (1080, 1920)])
def test_a_backdrop_is_a_picture_of_the_size_asked_for(shape):
    backdrop = draw_backdrop(np.random.default_rng(0), shape)
    assert backdrop.shape == shape
    assert backdrop.dtype == np.float32
    assert backdrop.min() >= 0
    assert backdrop.max() <= 1


@given(st.floats(-20, 60), st.floats(-20, 60), st.floats(-20, 60), st.floats(-20, 60))
def test_the_distance_from_a_line_is_measured(x0, y0, x1, y1):
    distance = measure_distance([(x0, y0), (x1, y1)], (40, 40), 12.0)
    along = np.array((x1 - x0, y1 - y0))
    for x, y in ((0, 0), (20, 20), (39, 5)):
        share = np.clip(np.dot((x - x0, y - y0), along) / max(along @ along, 1e-9), 0, 1)
        wanted = min(np.hypot(x - x0 - share * along[0], y - y0 - share * along[1]), 12.0)
        assert distance[y, x] == pytest.approx(wanted, abs=0.01)
