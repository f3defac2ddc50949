"""Surroundings: what lies around a piece of ink tells whether it is a digit that somebody holds up.

A cable across a shadow, a gap between fingers or the corner of a sheet may have the very shape of a digit.
But a cable goes on where it seems to end, and there is another thing on each side of an edge. A network of
its own, feed-forward as the one that reads, is shown the piece, what is around it, and its traits. Of which
digit it may be it says nothing, and so it need not be trained again when the other one is.
"""

from __future__ import annotations

import threading
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.feedforward import FeedForward, FloatArray
from shared.ink import Bytes, Window
from shared.traits import Traits
from shared.weights import Ends, load_weights

SURROUNDINGS_WEIGHTS = Path(__file__).with_name("surroundings.npz")

GRID = 24  # places of a view from side to side
REACH = 2.0  # how much wider a view is than the longer side of the piece in its middle
CHANNELS = 3
JUDGES_SURROUNDINGS = Ends(CHANNELS * GRID * GRID + len(Traits._fields), 1, "judges surroundings")

_LEVELS = np.arange(256)


class Ground(NamedTuple):
    """What a piece of ink is measured against: values of an ink map and of its greys, 0 to 255.

    Attributes
    ----------
    paper : the ink map's value on the paper around it
    depth : of its ink, below that paper
    light : the grey level of that paper
    """

    paper: int
    depth: int
    light: int


def look_around(dark: Bytes, grey: Bytes, piece: Bytes, box: Window, ground: Ground) -> Bytes:
    """Look at a piece of ink and what is around it, coarsely.

    Parameters
    ----------
    dark : uint8 (H, W), the ink map, 255 = black
    grey : uint8 (H, W), the frame it was made of
    piece : uint8, 1 where the piece is, 0 elsewhere in its box
    box : the piece's, in the map

    Returns
    -------
    uint8 (3, 24, 24), the piece in the middle half: its own ink, all other, the light; 0 outside the frame
    """
    half = REACH / 2 * max(side.stop - side.start for side in box)
    (rows, down), (columns, across) = (
        _lay_grid(side, half, length) for side, length in zip(box, dark.shape, strict=True)
    )
    top, left = int(rows[0]), int(columns[0])
    window = slice(top, int(rows[-1])), slice(left, int(columns[-1]))
    near = dark[window]
    own = np.zeros_like(near)
    inside = own[box[0].start - top : box[0].stop - top, box[1].start - left : box[1].stop - left]
    np.multiply(piece, dark[box], out=inside)
    as_ink = np.clip((_LEVELS - ground.paper) * 255 // ground.depth, 0, 255).astype(np.uint8)
    as_light = np.minimum(_LEVELS * 128 // max(ground.light, 1), 255).astype(np.uint8)
    view = np.zeros((CHANNELS, GRID, GRID), np.uint8)
    for channel, seen, levels in ((0, own, as_ink), (1, near - own, as_ink), (2, grey[window], as_light)):
        highest = np.maximum.reduceat(seen, rows[:-1] - top, axis=0)
        highest = np.maximum.reduceat(highest, columns[:-1] - left, axis=1)
        view[channel, down, across] = levels.take(highest)
    return view


def _lay_grid(side: slice, half: float, length: int) -> tuple[npt.NDArray[np.intp], slice]:
    """Lay places along a line of the map, from `half` before a box's middle to `half` behind it.

    Returns where those begin that are in the map, and where the last one ends; and which they are. Where they
    are less than a pixel wide some begin in the same one.
    """
    middle = (side.start + side.stop) / 2
    edges = np.rint(np.linspace(middle - half, middle + half, GRID + 1)).astype(np.intp)
    begins, ends = edges[:-1], np.maximum(edges[1:], edges[:-1] + 1)
    (seen,) = np.nonzero((ends > 0) & (begins < length))
    first, last = int(seen[0]), int(seen[-1])
    places = np.append(begins[first : last + 1], ends[last]).clip(0, length)
    return places, slice(first, last + 1)


def to_inputs(view: Bytes, traits: Traits) -> FloatArray:
    """What the network is shown: float32 (1742,), the view, 0.0 to 1.0, and the traits as they are."""
    inputs = np.empty(JUDGES_SURROUNDINGS.inputs, np.float32)
    pixels = view.size
    np.multiply(view.ravel(), np.float32(1 / 255), out=inputs[:pixels])
    inputs[pixels:] = traits
    return inputs


def tell_likelihood(view: Bytes, traits: Traits) -> float:
    """How likely a piece is to be a digit that is held up, 0 to 1, by a view of it and its traits."""
    return float(_own.network.query(to_inputs(view, traits))[0])


@cache
def _load() -> FeedForward:
    return load_weights(SURROUNDINGS_WEIGHTS, JUDGES_SURROUNDINGS).network


class _Own(threading.local):
    """A network for each thread, as threads must not share one; the weights are the same."""

    @cached_property
    def network(self) -> FeedForward:
        shared = _load()
        return FeedForward(shared.weights, shared.biases, shared.activation)


_own = _Own()
