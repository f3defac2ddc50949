from dataclasses import replace

import numpy as np
import pytest

from shared.digit_image import to_inputs
from trainer.errors import BadSettingError
from trainer.evaluation import measure_accuracy
from trainer.field_teacher import train_field_teacher
from trainer.fields import FieldNetwork
from trainer.presets import Recipe
from trainer.training import train

RECIPE = Recipe(hidden=(30,), biases=True, activation="relu", epochs=15, field_teacher=4)


@pytest.fixture(scope="module")
def teacher(drawn_digits):
    told = []
    outcome = train_field_teacher(drawn_digits, RECIPE, report=told.append)
    assert told[-1].share == 1.0
    assert outcome.epochs == 4
    return outcome.network


def test_the_teacher_has_fields_and_learns(teacher, drawn_digits):
    assert isinstance(teacher, FieldNetwork)
    assert measure_accuracy(teacher, drawn_digits) > 0.9


def test_the_recipes_seed_makes_it(teacher, drawn_digits):
    again = train_field_teacher(drawn_digits, RECIPE).network
    for one, same in zip(teacher.parameters, again.parameters, strict=True):
        np.testing.assert_array_equal(one, same)


def test_a_plain_network_learns_what_the_teacher_says_where_labels_say_something_else(teacher, drawn_digits):
    wrong = replace(drawn_digits, labels=(drawn_digits.labels + 1) % 10)
    student = train(wrong, RECIPE, teachers=[teacher], teachers_shares=1.0).network
    assert not isinstance(student, FieldNetwork)
    assert measure_accuracy(student, drawn_digits) > 0.9
    inputs = to_inputs(drawn_digits.images[:50] * np.float32(1 / 255))
    assert np.abs(student.query(inputs) - teacher.query(inputs)).mean() < 0.05


@pytest.mark.parametrize("epochs", [-1, 2_500_001, 10**400])
def test_fewer_epochs_than_none_or_too_many_are_refused(epochs):
    with pytest.raises(BadSettingError, match="--field-teacher must be 0 to 2,500,000 epochs"):
        Recipe(field_teacher=epochs)
    with pytest.raises(BadSettingError, match="the number of epochs must be"):
        Recipe(epochs=epochs)
