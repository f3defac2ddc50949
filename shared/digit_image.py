"""From a camera's frame to what the network sees: find the digit, then draw it the way MNIST was made.

Ink is measured against the paper around it, never by one threshold for the whole frame: a pencil
line in the sun and a marker line in the shade are both darker than their own paper. No single
amount of darker suits every pen and every desk, so the frame is cut at several ink levels, and each
connected piece of ink is judged by its own ring of paper: is it clean, even, and all around?
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadFrameError, NoInkError

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Labels = NDArray[np.int32]

#: Names what `normalise` does; weights are only good for the normalisation they were trained with.
NORMALISATION = "mnist-20x20-centre-of-mass"

SMALLEST_FRAME = 28  # pixels a side: a digit of MNIST's own size, filling the frame
WORKING_SIZE = 320  # pixels on the long side: a thin pen's line is still a pixel wide, and a Pi keeps up
PAPER_BLOCK = 4  # the level of the paper changes slowly, so one value for 4x4 pixels is enough
PAPER_WINDOW = 0.25  # of the long side: wider than the thickest stroke, narrower than a sheet of paper
INK_LEVELS = (0.07, 0.10, 0.15, 0.22, 0.32, 0.45, 0.60)  # how much darker than paper: from pencil to marker
NOISE_DEVIATIONS = 4.0  # ink levels below this many deviations of the frame's noise cut out only noise
CANDIDATES_PER_LEVEL = 12  # the largest pieces at each level; a digit is never a small speck among many
NOISE_CAP = 0.2
SMALLEST_DIGIT = 0.10  # of the frame's short side
LARGEST_STROKE = 0.40  # of a digit's longer side; anything thicker is a blob
FLATTEST = 0.35  # height of a digit against its width; anything flatter is a line or an edge
RING = 0.22  # of the digit's longer side: how far around it the paper is looked at
LOWEST_SCORE = 0.20  # of `judge`: what is left of a digit's contrast after everything that speaks against it
DIRT_COST = 6.0
UNEVEN_COST = 3.0
OFF_COST = 1.0
DEPTH_POWER = 0.5
BRIGHT_POWER = 0.3
WHOLE = 0.7
EDGE_PENALTY = 0.6  # most of what touches the frame's edge is a desk, a hand or a shadow
SAME_DIGIT = 4  # pixels by which the box of one digit may grow from one ink level to the next
PIECE_GAP = 0.16  # of the digit's longer side: how far away the bar of a five may float
FAINTEST_PIECE = 0.6  # of the digit's depth of ink: what is fainter is a ruled line or a rubbed-out one
STROKE_EDGE = 0.4  # of the depth of ink: where a blurred stroke ends

IMAGE_SIZE = 28
DIGIT_SIZE = 20  # the box that MNIST's digits were fitted in
FINE = 4  # strokes are thickened and thinned in an image this many times finer than MNIST's
THINNEST, THICKEST = 2.0, 3.3  # pixels of MNIST's image: strokes of most of its digits lie between
BARELY_INK = 0.1  # fainter than this is the blur around a digit, not the digit


class Box(NamedTuple):
    """A rectangle in a frame: `x`, `y` of its top left pixel, `width` and `height`, all in pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class FoundDigit:
    """A digit in a frame.

    Attributes
    ----------
    box : where it is, in pixels of the frame that was searched
    ink : float32 array, shape (H, W), 0.0 = paper, 1.0 = full ink: the digit alone, cut out, with
        what else was near it removed; in the finder's scale, not the frame's
    """

    box: Box
    ink: Floats


