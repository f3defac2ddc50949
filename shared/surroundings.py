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
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

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
        half = REACH / 2 * max(side.stop - side.start for side in self.box)
        rows, columns = (
            _lay_grid(side, half, length) for side, length in zip(self.box, self.dark.shape, strict=True)
        )
        top, left = rows.begins[0], columns.begins[0]
        window = slice(top, rows.ends[-1]), slice(left, columns.ends[-1])
        near = self.dark[window]
        seen = np.zeros((CHANNELS, *near.shape), np.uint8)
        own, other, light = seen
        inside = tuple(
            slice(side.start - by, side.stop - by) for side, by in zip(self.box, (top, left), strict=True)
        )
        np.multiply(self.piece, self.dark[self.box], out=own[inside])
        np.subtract(near, own, out=other)
        light[...] = self.grey[window]
        highest = columns.take_highest(rows.take_highest(seen, 1), 2)
        view = np.zeros((CHANNELS, GRID, GRID), np.uint8)
        places = view[:, rows.places, columns.places]
        as_ink = np.clip((_LEVELS - self.paper) * 255 // self.depth, 0, 255).astype(np.uint8)
        places[:2] = as_ink.take(highest[:2])
        places[2] = np.minimum(_LEVELS * 128 // max(self.light, 1), 255).astype(np.uint8).take(highest[2])
        return view

    @property
    def inputs(self) -> FloatArray:
        """What the network is shown: float32 (1742,), the view, 0.0 to 1.0, and the traits as they are."""
        inputs = np.empty(JUDGES_SURROUNDINGS.inputs, np.float32)
        pixels = self.view.size
        np.multiply(self.view.ravel(), np.float32(1 / 255), out=inputs[:pixels])
        inputs[pixels:] = self.traits
        return inputs

    @property
    def likelihood(self) -> float:
        """How likely the piece is to be a digit that is held up, 0 to 1."""
        return float(_own.network.query(self.inputs)[0])


class _Places(NamedTuple):
    """Places along a line of a map, of those of a view: where each begins and ends, and which they are."""

    begins: list[int]
    ends: list[int]
    places: slice

    def take_highest(self, pixels: Bytes, axis: int) -> Bytes:
        """The highest value in each place; `pixels` begin where the first one does."""
        first = self.begins[0]
        highest: Bytes = pixels.take([begin - first for begin in self.begins], axis)
        widest = max(end - begin for begin, end in zip(self.begins, self.ends, strict=True))
        for step in range(1, widest):
            at = [
                min(begin + step, end - 1) - first for begin, end in zip(self.begins, self.ends, strict=True)
            ]
            np.maximum(highest, pixels.take(at, axis), out=highest)
        return highest


def _lay_grid(side: slice, half: float, length: int) -> _Places:
    """Lay places along a line of the map, from `half` before a box's middle to `half` behind it.

    Those outside the map are left out. Where they are less than a pixel wide some begin in the same one.
    """
    # Of so few numbers arrays would take a Pi Zero longer.
    begin, width = (side.start + side.stop) / 2 - half, 2 * half / GRID
    edges = [round(begin + width * place) for place in range(GRID + 1)]
    ends = [max(edge, before + 1) for before, edge in pairwise(edges)]
    seen = [place for place in range(GRID) if ends[place] > 0 and edges[place] < length]
    return _Places(
        [max(edges[place], 0) for place in seen],
        [min(ends[place], length) for place in seen],
        slice(seen[0], seen[-1] + 1),
    )


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
