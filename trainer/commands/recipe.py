"""The options that make up a recipe: what is not given comes from a preset, or is as in the talk."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from typing import Any

from shared.feedforward import ACTIVATIONS
from trainer.losses import LOSSES
from trainer.optimisers import OPTIMISERS
from trainer.presets import HELD_OUT_SHARE, PRESETS, TALK_DEGREES, Recipe
from trainer.schedules import SCHEDULES

NUMBERS = (
    ("--learning-rate", float, "RATE", "the first step's length"),
    ("--epochs", int, "N", "times every picture is seen"),
    ("--batch-size", int, "N", "pictures a step"),
    ("--seed", int, "N", "the same seed gives the same weights"),
    ("--averaging", float, "EPOCHS", "over which the weights are averaged; 0 takes the last ones"),
    ("--dropout", float, "SHARE", "of the hidden nodes that is silent in each step"),
    ("--patience", int, "N", "epochs without a better one before training ends; 0 goes on to the last"),
    ("--calm", float, "SHARE", "of training, at its end, over which deformations fade"),
    ("--calmest", float, "SHARE", "of their strength that deformations fade to"),
    (
        "--turn",
        float,
        "DEGREES",
        "that --deform 1 turns pictures by, as all that follow a standard deviation",
    ),
    ("--slant", float, "SHARE", "of their height that it slants them by"),
    ("--taller", float, "SHARE", "of their height that it stretches them by"),
    ("--wider", float, "SHARE", "of their width that it stretches them by"),
    ("--shift", float, "PIXELS", "that it shifts them by"),
    ("--bend", float, "PIXELS", "that it bends them by"),
    ("--smoothness", float, "PIXELS", "within which it bends them alike"),
    ("--stroke", float, "PIXELS", "that it makes strokes thicker and thinner by"),
)
CHOICES = (
    ("--activation", ACTIVATIONS, "what hidden nodes do; output nodes are sigmoid"),
    ("--loss", LOSSES, "what is made small; squared-error is the talk's"),
    ("--optimiser", OPTIMISERS, "how the weights follow their gradients"),
    ("--schedule", SCHEDULES, "what becomes of the learning rate"),
)


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add `--preset` and all that it tells."""
    defaults = Recipe()

    def add(option: str, meaning: str, **how: Any) -> None:
        default = getattr(defaults, how.get("dest") or option.strip("-").replace("-", "_"))
        parser.add_argument(option, default=argparse.SUPPRESS, help=f"{meaning} (default: {default})", **how)

    parser.add_argument("--preset", choices=PRESETS, help="a recipe that is known to be good, see below")
    parser.add_argument(
        "--hidden",
        type=int,
        nargs="+",
        default=argparse.SUPPRESS,
        metavar="NODES",
        help=f"nodes in the hidden layer, or in each of several (default: {defaults.hidden[0]})",
    )
    for option, kind, metavar, meaning in NUMBERS:
        add(option, meaning, type=kind, metavar=metavar)
    for option, choices, meaning in CHOICES:
        add(option, meaning, choices=choices)
    for option, dest, const, metavar, meaning in (
        (
            "--rotate",
            "rotate_degrees",
            TALK_DEGREES,
            "DEGREES",
            f"turn pictures left and right as the talk does, by {TALK_DEGREES:g} if not told",
        ),
        (
            "--deform",
            "deform_strength",
            1.0,
            "STRENGTH",
            "turn, stretch, shift and bend pictures, each time in another way, as 'show-augmentation' shows; "
            "1 if not told how much",
        ),
    ):
        parser.add_argument(
            option,
            dest=dest,
            type=float,
            nargs="?",
            const=const,
            default=argparse.SUPPRESS,
            metavar=metavar,
            help=meaning,
        )
    parser.add_argument(
        "--hold-out",
        type=int,
        default=argparse.SUPPRESS,
        metavar="N",
        help="pictures kept apart, to choose the best epoch; 0 learns from all (default: one in "
        f"{HELD_OUT_SHARE})",
    )
    for option, meaning in (
        (
            "--calibrate",
            "scale the last weights until the outputs for the held-out pictures mean what they say",
        ),
        ("--biases", "give each node a bias; the talk's have none"),
    ):
        parser.add_argument(
            option, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=meaning
        )


def read_given(options: argparse.Namespace) -> dict[str, Any]:
    """Read which parts of a recipe were given, and what."""
    given = {
        field.name: getattr(options, field.name) for field in fields(Recipe) if hasattr(options, field.name)
    }
    return {**given, "hidden": tuple(given["hidden"])} if "hidden" in given else given


def read_recipe(options: argparse.Namespace) -> Recipe:
    """Read the whole recipe."""
    recipe = Recipe() if options.preset is None else PRESETS[options.preset].recipe
    return replace(recipe, **read_given(options))


def tell_presets() -> str:
    """Tell what presets there are and what they reach, a line each."""
    width = max(map(len, PRESETS)) + 2
    lines = (f"  {name:{width}}{preset.expects}" for name, preset in PRESETS.items())
    return "\n".join(
        ("presets, with their accuracy on MNIST's test images and their time on one core:", *lines)
    )
