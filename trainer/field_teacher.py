"""A teacher with fields: it learns first, by the labels; a plain network then learns what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from trainer.checkpoint import Checkpoint
from trainer.datasets import Dataset
from trainer.fields import FieldNetwork, initialise_fields
from trainer.presets import Recipe
from trainer.settings import Settings
from trainer.training import Moment, Outcome, train

# Nodes at each place of its layers with fields, and in its hidden layer. It takes 3.5 million multiplications
# for a picture; chosen, as how it learns, on 10,000 of MNIST's training images, held out.
AT_EACH_PLACE, HIDDEN = (24, 48, 48), 100
LEARNING = Settings(
    hidden=(HIDDEN,),
    biases=True,
    activation="relu",
    optimiser="adam",
    learning_rate=2e-3,
    schedule="cosine",
    batch_size=128,
    averaging=1.0,
)


def make_field_teacher(recipe: Recipe) -> FieldNetwork:
    """Make the teacher that a recipe asks for; it has learnt nothing yet."""
    return initialise_fields(AT_EACH_PLACE, HIDDEN, np.random.default_rng(recipe.seed))


def train_field_teacher(
    dataset: Dataset,
    recipe: Recipe,
    *,
    report: Callable[[Moment], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    checkpoint: Checkpoint | None = None,
    resume: bool = False,
    threads: int = 1,
) -> Outcome:
    """Train the teacher that a recipe asks for, on pictures deformed as the recipe does.

    Parameters and errors are those of `trainer.training.train`.
    """
    return train(
        dataset,
        replace(LEARNING, epochs=recipe.field_teacher, seed=recipe.seed),
        augmentation=recipe.make_augmentation(),
        begin=make_field_teacher(recipe),
        report=report,
        stop=stop,
        checkpoint=checkpoint,
        resume=resume,
        threads=threads,
    )
