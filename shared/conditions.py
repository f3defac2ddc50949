"""The conditions under which a digit is held up: pen, paper, light, place, lens and sensor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from shared.texture import pick

PenName = Literal["ballpoint", "fineliner", "felt", "marker", "pencil", "blue", "chalk", "stylus"]
PaperName = Literal["white", "cream", "grey", "kraft", "note", "blackboard", "tablet"]
Ruling = Literal["none", "squared", "ruled", "dotted"]
Light = Literal["even", "slope", "vignette", "soft shadow", "hard shadow"]

Range = tuple[float, float]


class Pen(NamedTuple):
    """The width of its strokes as a share of the digit's longer side, how dark they are, how they grain."""

    stroke: Range
    depth: Range
    grain: float


class Paper(NamedTuple):
    """Its grey, 0 to 1, its texture, and whether ink on it is bright."""

    tone: Range
    rough: float
    dark: bool = False


PENS: dict[PenName, Pen] = {
    "ballpoint": Pen((0.015, 0.035), (0.45, 0.75), 0.2),
    "fineliner": Pen((0.025, 0.055), (0.65, 0.9), 0.05),
    "felt": Pen((0.05, 0.1), (0.65, 0.92), 0.05),
    "marker": Pen((0.09, 0.18), (0.7, 0.93), 0.1),
    "pencil": Pen((0.015, 0.05), (0.16, 0.45), 0.5),
    "blue": Pen((0.018, 0.06), (0.3, 0.6), 0.15),
    "chalk": Pen((0.04, 0.1), (0.4, 0.85), 0.5),
    "stylus": Pen((0.03, 0.1), (0.6, 0.95), 0.0),
}
PAPERS: dict[PaperName, Paper] = {
    "white": Paper((0.72, 0.95), 0.03),
    "cream": Paper((0.6, 0.82), 0.03),
    "grey": Paper((0.42, 0.62), 0.03),
    "kraft": Paper((0.35, 0.55), 0.06),
    "note": Paper((0.6, 0.85), 0.02),
    "blackboard": Paper((0.08, 0.22), 0.15, dark=True),
    "tablet": Paper((0.02, 0.1), 0.02, dark=True),
}

CLUTTER = (0.2, 0.25, 0.25, 0.2, 0.1)  # how often nothing, one thing, two things ... are in view
FAINTEST = 16  # levels of 255 between ink and paper where light is worst: below, no person could read it


@dataclass(frozen=True)
class Conditions:
    """How a digit is held up; the defaults are easy, `draw` is not.

    Attributes
    ----------
    pen, paper, ruling, light : which
    stroke : width of the strokes as a share of the digit's longer side
    depth : how much darker than the paper the ink is, 0 to 1; on dark paper, how much brighter
    fills : whether the sheet goes on beyond the frame; else it is a card before the backdrop
    clutter : how many things are in the place behind it
    hand : whether a finger or two hold it, over its edge
    size : the digit's longer side as a share of the frame's height
    x, y : the digit's place: 0 the middle, -1 and 1 where the digit just touches the frame's edge
    tilt : degrees that the digit is turned
    lean : degrees that the sheet is leant out of the frame's plane
    crumple : 0 smooth, 0.2 folded, 1 crumpled
    exposure : the grey of white paper in full light, 1 = 255
    blur : out of focus, standard deviation in pixels
    noise : of the sensor, standard deviation in levels of 255
    """

    pen: PenName = "felt"
    paper: PaperName = "white"
    ruling: Ruling = "none"
    light: Light = "even"
    stroke: float = 0.09
    depth: float = 0.8
    fills: bool = True
    clutter: int = 0
    hand: bool = False
    size: float = 0.55
    x: float = 0.0
    y: float = 0.0
    tilt: float = 0.0
    lean: float = 0.0
    crumple: float = 0.0
    exposure: float = 0.8
    blur: float = 0.4
    noise: float = 2.5

    @classmethod
    def draw(cls, random: np.random.Generator, **fixed: Any) -> Conditions:
        """Draw conditions at random; those that are named stay as given.

        What no person could read is not drawn: blur and noise stay below what would drown the stroke.
        """
        dark = random.random() < 0.12
        pens, papers = (
            (("chalk", "stylus"), ("blackboard", "tablet"))
            if fixed.get("pen") in ("chalk", "stylus")
            or fixed.get("paper") in ("blackboard", "tablet")
            or (dark and not {"pen", "paper"} & fixed.keys())
            else (
                ("ballpoint", "fineliner", "felt", "marker", "marker", "pencil", "blue"),
                ("white", "white", "cream", "grey", "kraft", "note"),
            )
        )
        pen: PenName = fixed.get("pen") or pick(random, *pens)
        paper: PaperName = fixed.get("paper") or pick(random, *papers)
        fills = bool(fixed.get("fills", random.random() < 0.45))
        at_edge = random.random() < 0.12
        sides = random.uniform(-1, 1, 2) * (0.9 if fills else 0.6)
        if at_edge:
            sides[int(random.integers(2))] = pick(random, -1, 1)
        drawn: dict[str, Any] = {
            "pen": pen,
            "paper": paper,
            "ruling": "none"
            if PAPERS[paper].dark or random.random() < 0.55
            else pick(random, "squared", "ruled", "dotted"),
            "light": pick(random, "even", "slope", "vignette", "soft shadow", "hard shadow"),
            "stroke": random.uniform(*PENS[pen].stroke),
            "depth": random.uniform(*PENS[pen].depth),
            "fills": fills,
            "clutter": int(random.choice(5, p=CLUTTER)),
            "hand": not fills and random.random() < 0.5,
            "size": random.triangular(0.16, 0.45, 0.88) if fills else random.triangular(0.16, 0.35, 0.6),
            "x": float(sides[0]),
            "y": float(sides[1]),
            "tilt": random.triangular(-15, 0, 15),
            "lean": pick(random, 0.0, random.uniform(0, 30)),
            "crumple": pick(random, 0.0, 0.0, 0.2, random.uniform(0.4, 1)),
            "exposure": random.triangular(0.3, 1.0, 1.15),
            "noise": random.uniform(0.5, 5),
            "blur": pick(random, 0.4, 0.6, random.uniform(0.6, 3)),
        }
        conditions = cls(**(drawn | fixed))
        line = max(conditions.stroke * conditions.size * 240, 1.0)
        shade = 0.5 if conditions.light in ("soft shadow", "hard shadow") else 0.8
        room = PAPERS[paper].tone[0] if not PAPERS[paper].dark else 1.0
        contrast = conditions.depth * room * shade * 255
        legible: dict[str, Any] = {
            "exposure": max(conditions.exposure, min(FAINTEST / contrast, 1.0)),
            "crumple": min(conditions.crumple, 1.5 * conditions.depth),
            "blur": min(conditions.blur, max(0.4, 0.45 * line)),
            "noise": min(conditions.noise, conditions.exposure * contrast / 10 * min(line, 3)),
        }
        return replace(conditions, **{name: value for name, value in legible.items() if name not in fixed})
