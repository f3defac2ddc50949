import numpy as np
import pytest
from scipy import ndimage

from trainer.augmentation import Rotations, turn_matrix


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
