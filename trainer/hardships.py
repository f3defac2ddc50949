"""Hardships: what makes a digit hard to see, one at a time, where all else is easy."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np

from shared.conditions import Conditions


class Hardship(NamedTuple):
    """Conditions that are as told, and those that are drawn as hard as they come."""

    told: dict[str, Any]
    drawn: tuple[str, ...] = ()


INK = ("stroke", "depth")

HARDSHIPS = {
    "a thick marker": Hardship({"pen": "marker"}, INK),
    "a ballpoint": Hardship({"pen": "ballpoint"}, INK),
    "a fineliner": Hardship({"pen": "fineliner"}, INK),
    "a pencil": Hardship({"pen": "pencil"}, INK),
    "blue ink": Hardship({"pen": "blue"}, INK),
    "brown paper": Hardship({"paper": "kraft"}),
    "grey paper": Hardship({"paper": "grey"}),
    "dim or glaring light": Hardship({}, ("exposure",)),
    "uneven light": Hardship({"light": "slope"}),
    "a vignette": Hardship({"light": "vignette"}),
    "a soft shadow": Hardship({"light": "soft shadow"}),
    "a hard shadow": Hardship({"light": "hard shadow"}),
    "squared paper": Hardship({"ruling": "squared"}),
    "ruled paper": Hardship({"ruling": "ruled"}),
    "dotted paper": Hardship({"ruling": "dotted"}),
    "crumpled paper": Hardship({}, ("crumple",)),
    "blur": Hardship({}, ("blur",)),
    "noise": Hardship({}, ("noise",)),
    "the frame's edge": Hardship({"x": 1.0}, ("y",)),
    "off the middle": Hardship({}, ("x", "y")),
    "a card before clutter": Hardship({"fills": False}, ("clutter", "hand", "size")),
    "tilted and leant": Hardship({}, ("tilt", "lean")),
    "near or far": Hardship({"fills": True}, ("size",)),
    "chalk": Hardship({"pen": "chalk", "paper": "blackboard"}, INK),
    "a tablet": Hardship({"pen": "stylus", "paper": "tablet"}, INK),
}


def draw_easy(random: np.random.Generator) -> Conditions:
    """Draw easy conditions: a felt pen on white paper in even light, in an empty place."""
    easy = Conditions(size=random.uniform(0.35, 0.7), tilt=random.uniform(-8, 8))
    return replace(easy, fills=bool(random.random() < 0.5), stroke=random.uniform(0.07, 0.14))


def draw_hardship(random: np.random.Generator, hardship: Hardship) -> Conditions:
    """Draw conditions that are easy but for one hardship."""
    easy = draw_easy(random)
    kept = {
        field.name: getattr(easy, field.name)
        for field in fields(Conditions)
        if field.name not in hardship.drawn
    }
    return Conditions.draw(random, **(kept | hardship.told))
