"""Resizing pictures by area."""

from __future__ import annotations

import numpy as np

from shared.feedforward import FloatArray


def fit_box(image: FloatArray, size: int) -> FloatArray:
    """Resize so that the longer side is `size` pixels."""
    scale = size / max(image.shape)
    return resize(image, max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale)))


def resize(image: FloatArray, height: int, width: int) -> FloatArray:
    """Resize by area: each new pixel is the mean of what it covers of the old ones."""
    return _resize_rows(_resize_rows(image, height).T, width).T


def _resize_rows(image: FloatArray, height: int) -> FloatArray:
    if height == image.shape[0]:
        return image
    sums = np.zeros((image.shape[0] + 1, image.shape[1]), np.float32)
    np.cumsum(image, axis=0, out=sums[1:])
    edges = np.linspace(0, image.shape[0], height + 1)
    below = np.minimum(edges.astype(np.intp), image.shape[0] - 1)
    part = (edges - below).astype(np.float32)[:, np.newaxis]
    at_edges = sums[below] + part * image[below]
    means: FloatArray = np.diff(at_edges, axis=0) * np.float32(height / image.shape[0])
    return means
