"""Surroundings: what lies around a piece of ink tells whether it is a digit that somebody holds up.

A cable across a shadow, a gap between fingers or the corner of a sheet may have the very shape of a digit.
But a cable goes on where it seems to end, and there is another thing on each side of an edge. A network of
its own, feed-forward as the one that reads, is shown the piece, what is around it, and its traits. Of which
digit it may be it says nothing, and so it need not be trained again when the other one is.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.errors import WeightsError
from shared.feedforward import FeedForward, FloatArray
from shared.ink import Bytes, Window
from shared.traits import Traits
from shared.weights import Ends, load_weights

SURROUNDINGS_WEIGHTS = Path(__file__).with_name("surroundings.npz")

GRID = 24  # places of a view from side to side
REACH = 2.0  # how much wider a view is than the longer side of the piece in its middle
CHANNELS = 3
JUDGES_SURROUNDINGS = Ends(
    CHANNELS * GRID * GRID + len(Traits._fields), 1, "judges surroundings", "view-24x24-and-traits"
)

_LEVELS = np.arange(256, dtype=np.float32)
_EDGES = np.arange(GRID + 1, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """A piece of ink in an ink map, and what is around it.

    Attributes
    ----------
    dark : uint8 (H, W), the ink map, 255 = black
    grey : uint8 (H, W), the frame it was made of
    piece : uint8, 1 where the piece is, 0 elsewhere in its box
    box : the piece's, in the map
    paper : the ink map's value on the paper around the piece
    depth : of its ink, below that paper
    light : the grey level of that paper
    traits : the piece's
    """

    dark: Bytes
    grey: Bytes
    piece: Bytes
    box: Window
    paper: int
    depth: int
    light: int
    traits: Traits

    @cached_property
    def view(self) -> Bytes:
        """The piece, in the middle half, and what is around it, coarsely.

        uint8 (3, 24, 24): its own ink, all other ink, and the light; 0 outside the frame.
        """
        rows, columns = (
            _lay_places(side, self.box, end) for side, end in zip(self.box, self.dark.shape, strict=True)
        )
        top, left = int(rows.begins[0]), int(columns.begins[0])
        window = slice(top, int(rows.ends[-1])), slice(left, int(columns.ends[-1]))
        near = self.dark[window]
        seen = np.zeros((CHANNELS, *near.shape), np.uint8)
        own, other, light = seen
        down, across = self.box
        inside = own[down.start - top : down.stop - top, across.start - left : across.stop - left]
        np.multiply(self.piece, self.dark[self.box], out=inside)
        np.subtract(near, own, out=other)
        light[...] = self.grey[window]
        # Along rows that lie behind each other in memory it takes less time, so the columns are made such.
        highest = columns.take_highest(rows.take_highest(seen).swapaxes(1, 2).copy()).swapaxes(1, 2)
        view = np.zeros((CHANNELS, GRID, GRID), np.uint8)
        places = view[:, rows.places, columns.places]
        places[:2] = _scale(self.paper, 255 / self.depth).take(highest[:2])
        places[2] = _scale(0, 128 / max(self.light, 1)).take(highest[2])
        return view

    @property
    def inputs(self) -> FloatArray:
        """What the network is shown, float32 (1742,)."""
        return to_inputs(self.view, self.traits)

    @cached_property
    def likelihood(self) -> float:
        """How likely the piece is to be a digit that is held up, 0 to 1."""
        return float(_own.network.query(self.inputs)[0])


def to_inputs(views: Bytes, traits: npt.ArrayLike) -> FloatArray:
    """What the network is shown: views, 0.0 to 1.0, and the traits as they are.

    Parameters
    ----------
    views : uint8 (..., 3, 24, 24), see `Surroundings.view`
    traits : (..., 14)

    Returns
    -------
    float32 (..., 1742)
    """
    pixels = views.reshape(*views.shape[:-3], -1)
    inputs = np.empty((*pixels.shape[:-1], JUDGES_SURROUNDINGS.inputs), np.float32)
    np.multiply(pixels, np.float32(1 / 255), out=inputs[..., : pixels.shape[-1]])
    inputs[..., pixels.shape[-1] :] = traits
    return inputs


def _scale(zero: int, factor: float) -> Bytes:
    """What becomes of each of 256 values, counted from one of them and made larger."""
    scaled = (_LEVELS - np.float32(zero)) * np.float32(factor)
    levels: Bytes = np.minimum(np.maximum(scaled, np.float32(0)), np.float32(255)).astype(np.uint8)
    return levels


class _Places(NamedTuple):
    """Places along a line of a map, of those of a view: where each begins and ends, and which they are."""

    begins: npt.NDArray[np.intp]
    ends: npt.NDArray[np.intp]
    places: slice

    def take_highest(self, pixels: Bytes) -> Bytes:
        """Take the highest of each place's lines of pixels, which begin where the first place does."""
        begins, lasts = self.begins - self.begins[0], self.ends - (self.begins[0] + 1)
        widest = int((lasts - begins).max()) + 1
        # All of a place's pixels, in places that are less wide the last one again: in few and long steps.
        within = np.minimum(begins[:, np.newaxis] + np.arange(widest), lasts[:, np.newaxis])
        of_each = pixels.take(within.ravel(), axis=1).reshape(len(pixels), *within.shape, -1)
        highest: Bytes = np.maximum.reduce(of_each, axis=2)
        return highest


def _lay_places(side: slice, box: Window, length: int) -> _Places:
    """Lay the places of a view of a box along one of its sides; those outside the map are left out.

    Where they are less than a pixel wide some begin in the same one.
    """
    width = REACH * max(line.stop - line.start for line in box) / GRID
    begin = (side.start + side.stop - GRID * width) / 2
    edges = np.rint(begin + width * _EDGES).astype(np.intp)
    begins = edges[:-1]
    ends = np.maximum(edges[1:], begins + 1)
    places = slice(int(ends.searchsorted(1)), int(begins.searchsorted(length)))
    return _Places(np.maximum(begins[places], 0), np.minimum(ends[places], length), places)


def prepare() -> None:
    """Load the network now, which else the first piece of ink waits for.

    Raises
    ------
    WeightsError : if its file, which comes with the program, is missing or damaged
    """
    _load()


@cache
def _load() -> FeedForward:
    try:
        return load_weights(SURROUNDINGS_WEIGHTS, JUDGES_SURROUNDINGS).network
    except WeightsError as error:
        raise type(error)(
            f"{SURROUNDINGS_WEIGHTS}, which comes with Inkling, is missing or damaged: install Inkling again"
        ) from error


class _Own(threading.local):
    """A network for each thread, as threads must not share one; the weights are the same."""

    @cached_property
    def network(self) -> FeedForward:
        return _load().share()


_own = _Own()
