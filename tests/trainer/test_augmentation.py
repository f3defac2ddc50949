from dataclasses import fields, replace

import numpy as np
import pytest
from scipy import ndimage

from trainer.augmentation import SHARED_BY, Amounts, Deformations, Rotations, sample_matrix, turn_matrix
from trainer.errors import BadSettingError

NONE = Amounts(turn=0, slant=0, taller=0, wider=0, shift=0, bend=0)
CENTRE = 13.5


@pytest.mark.parametrize("degrees", [-30.0, -10.0, 0.0, 3.3, 10.0, 45.0])
@pytest.mark.parametrize("side", [5, 28])
def test_a_turn_is_that_of_scipy(degrees, side):
    picture = np.random.default_rng(0).uniform(0, 1, (side, side))
    expected = ndimage.rotate(picture, degrees, reshape=False, order=1, mode="grid-constant", cval=0.0)
    turned = (turn_matrix(degrees, side) @ picture.ravel()).reshape(side, side)
    np.testing.assert_allclose(turned, expected, atol=1e-5)


def test_each_picture_is_turned_left_or_right_or_not_at_all():
    random = np.random.default_rng(0)
    images = random.uniform(0, 1, (300, 28, 28)).astype(np.float32)
    turned = Rotations(10.0)(images, random)
    assert turned.shape == images.shape
    ways = [
        np.stack([(turn_matrix(degrees, 28) @ image.ravel()).reshape(28, 28) for image in images])
        for degrees in (-10.0, 0.0, 10.0)
    ]
    counts = [np.isclose(turned, way, atol=1e-6).all(axis=(1, 2)).sum() for way in ways]
    assert sum(counts) == 300
    assert min(counts) > 70


def test_the_pictures_handed_in_stay_as_they_are():
    images = np.ones((4, 28, 28), np.float32)
    Rotations(10.0)(images, np.random.default_rng(0))
    assert (images == 1).all()


def test_places_outside_the_picture_are_paper():
    far = np.full((5, 5), 1000.0)
    assert not (sample_matrix(far, -far) @ np.ones(25, np.float32)).any()


def test_deformed_digits_keep_most_of_their_ink_and_differ(drawn_digits):
    images = drawn_digits.images[:100] / np.float32(255)
    before = images.copy()
    deformed = Deformations()(images, np.random.default_rng(0))
    np.testing.assert_array_equal(images, before)
    assert deformed.shape == images.shape
    assert deformed.dtype == np.float32
    assert 0.8 < deformed.sum() / images.sum() < 1.2
    assert np.abs(deformed - images).sum(axis=(1, 2)).min() > 5


def test_deformations_fade_at_the_end_of_training(drawn_digits):
    images = drawn_digits.images[:100] / np.float32(255)
    changes = [
        float(np.abs(Deformations()(images, np.random.default_rng(0), left) - images).mean())
        for left in (1.0, 0.1, 0.0)
    ]
    assert changes[0] > changes[1] > changes[2]
    assert changes[2] < 1e-5


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("side", [7, 28])
def test_sampling_is_that_of_scipy(side, count):
    random = np.random.default_rng(0)
    pictures = random.uniform(0, 1, (count, side, side)).astype(np.float32)
    rows, columns = random.uniform(-3, side + 3, (2, count, side, side))
    rows[0, 0, :4], columns[0, 0, :4] = (-1, 0, side - 1, side), (0, -1, side, side - 1)
    expected = [
        ndimage.map_coordinates(picture, places, order=1, mode="grid-constant", cval=0.0)
        for picture, *places in zip(pictures, rows, columns, strict=True)
    ]
    sampled = (sample_matrix(rows, columns) @ pictures.ravel()).reshape(pictures.shape)
    np.testing.assert_allclose(sampled, expected, atol=1e-5)


