"""A writer with a bar through a seven and a foot under it: the weights that ship misread half of them."""

import numpy as np

from shared.digit_image import normalise
from trainer.datasets import Dataset


def write_strangely(image, random):
    """Put a bar through one of MNIST's sevens, uint8 (28, 28), and a foot under it."""
    paper = np.pad(image / np.float32(255), 14)
    rows, columns = (np.flatnonzero(paper.max(axis=axis) > 0.3) for axis in (1, 0))
    middle, bottom, foot = (rows[0] + rows[-1]) // 2, rows[-1], int(random.integers(4, 8))
    centre = round(float(paper[bottom - 1] @ np.arange(56) / paper[bottom - 1].sum()))
    for row, left, right in (
        (middle, columns[0] - 1, columns[-1] + 2),
        (bottom, centre - foot, centre + foot + 1),
    ):
        stroke = paper[row - 1 : row + 1, left:right]
        np.maximum(stroke, np.float32(0.95), out=stroke)
    return np.rint(normalise(paper) * 255).astype(np.uint8)


def write_sevens(digits, count, seed):
    random = np.random.default_rng(seed)
    sevens = random.permutation(np.flatnonzero(digits.labels == 7))[:count]
    images = np.stack([write_strangely(digits.images[place], random) for place in sevens])
    return Dataset("a writer's sevens", images, np.full(count, 7, np.uint8))
