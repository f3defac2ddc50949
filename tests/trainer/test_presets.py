import json
from dataclasses import asdict, fields, replace

import numpy as np
import pytest

from shared.records import read_record
from trainer.augmentation import Amounts, Deformations, Rotations
from trainer.cli import build_parser
from trainer.commands.recipe import read_recipe, tell_presets
from trainer.errors import BadSettingError
from trainer.presets import PRESETS, Recipe
from trainer.settings import Settings
from trainer.training import train


def parse(*arguments):
    return read_recipe(build_parser().parse_args(["train", *arguments]))


def test_without_options_the_recipe_is_that_of_the_settings():
    recipe = parse()
    assert {field.name: getattr(recipe, field.name) for field in fields(Settings)} == asdict(Settings())
    assert recipe.make_augmentation() is None
    assert recipe.amounts == Amounts()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_taken_as_it_is_and_what_is_given_overrides_it(name):
    assert parse("--preset", name) == PRESETS[name].recipe
    given = ("--hidden", "7", "5", "--dropout", "0.1", "--seed", "3", "--epochs", "1")
    changed = parse("--preset", name, *given)
    assert changed.hidden == (7, 5)
    assert changed.dropout == 0.1
    assert changed.seed == 3
    assert changed.learning_rate == PRESETS[name].recipe.learning_rate
    assert changed.make_augmentation() is not None or name == "talk"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_kept_in_json_and_read_again(name):
    recipe = PRESETS[name].recipe
    assert read_record(Recipe, json.loads(json.dumps(asdict(recipe)))) == recipe


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_learns(name, drawn_digits):
    recipe = PRESETS[name].recipe
    few = replace(recipe, hidden=(30,) * len(recipe.hidden), epochs=8)
    losses = []
    train(
        drawn_digits,
        few,
        augmentation=few.make_augmentation(),
        report=lambda moment: losses.append(moment.loss),
    )
    assert losses[-1] < 0.7 * losses[0]


def test_the_talks_own_presets_and_small_have_the_talks_layers():
    assert PRESETS["talk"].recipe.layers == PRESETS["small"].recipe.layers == (784, 200, 10)
    assert PRESETS["talk"].recipe.activation == PRESETS["small"].recipe.activation == "sigmoid"
    assert PRESETS["talk"].recipe.loss == "squared-error"
    assert isinstance(PRESETS["rotations"].recipe.make_augmentation(), Rotations)
    best = PRESETS["best"].recipe
    assert isinstance(best.make_augmentation(), Deformations)
    assert best.count_weights() + sum(best.layers[1:]) <= 1_000_000


def test_the_help_tells_every_preset_and_what_it_reaches():
    told = tell_presets()
    for name, preset in PRESETS.items():
        assert f"  {name} " in told
        assert preset.expects in told
        assert "%" in preset.expects


def test_one_picture_in_twelve_is_held_out_unless_told():
    assert Recipe().count_held_out(60000) == 5000
    assert Recipe(hold_out=7).count_held_out(60000) == 7
    assert PRESETS["best"].recipe.count_held_out(60000) == 0
    with pytest.raises(BadSettingError, match="--hold-out must be 0 to 9, not 10"):
        Recipe(hold_out=10).count_held_out(10)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rotate", "--deform"), "leave out --rotate, or give --deform 0"),
        (("--preset", "small", "--rotate"), "leave out --rotate, or give --deform 0"),
        (("--stroke", "-1"), "--stroke must be 0 to 45, not -1"),
        (("--dropout", "1"), "dropout must be 0 or more and below 1"),
        (("--averaging", "-1"), "averaging must be over 0 epochs or more"),
        (("--patience", "-1"), "the patience must not be below 0"),
        (("--deform", "--calm", "2"), "--calm must be 0 to 1, not 2"),
    ],
)
def test_recipes_that_cannot_be_are_refused(arguments, said):
    with pytest.raises(BadSettingError, match=said):
        parse(*arguments)


def test_a_preset_without_its_deformations_can_be_had():
    assert parse("--preset", "small", "--deform", "0").make_augmentation() is None
    rotated = parse("--preset", "small", "--deform", "0", "--rotate").make_augmentation()
    assert isinstance(rotated, Rotations)


def test_strokes_are_left_as_they_are_unless_told():
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 10:18, 13:15] = 1
    plain = Recipe(deform_strength=1.0, turn=0, slant=0, taller=0, wider=0, shift=0, bend=0)
    augmentation = plain.make_augmentation()
    np.testing.assert_allclose(augmentation(image, np.random.default_rng(0), 1.0), image, atol=1e-6)