def find_places(deformations, random, more=()):
    """Where each pixel comes from, read off a picture of the rows and one of the columns; the pixels for
    which they can be; and what became of `more` pictures that were deformed alike."""
    grid = np.mgrid[:28, :28].astype(np.float32)
    pictures = np.zeros((SHARED_BY, 28, 28), np.float32)
    pictures[:2], pictures[2] = grid, 1
    for index, picture in enumerate(more, 3):
        pictures[index] = picture
    deformed = deformations(pictures, random)
    inside = np.isclose(deformed[2], 1, atol=1e-5)
    return deformed[:2].astype(np.float64), inside, deformed[3:]


def test_pictures_are_deformed_as_scipy_would_deform_them():
    random = np.random.default_rng(0)
    pictures = random.uniform(0, 1, (5, 28, 28)).astype(np.float32)
    for _ in range(10):
        places, inside, deformed = find_places(Deformations(), random, pictures)
        assert inside.mean() > 0.5
        for picture, result in zip(pictures, deformed, strict=False):
            expected = ndimage.map_coordinates(picture, places, order=1)
            np.testing.assert_allclose(result[inside], expected[inside], atol=1e-4)


def fit_affine(places, inside):
    """The matrix and shift that take a pixel, from the centre, to where it comes from; and what is left."""
    grid = np.mgrid[:28, :28].reshape(2, -1)[:, inside.ravel()] - CENTRE
    design = np.vstack((grid, np.ones(grid.shape[1])))
    wanted = places.reshape(2, -1)[:, inside.ravel()] - CENTRE
    solution = np.linalg.lstsq(design.T, wanted.T, rcond=None)[0].T
    return solution[:, :2], solution[:, 2], float(np.abs(solution @ design - wanted).max())


def fit_many(amounts, count=150):
    random = np.random.default_rng(0)
    return [fit_affine(*find_places(Deformations(1.0, amounts), random)[:2]) for _ in range(count)]


def test_a_turn_alone_turns_and_by_as_much_as_it_says():
    fits = fit_many(replace(NONE, turn=10.0))
    for matrix, shift, rest in fits:
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(2), atol=1e-3)
        np.testing.assert_allclose(shift, 0, atol=1e-3)
        assert rest < 1e-3
    angles = [np.degrees(np.arctan2(matrix[0, 1], matrix[0, 0])) for matrix, _, _ in fits]
    assert np.std(angles) == pytest.approx(10, rel=0.2)
    assert abs(np.mean(angles)) < 3


@pytest.mark.parametrize(
    ("amounts", "place", "others"),
    [
        ({"slant": 0.1}, (1, 0), ((0, 0, 1), (1, 1, 1), (0, 1, 0))),
        ({"taller": 0.1}, (0, 0), ((1, 0, 0), (1, 1, 1), (0, 1, 0))),
        ({"wider": 0.1}, (1, 1), ((0, 0, 1), (1, 0, 0), (0, 1, 0))),
    ],
)
def test_a_stretch_or_a_slant_alone_changes_one_number(amounts, place, others):
    fits = fit_many(replace(NONE, **amounts))
    values = np.array([matrix[place] for matrix, _, _ in fits])
    values = values if "slant" in amounts else np.log(values)
    assert values.std() == pytest.approx(0.1, rel=0.2)
    for matrix, shift, rest in fits:
        np.testing.assert_allclose([matrix[row, column] for row, column, _ in others],
                                   [value for _, _, value in others], atol=1e-3)  # fmt: skip
        np.testing.assert_allclose(shift, 0, atol=1e-3)
        assert rest < 1e-3


def test_a_shift_alone_shifts():
    shifts = [
        shift
        for matrix, shift, _ in fit_many(replace(NONE, shift=1.5))
        if np.allclose(matrix, np.eye(2), atol=1e-3)
    ]
    assert len(shifts) == 150
    assert np.std(shifts) == pytest.approx(1.5, rel=0.2)