class _Candidate(NamedTuple):
    """A connected piece of ink at one ink level, and how much it looks like a digit on paper."""

    score: float
    level: float
    paper: float  # what `_measure_ink` says of the paper around it: above 0.0 on a grey card before a white wall
    depth: float  # of its ink below that paper
    top: int
    bottom: int
    left: int
    right: int

    @property
    def size(self) -> int:
        return max(self.bottom - self.top, self.right - self.left)

    def window(self, margin: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
        return (
            slice(max(0, self.top - margin), min(shape[0], self.bottom + margin)),
            slice(max(0, self.left - margin), min(shape[1], self.right + margin)),
        )


def find_digit(frame: Bytes) -> FoundDigit | None:
    """Find the one handwritten digit in a frame: dark ink on brighter paper.

    Parameters
    ----------
    frame : uint8 array, shape (H, W), grey, 0 = black; at least 28x28 pixels. Frames with a side of
        more than 320 pixels are searched in a smaller copy.

    Returns
    -------
    the digit, or None where nothing looks like one. None is an answer, not an error.

    Raises
    ------
    BadFrameError : if the frame is not a grey picture of bytes, or is too small to hold a digit
    """
    _check(frame)
    scale = max(1.0, max(frame.shape) / WORKING_SIZE)
    grey = frame.astype(np.float32)
    if scale > 1:
        grey = _resize(grey, max(1, round(frame.shape[0] / scale)), max(1, round(frame.shape[1] / scale)))
    ink = _measure_ink(grey)
    candidates = list(_find_candidates(grey, ink))
    if not candidates:
        return None
    best = max(candidates)
    if best.score < LOWEST_SCORE:
        return None
    # The lowest level that still cuts out the same digit has the fullest strokes.
    best = next(c for c in candidates if c.score >= WHOLE * best.score and _holds(c, best))
    return _cut_out(ink, best, frame.shape)


def normalise(ink: Floats) -> Floats:
    """Fit a digit's ink into a 28x28 image the way MNIST was made.

    A pen much thinner or thicker than those of MNIST is brought to the nearest width that MNIST has.

    Parameters
    ----------
    ink : float32 array, shape (H, W), 0.0 = paper, 1.0 = full ink

    Returns
    -------
    float32 array, shape (28, 28), same scale; the longer side of the ink spans 20 pixels and the
    centre of mass sits on pixel (14, 14).

    Raises
    ------
    NoInkError : if every pixel is paper.

    Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
    """
    digit = _fit_box(_correct_stroke(_crop(ink)), DIGIT_SIZE)
    height, width = digit.shape
    mass = digit.sum()
    row = float(digit.sum(axis=1) @ np.arange(height)) / mass
    column = float(digit.sum(axis=0) @ np.arange(width)) / mass
    # A digit with nearly all its ink at one end stays whole, a little off the centre.
    top = min(max(round(IMAGE_SIZE / 2 - row), 0), IMAGE_SIZE - height)
    left = min(max(round(IMAGE_SIZE / 2 - column), 0), IMAGE_SIZE - width)
    image = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    image[top : top + height, left : left + width] = digit
    return image


def to_inputs(image: Floats) -> Floats:
    """Scale images into the network's inputs.

    Parameters
    ----------
    image : float32 array, shape (..., 28, 28), 0.0 = paper, 1.0 = full ink

    Returns
    -------
    float32 array, shape (..., 784), 0.01 to 1.0: an input of 0 would silence its link weights.

    Source: Rashid, "Make Your Own Neural Network": inputs / 255 * 0.99 + 0.01.
    """
    pixels = np.asarray(image, np.float32).reshape(*image.shape[:-2], IMAGE_SIZE * IMAGE_SIZE)
    return pixels * np.float32(0.99) + np.float32(0.01)


def _check(frame: Bytes) -> None:
    if frame.dtype != np.uint8 or frame.ndim != 2:
        raise BadFrameError(
            f"a frame is a grey picture, a uint8 array of shape (H, W), not {frame.dtype} {frame.shape}: "
            "convert a colour picture to grey first"
        )
    if min(frame.shape) < SMALLEST_FRAME:
        raise BadFrameError(
            f"a frame of {frame.shape[1]}x{frame.shape[0]} pixels is too small to read a digit in: "
            f"give at least {SMALLEST_FRAME}x{SMALLEST_FRAME}"
        )


def _measure_ink(grey: Floats) -> Floats:
    """How much darker than the paper around it each pixel is: 0.0 = paper, 1.0 = black."""
    from scipy import ndimage

    height, width = grey.shape
    rows, columns = -(-height // PAPER_BLOCK), -(-width // PAPER_BLOCK)
    blocks = _resize(grey, rows, columns)
    window = max(3, round(PAPER_WINDOW * max(rows, columns)))
    # Closing lifts everything narrower than the window, that is ink, to the level of the paper.
    paper = ndimage.grey_closing(blocks, size=(window, window))
    per_paper = 1 / np.maximum(paper, 8)
    ink = per_paper.repeat(PAPER_BLOCK, axis=0).repeat(PAPER_BLOCK, axis=1)[:height, :width]
    ink *= ndimage.gaussian_filter(grey, 0.7)
    np.subtract(1, ink, out=ink)
    return np.clip(ink, 0, 1, out=ink)


def _find_candidates(grey: Floats, ink: Floats) -> Iterator[_Candidate]:
    """Everything that may be a digit, at every ink level, from the lowest level up."""
    from scipy import ndimage

    sample = ink[::4, ::4]
    noise = float(np.median(sample) + NOISE_DEVIATIONS * np.median(np.abs(np.diff(ink[::4, ::2]))))
    shorter, longer = min(ink.shape), max(ink.shape)
    for level in INK_LEVELS:
        if level < min(noise, NOISE_CAP):
            continue
        labels, count = ndimage.label(ink > level, np.ones((3, 3)))
        areas = np.bincount(labels.ravel())
        areas[0] = 0
        largest = np.argsort(areas)[-CANDIDATES_PER_LEVEL:]
        numbers = np.zeros(count + 1, np.int32)
        numbers[largest] = np.arange(1, len(largest) + 1)
        numbers[0] = 0
        labels = numbers[labels]
        for number, box in enumerate(ndimage.find_objects(labels), 1):
            if box is None:
                continue
            height, width = (side.stop - side.start for side in box)
            size = max(height, width)
            if size < max(SMALLEST_DIGIT * shorter, 8) or size > 0.98 * longer or height < FLATTEST * width:
                continue
            piece = labels[box] == number
            candidate = _judge(grey, ink, labels, number, box, piece, level)
            if candidate is not None:
                yield candidate


def _judge(
    grey: Floats,
    ink: Floats,
    labels: Labels,
    number: int,
    box: tuple[slice, slice],
    piece: Mask,
    level: float,
) -> _Candidate | None:
    """Score a piece of ink by its own shape and by the ring of paper around it."""
    from scipy import ndimage

    rows, columns = box
    height, width = piece.shape
    size = max(height, width)
    stroke = _stroke_width(piece.astype(np.float32))
    if stroke > LARGEST_STROKE * size:
        return None
    edges = _edge_contact(labels, number, box)
    if edges > 2 * stroke + 2:
        return None
    margin = max(3, round(RING * size))
    outline = _Candidate(0, level, 0, 0, rows.start, rows.stop, columns.start, columns.stop)
    window = outline.window(margin, ink.shape)
    inside = labels[window] == number
    ring = ~ndimage.maximum_filter(inside, 7)
    if np.count_nonzero(ring) < 20:
        return None
    around = ink[window][ring]
    paper = float(np.median(around))
    depth = float(np.median(ink[window][inside])) - paper
    if depth < 0.5 * level:
        return None
    dirt = float(np.mean(around > paper + 0.35 * depth))
    low, bright, high = np.percentile(grey[window][ring], (10, 50, 90))
    unevenness = (high - low) / max(bright, 8)
    off_y = (rows.start + rows.stop) / 2 / ink.shape[0] - 0.5
    off_x = (columns.start + columns.stop) / 2 / ink.shape[1] - 0.5
    score = (
        (depth / (1 - paper)) ** DEPTH_POWER
        * np.exp(-DIRT_COST * dirt - UNEVEN_COST * max(0, unevenness - 0.15) - OFF_COST * (off_y**2 + off_x**2))
        * min(1, size / (0.3 * min(ink.shape))) ** 0.5
        * (bright / 255) ** BRIGHT_POWER
        * (EDGE_PENALTY if edges else 1)
    )
    return outline._replace(score=float(score), paper=paper, depth=depth)


def _edge_contact(labels: Labels, number: int, box: tuple[slice, slice]) -> int:
    """Count the pixels of a piece that lie on the frame's edge."""
    rows, columns = box
    contact = 0
    if rows.start == 0:
        contact += np.count_nonzero(labels[0, columns] == number)
    if rows.stop == labels.shape[0]:
        contact += np.count_nonzero(labels[-1, columns] == number)
    if columns.start == 0:
        contact += np.count_nonzero(labels[rows, 0] == number)
    if columns.stop == labels.shape[1]:
        contact += np.count_nonzero(labels[rows, -1] == number)
    return contact


def _holds(one: _Candidate, other: _Candidate) -> bool:
    return (
        one.top <= other.top + SAME_DIGIT
        and one.bottom >= other.bottom - SAME_DIGIT
        and one.left <= other.left + SAME_DIGIT
        and one.right >= other.right - SAME_DIGIT
    )


def _cut_out(ink: Floats, digit: _Candidate, frame_shape: tuple[int, ...]) -> FoundDigit:
    """Gather the digit's pieces, and free its ink from what else is in the frame."""
    from scipy import ndimage

    reach = max(2, round(PIECE_GAP * digit.size))
    window = digit.window(2 * reach, ink.shape)
    near = ink[window]
    edge = max(digit.level, digit.paper + STROKE_EDGE * digit.depth)
    labels, _ = ndimage.label(near > edge, np.ones((3, 3)))
    top, left = window[0].start, window[1].start
    body = (slice(digit.top - top, digit.bottom - top), slice(digit.left - left, digit.right - left))
    areas = np.bincount(labels.ravel())
    inside = np.bincount(labels[body].ravel(), minlength=len(areas))
    inside[0] = 0
    main = int(np.argmax(inside))
    close = np.bincount(labels[ndimage.maximum_filter(labels == main, 2 * reach + 1)], minlength=len(areas))
    close[np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1]))] = 0  # a part of something larger
    close[areas < max(6, 0.02 * areas[main])] = 0
    close[0] = 0
    keep = [main]
    for number in np.flatnonzero(close):
        if number != main and np.median(near[labels == number]) > digit.paper + FAINTEST_PIECE * digit.depth:
            keep.append(int(number))
    mask = np.isin(labels, keep)
    full = float(np.median(near[mask]))
    pale = digit.paper + 0.6 * (edge - digit.paper)
    soft = np.clip((near - pale) / max(full - pale, 1e-3), 0, 1) * ndimage.maximum_filter(mask, 3)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    y_scale, x_scale = (frame_shape[axis] / ink.shape[axis] for axis in (0, 1))
    x, y = int((left + columns[0]) * x_scale), int((top + rows[0]) * y_scale)
    right = min(frame_shape[1], round((left + columns[-1] + 1) * x_scale))
    bottom = min(frame_shape[0], round((top + rows[-1] + 1) * y_scale))
    return FoundDigit(Box(x, y, right - x, bottom - y), _crop(soft.astype(np.float32)))


