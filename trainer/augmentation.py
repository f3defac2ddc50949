"""Augmentation: more pictures from those that there are."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from scipy import sparse

from shared.digit_image import IMAGE_SIZE
from shared.feedforward import FloatArray
from trainer.errors import BadSettingError

# Pictures of a batch that are deformed alike: a deformation costs as much to make as to apply to so many.
SHARED_BY = 20

# Beyond this no amount leaves a digit that anybody could read.
MOST_DEFORMED = 45


class Rotations:
    """The talk's rotations: a picture is turned left, left as it is, or turned right.

    Parameters
    ----------
    degrees : how far, 0 to 45; the talk found 10 best

    A turn is one sparse matrix (pixels, pixels) of bilinear weights, applied to a whole batch.
    """

    def __init__(self, degrees: float) -> None:
        if not 0 <= degrees <= 45:
            raise BadSettingError(f"--rotate must be 0 to 45 degrees, not {degrees:g}")
        self.degrees = degrees
        self._turns = [turn_matrix(-degrees, IMAGE_SIZE), None, turn_matrix(degrees, IMAGE_SIZE)]

    def __call__(self, images: FloatArray, random: np.random.Generator, left: float = 1.0) -> FloatArray:
        """Return a batch, float32 (count, 28, 28), with each picture turned one way of the three."""
        turned = images.reshape(len(images), -1).copy()
        choice = random.integers(len(self._turns), size=len(images))
        for index, turn in enumerate(self._turns):
            if turn is not None:
                chosen = choice == index
                turned[chosen] = (turn @ turned[chosen].T).T
        return turned.reshape(images.shape)


@dataclass(frozen=True)
class Amounts:
    """How far pictures are deformed: standard deviations, each drawn anew from a normal distribution.

    Attributes
    ----------
    turn : degrees
    slant : pixels to the side for each pixel down, a shear
    taller, wider : logarithms of the stretch, so that 0.1 is about 10 %
    shift : pixels, down and to the right
    bend : pixels; every pixel's own displacement
    smoothness : pixels; the standard deviation of the Gaussian that makes neighbours bend alike
    stroke : share of the way to a stroke a pixel thicker or thinner on all sides

    The defaults were found best for 784-200-10 on held-out pictures of MNIST.
    """

    turn: float = 6.9
    slant: float = 0.15
    taller: float = 0.08
    wider: float = 0.10
    shift: float = 0.8
    bend: float = 1.0
    smoothness: float = 4.0
    stroke: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(Amounts):
            value = getattr(self, field.name)
            if not 0 <= value <= MOST_DEFORMED:
                raise BadSettingError(f"--{field.name} must be 0 to {MOST_DEFORMED}, not {value:g}")
        if not self.smoothness:
            raise BadSettingError("--smoothness must be more than 0")


class Deformations:
    """Pictures turned, stretched, slanted, shifted, bent and thickened, as another hand would write them.

    Parameters
    ----------
    strength : 1.0 for the amounts, 0.0 for none
    amounts : how far for a strength of 1.0
    calm : over this last part of training deformations fade, 0 to 1
    calmest : to what part of their strength they fade; 0 ends on pictures as they are

    Some pictures of a batch share a deformation, and a batch's deformations are one sparse matrix of bilinear
    weights.

    Source: Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks Applied to
    Visual Document Analysis" (2003): a random displacement of every pixel, smoothed by a Gaussian.
    """

    def __init__(
        self,
        strength: float = 1.0,
        amounts: Amounts | None = None,
        *,
        calm: float = 0.3,
        calmest: float = 0.0,
    ) -> None:
        if not 0 <= strength <= 3:
            raise BadSettingError(f"--deform must be 0 to 3, not {strength:g}")
        for name, share in (("--calm", calm), ("--calmest", calmest)):
            if not 0 <= share <= 1:
                raise BadSettingError(f"{name} must be 0 to 1, not {share:g}")
        self.strength = strength
        self.amounts = amounts = amounts or Amounts()
        self.calm, self.calmest = calm, calmest
        self._affine = np.array(
            (
                np.radians(amounts.turn),
                amounts.slant,
                amounts.taller,
                amounts.wider,
                amounts.shift,
                amounts.shift,
            ),
            np.float32,
        )
        places = np.arange(IMAGE_SIZE, dtype=np.float32)
        bell = np.exp(-((places[:, np.newaxis] - places) ** 2) / (2 * amounts.smoothness**2))
        # A smoothed field of random numbers keeps their standard deviation of one.
        self._smooth = (bell / np.sqrt((bell**2).sum(axis=1, keepdims=True))).astype(np.float32)
        from_centre = np.mgrid[:IMAGE_SIZE, :IMAGE_SIZE].reshape(2, -1) - (IMAGE_SIZE - 1) / 2
        self._grid = np.concatenate((from_centre, np.ones((1, IMAGE_SIZE**2)))).astype(np.float32)

    def fade(self, left: float) -> float:
        """Tell how strong deformations are while the share `left` of training is still to come."""
        share = min(1.0, left / self.calm) if self.calm else 1.0
        return self.strength * (self.calmest + (1 - self.calmest) * share)

    def __call__(self, images: FloatArray, random: np.random.Generator, left: float = 1.0) -> FloatArray:
        """Return a batch, float32 (count, 28, 28), deformed; less towards the end of training."""
        strength = np.float32(self.fade(left))
        deformed = np.empty(images.shape, np.float32)
        whole = len(images) // SHARED_BY * SHARED_BY
        for part, shared_by in ((slice(whole), SHARED_BY), (slice(whole, None), len(images) - whole)):
            if count := len(images[part]):
                rows, columns = self._draw(random, count // shared_by, strength)
                _sample(sample_matrix(rows, columns), images[part], deformed[part])
        if self.amounts.stroke:
            _thicken(
                deformed, random.standard_normal(len(images), np.float32) * strength * self.amounts.stroke
            )
        return deformed

    def _draw(
        self, random: np.random.Generator, count: int, strength: np.float32
    ) -> tuple[FloatArray, FloatArray]:
        """Draw deformations: the rows and columns, (count, 28, 28), where each pixel comes from."""
        turn, slant, taller, wider, down, right = (
            strength * self._affine[:, np.newaxis] * random.standard_normal((6, count), np.float32)
        )
        tall, wide = np.exp(taller), np.exp(wider)
        cosine, sine = np.cos(turn), np.sin(turn)
        centre = np.float32((IMAGE_SIZE - 1) / 2)
        affine = np.stack(
            (tall * cosine, tall * sine, centre + down, wide * (slant - sine), wide * cosine, centre + right),
            1,
        )
        places = (affine.reshape(-1, 3) @ self._grid).reshape(count, 2, IMAGE_SIZE, IMAGE_SIZE)
        if self.amounts.bend:
            bends = random.standard_normal((count * 2 * IMAGE_SIZE, IMAGE_SIZE), np.float32) @ self._smooth.T
            bends *= strength * np.float32(self.amounts.bend)
            places += self._smooth @ bends.reshape(places.shape)
        return places[:, 0], places[:, 1]


def _sample(samples: sparse.csr_array, images: FloatArray, out: FloatArray) -> None:
    """Deform images, (count, side, side), as many in a row alike as the matrix needs."""
    pixels = images[0].size
    alike = len(images) * pixels // samples.shape[0]
    grouped = images.reshape(-1, alike, pixels).transpose(0, 2, 1).reshape(-1, alike)
    np.copyto(
        out.reshape(-1, alike, pixels), (samples @ grouped).reshape(-1, pixels, alike).transpose(0, 2, 1)
    )


def _thicken(images: FloatArray, amounts: FloatArray) -> None:
    """Make strokes thicker, or thinner where the amount is below zero: in place.

    An amount of 1 takes each pixel's darkest, -1 its palest of the four neighbours and itself (a grey
    dilation, an erosion); others blend.
    """
    for amount, choose in ((np.maximum(amounts, 0), np.maximum), (np.maximum(-amounts, 0), np.minimum)):
        (chosen,) = np.nonzero(amount)
        before = images[chosen]
        after = before.copy()
        for axis in (1, 2):
            one, other = (_cut(axis, slice(1, None)), _cut(axis, slice(None, -1)))
            choose(after[one], before[other], out=after[one])
            choose(after[other], before[one], out=after[other])
        after -= before
        after *= np.minimum(amount[chosen], 1)[:, np.newaxis, np.newaxis]
        images[chosen] = before + after


def _cut(axis: int, part: slice) -> tuple[slice, ...]:
    return tuple(part if index == axis else slice(None) for index in range(3))


def turn_matrix(degrees: float, side: int) -> sparse.csr_array:
    """Make the matrix that turns a square picture about its centre, outside counting as paper.

    Returns
    -------
    sparse float32 (side * side, side * side); times a flattened picture it gives the picture turned
    as `scipy.ndimage.rotate(picture, degrees, reshape=False, order=1)` turns it
    """
    centre = (side - 1) / 2
    rows, columns = np.mgrid[:side, :side] - centre
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return sample_matrix(cosine * rows + sine * columns + centre, cosine * columns - sine * rows + centre)


def sample_matrix(rows: npt.NDArray[np.floating], columns: npt.NDArray[np.floating]) -> sparse.csr_array:
    """Make the matrix that samples square pictures at some places, outside counting as paper.

    Parameters
    ----------
    rows, columns : (side, side), where each pixel comes from; or (count, side, side) for as many pictures

    Returns
    -------
    sparse float32 (pixels, pixels) of bilinear weights, four a row, to be multiplied with all pictures'
    pixels, one picture's behind the other's; it samples as `scipy.ndimage.map_coordinates` with order 1 and
    mode "grid-constant"
    """
    side = rows.shape[-1]
    (top, bottom, top_weights, bottom_weights), (left, right, left_weights, right_weights) = (
        _share_out(places.ravel(), side) for places in (rows, columns)
    )
    start = np.repeat(np.arange(0, rows.size, side * side, dtype=np.int32), side * side)
    top, bottom = start + top * np.int32(side), start + bottom * np.int32(side)
    weights = np.empty((rows.size, 4), np.float32)
    sources = np.empty((rows.size, 4), np.int32)
    corners = (
        (top, top_weights, left, left_weights),
        (top, top_weights, right, right_weights),
        (bottom, bottom_weights, left, left_weights),
        (bottom, bottom_weights, right, right_weights),
    )
    for corner, (row, row_weights, column, column_weights) in enumerate(corners):
        np.add(row, column, out=sources[:, corner])
        np.multiply(row_weights, column_weights, out=weights[:, corner], casting="same_kind")
    starts = np.arange(0, 4 * rows.size + 1, 4, dtype=np.int32)
    return sparse.csr_array((weights.ravel(), sources.ravel(), starts), shape=(rows.size,) * 2)


def _share_out(
    places: npt.NDArray[np.floating], side: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Find the pixels before and behind places along one side, and the weights of both."""
    # Kept within reach of the paper around the picture, where all weights are 0.
    places = np.clip(places, -1, side)
    floors = np.floor(places)
    shares = places - floors
    before = floors.astype(np.int32)
    near, far = (1 - shares) * (before >= 0), shares * (before < side - 1)
    near *= before < side
    return np.clip(before, 0, side - 1), np.minimum(before + 1, side - 1), near, far
