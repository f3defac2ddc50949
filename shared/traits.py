"""Traits: what tells a digit on paper from other pieces of ink, and how much each of them says.

A piece's score, by which the finder chooses, is the chance that a logistic regression over its traits tells.
How likely what it chose is to be a digit is told by its traits and all that is around it: see
`shared.surroundings`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

FULL_SIZE = 0.3  # of the frame's shorter side
BAR = 1.25  # of its diagonal: a piece with strokes no longer is a bar
DARK_BOARD = 40  # of 255: boards are no brighter; what lies behind bright cables often is


class Traits(NamedTuple):
    """What a piece of ink, its place and the ring of paper around it are like; or what each of that weighs.

    Attributes
    ----------
    depth : the logarithm of its depth of ink, at most 0
    smallness : the logarithm of its size against `FULL_SIZE` where it is smaller, at most 0
    flatness : the logarithm of its width against its height where it is wider
    distance : from the middle of the frame, squared, in widths and heights of it
    edges : of the frame that it touches: most of what does is a desk, a hand or a shadow
    fill : share of its box that is ink
    bar : 1 if it is one
    edge_bar : the edges that it touches if it is one, as pens and cables do
    dirt : share of its ring that is no paper
    unevenness : how unevenly its ring is lit, as a share of its middle light
    patchiness : how far that is from two even halves, as a shadow's edge makes them
    chalk : 1 if it is brighter than its board
    chalk_bar : 1 if it is a bar as well: a gap, a cable
    board : for chalk, by how many levels of 255 its board is brighter than `DARK_BOARD`
    """

    depth: float = 0.0
    smallness: float = 0.0
    flatness: float = 0.0
    distance: float = 0.0
    edges: float = 0.0
    fill: float = 0.0
    bar: float = 0.0
    edge_bar: float = 0.0
    dirt: float = 0.0
    unevenness: float = 0.0
    patchiness: float = 0.0
    chalk: float = 0.0
    chalk_bar: float = 0.0
    board: float = 0.0


# Fitted on 4,500 simulated scenes (`shared.scenery`) with a digit on paper in two of three, and rounded; what
# bars and boards weigh is chosen.
DIGITS_BASE = 6.4
DIGITS = Traits(
    depth=1.65,
    smallness=3.9,
    flatness=-5.5,
    distance=-0.65,
    edges=-2.6,
    fill=-4.3,
    bar=-0.5,
    edge_bar=-2.0,
    dirt=-13.6,
    unevenness=-5.0,
    patchiness=-3.0,
    chalk=-1.1,
    chalk_bar=-1.5,
    board=-0.1,
)


def tell_chance(log_odds: float) -> float:
    """The chance, 0 to 1, that has these odds."""
    return 1 / (1 + math.exp(-log_odds))