def _crop(ink: Floats) -> Floats:
    solid = ink > BARELY_INK
    rows, columns = (np.flatnonzero(solid.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise NoInkError("there is no ink to make a digit of: every pixel is paper")
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _correct_stroke(digit: Floats) -> Floats:
    """Thicken a thin pen and thin a thick one to the widths that MNIST knows."""
    from scipy import ndimage

    width = _stroke_width(digit) * DIGIT_SIZE / max(digit.shape)
    wanted = min(max(width, THINNEST), THICKEST)
    if wanted == width:
        return digit
    fine = np.pad(_fit_box(digit, FINE * DIGIT_SIZE), 2 * FINE)
    radius = abs(wanted - width) * FINE / 2
    reach = round(radius)
    across = np.arange(-reach, reach + 1)
    disc = across[:, np.newaxis] ** 2 + across**2 <= radius**2 + 0.5
    if wanted > width:
        return _crop(ndimage.grey_dilation(fine, footprint=disc))
    thinner = ndimage.grey_erosion(fine, footprint=disc)
    return _crop(thinner) if thinner.sum() > 0.35 * fine.sum() else digit


def _stroke_width(ink: Floats) -> float:
    """The width of a digit's strokes in pixels: a stroke has two sides, so twice its area by its outline."""
    outline = np.hypot(np.diff(ink, axis=0)[:, :-1], np.diff(ink, axis=1)[:-1]).sum()
    return 2 * float(ink.sum()) / max(float(outline), 1e-6)


def _fit_box(image: Floats, size: int) -> Floats:
    """Resize so that the longer side is `size` pixels."""
    scale = size / max(image.shape)
    return _resize(image, max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale)))


def _resize(image: Floats, height: int, width: int) -> Floats:
    """Resize by area: each new pixel is the mean of what it covers of the old ones."""
    return _resize_rows(_resize_rows(image, height).T, width).T


def _resize_rows(image: Floats, height: int) -> Floats:
    if height == image.shape[0]:
        return image
    sums = np.zeros((image.shape[0] + 1, image.shape[1]), np.float32)
    np.cumsum(image, axis=0, out=sums[1:])
    edges = np.linspace(0, image.shape[0], height + 1)
    below = np.minimum(edges.astype(np.intp), image.shape[0] - 1)
    part = (edges - below).astype(np.float32)[:, np.newaxis]
    at_edges = sums[below] + part * image[below]
    return np.diff(at_edges, axis=0) * np.float32(height / image.shape[0])
