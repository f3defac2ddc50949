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

LEARNING = (
    ("--learning-rate", float, "RATE", "the first step's length"),
    ("--epochs", int, "N", "passes over the pictures"),
    ("--batch-size", int, "N", "pictures a step"),
    ("--seed", int, "N", "the same seed gives the same weights"),
    ("--averaging", float, "EPOCHS", "over which the weights are averaged; 0 takes the last ones"),
    ("--dropout", float, "SHARE", "of the hidden nodes that is silent in each step"),
    ("--skipping", float, "SHARE", "of the pictures read better than the mean one that an epoch leaves out"),
    ("--field-teacher", int, "EPOCHS", "that a network with fields learns first, to teach this one; 0: none"),
    ("--patience", int, "N", "epochs without a better one before training ends; 0 goes on to the last"),
)
CHOICES = (
    ("--loss", LOSSES, "what is made small; squared-error is the talk's, focal wants --calibrate"),
    ("--optimiser", OPTIMISERS, "how the weights follow their gradients"),
    ("--schedule", SCHEDULES, "what becomes of the learning rate"),
)
FADING = (
    ("--calm", float, "SHARE", "of training, at its end, over which deformations fade"),
    ("--calmest", float, "SHARE", "of their strength that deformations fade to"),
)
AMOUNTS = (
    ("--turn", float, "DEGREES", "how far pictures are turned"),
    ("--slant", float, "SHARE", "of its height by which a picture leans to the side"),
    ("--taller", float, "SHARE", "of its height by which it is stretched"),
    ("--wider", float, "SHARE", "of its width by which it is stretched"),
    ("--shift", float, "PIXELS", "how far it is shifted"),
    ("--bend", float, "PIXELS", "how far each of its pixels is moved"),
    ("--smoothness", float, "PIXELS", "within which pixels are moved alike"),
    ("--stroke", float, "PIXELS", "by which strokes become thicker and thinner"),
)

Options = argparse._ArgumentGroup


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add `--preset` and all that it tells."""
    add_preset(parser, "a recipe that is known to be good, see below")
    network = parser.add_argument_group("the network")
    network.add_argument(
        "--hidden",
        type=int,
        nargs="+",
        default=argparse.SUPPRESS,
        metavar="NODES",
        help=f"nodes in the hidden layer, or in each of several (default: {Recipe().hidden[0]})",
    )
    _add_choices(network, (("--activation", ACTIVATIONS, "what hidden nodes do; output nodes are sigmoid"),))
    _add_switch(network, "--biases", "give each node a bias; the talk's have none")
    _add_switch(
        network,
        "--batch-normalisation",
        "make hidden signals 0 on average and 1 strong over each batch; what is exported has it in its "
        "weights and biases, so it needs --biases",
    )
    learning = parser.add_argument_group("how it learns")
    _add_numbers(learning, LEARNING)
    _add_choices(learning, CHOICES)
    learning.add_argument(
        "--hold-out",
        type=int,
        default=argparse.SUPPRESS,
        metavar="N",
        help="pictures kept apart, to choose the best epoch; 0 learns from all (default: one in "
        f"{HELD_OUT_SHARE})",
    )
    _add_switch(
        learning,
        "--calibrate",
        "scale the last weights until the outputs for the held-out pictures mean what they say",
    )
    add_amounts(parser)
    _add_numbers(parser.add_argument_group("deformations, as training goes"), FADING)


def add_preset(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add `--preset`, told what it is for."""
    parser.add_argument("--preset", choices=PRESETS, help=meaning)


def add_amounts(parser: argparse.ArgumentParser) -> None:
    """Add the options for what is made of pictures."""
    augmentation = parser.add_argument_group("more pictures from those that there are")
    augmentation.add_argument(
        "--rotate",
        dest="rotate_degrees",
        type=float,
        nargs="?",
        const=TALK_DEGREES,
        default=argparse.SUPPRESS,
        metavar="DEGREES",
        help=f"turn pictures left and right as the talk does, by {TALK_DEGREES:g} if not told",
    )
    augmentation.add_argument(
        "--deform",
        dest="deform_strength",
        type=float,
        nargs="?",
        const=1.0,
        default=argparse.SUPPRESS,
        metavar="STRENGTH",
        help="turn, slant, stretch, shift and bend pictures, each time in another way, as "
        "'show-augmentation' shows; 1 if not told how much",
    )
    amounts = parser.add_argument_group("deformations", "standard deviations, for --deform 1")
    _add_numbers(amounts, AMOUNTS)


def _add_numbers(group: Options, numbers: tuple[tuple[str, type, str, str], ...]) -> None:
    defaults = Recipe()
    for option, kind, metavar, meaning in numbers:
        default = getattr(defaults, option.strip("-").replace("-", "_"))
        group.add_argument(
            option,
            type=kind,
            default=argparse.SUPPRESS,
            metavar=metavar,
            help=f"{meaning} (default: {default:g})",
        )


def _add_choices(group: Options, choices: tuple[tuple[str, dict[str, Any], str], ...]) -> None:
    defaults = Recipe()
    for option, names, meaning in choices:
        default = getattr(defaults, option.strip("-"))
        group.add_argument(
            option, choices=names, default=argparse.SUPPRESS, help=f"{meaning} (default: {default})"
        )


def _add_switch(group: Options, option: str, meaning: str) -> None:
    group.add_argument(option, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=meaning)


def read_given(options: argparse.Namespace) -> dict[str, Any]:
    """Read which parts of a recipe were given, and what."""
    names = [field.name for field in fields(Recipe) if hasattr(options, field.name)]
    given = {name: getattr(options, name) for name in names}
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
        (
            "presets, with their accuracy on MNIST's test images and their time on one core:",
            *lines,
            "Times vary with the machine, and not all are of the same one: a rough guide.",
        )
    )