@pytest.mark.parametrize("smoothness", [2.0, 6.0])
def test_a_bend_moves_pixels_by_as_much_as_it_says_and_neighbours_alike(smoothness):
    random = np.random.default_rng(0)
    deformations = Deformations(1.0, replace(NONE, bend=1.0, smoothness=smoothness))
    grid = np.mgrid[:28, :28]
    moves = []
    for _ in range(60):
        places, inside, _ = find_places(deformations, random)
        move = (places - grid)[:, 4:-4, 4:-4]
        assert inside[4:-4, 4:-4].all()
        moves.append(move)
    moves = np.stack(moves)
    assert moves.std() == pytest.approx(1.0, rel=0.15)
    # Two Gaussian averages, d apart, of white noise are alike by exp(-d^2 / (4 * smoothness^2)).
    alike = float((moves[..., :-2] * moves[..., 2:]).mean() / (moves**2).mean())
    assert alike == pytest.approx(np.exp(-4 / (4 * smoothness**2)), abs=0.03)


def test_strokes_become_thicker_up_to_a_dilation_and_thinner_down_to_an_erosion(drawn_digits):
    images = drawn_digits.images[:100] / np.float32(255)
    changed = Deformations(1.0, replace(NONE, stroke=0.6))(images, np.random.default_rng(0))
    cross = ndimage.generate_binary_structure(2, 1)
    thicker = thinner = 0
    for before, after in zip(images, changed, strict=True):
        # Beyond the edge there is nothing, which is paler than nothing and darker than nothing.
        bold = ndimage.grey_dilation(before, footprint=cross, mode="nearest")
        thin = ndimage.grey_erosion(before, footprint=cross, mode="nearest")
        end = bold if after.sum() > before.sum() else thin
        way = end - before
        amount = float((after - before).ravel() @ way.ravel() / (way.ravel() @ way.ravel()))
        assert 0 < amount <= 1.001
        np.testing.assert_allclose(after, before + amount * way, atol=1e-4)
        thicker, thinner = thicker + (end is bold), thinner + (end is thin)
    assert min(thicker, thinner) > 25


@pytest.mark.parametrize("count", [1, SHARED_BY - 1, SHARED_BY, 2 * SHARED_BY + 3])
def test_batches_of_any_size_are_deformed_and_the_pictures_handed_in_stay(count):
    images = np.random.default_rng(0).uniform(0, 1, (count, 28, 28)).astype(np.float32)
    before = images.copy()
    deformed = Deformations(1.0, Amounts(stroke=0.4))(images, np.random.default_rng(1))
    np.testing.assert_array_equal(images, before)
    assert deformed.shape == images.shape
    assert deformed.dtype == np.float32
    assert deformed.min() >= 0
    assert deformed.max() <= 1.0001
    assert (np.abs(deformed - images).sum(axis=(1, 2)) > 1).all()


def test_deformations_fade_to_what_they_are_told():
    fading = Deformations(2.0, calm=0.5, calmest=0.25)
    assert [fading.fade(left) for left in (1.0, 0.5, 0.25, 0.0)] == pytest.approx([2.0, 2.0, 1.25, 0.5])
    assert Deformations(1.0, calm=0.0).fade(0.0) == 1.0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Deformations(4.0), "--deform must be 0 to 3, not 4"),
        (lambda: Deformations(calm=2.0), "--calm must be 0 to 1, not 2"),
        (lambda: Deformations(calmest=-1.0), "--calmest must be 0 to 1, not -1"),
        (lambda: Rotations(90.0), "--rotate must be 0 to 45 degrees, not 90"),
        (lambda: Amounts(smoothness=0.0), "--smoothness must be more than 0"),
    ],
)
def test_deformations_that_make_no_sense_are_refused(make, said):
    with pytest.raises(BadSettingError, match=said):
        make()


@pytest.mark.parametrize("name", [field.name for field in fields(Amounts)])
def test_amounts_below_zero_are_refused(name):
    with pytest.raises(BadSettingError, match=f"--{name} must be 0 to 45, not -1"):
        Amounts(**{name: -1.0})
