import numpy as np
import pytest
from scipy import ndimage

from trainer.augmentation import Deformations, Rotations, sample_matrix, turn_matrix


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
