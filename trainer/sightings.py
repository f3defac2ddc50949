"""Sightings: digits, and what is no digit, as this project's own finder sees them on simulated paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from shared.digit_finder import Box, FoundDigit, find_digit
from shared.digit_image import IMAGE_SIZE, crop, normalise
from shared.feedforward import FloatArray
from shared.resizing import fit_box
from trainer.datasets import NO_DIGIT, Dataset
from trainer.negatives import Negatives
from trainer.variants import SIDE, print_digit, rewrite, write_digit

# Of the digits: how many are MNIST's, how many are written in other forms; the rest are printed.
FROM_MNIST, WRITTEN = 0.6, 0.3
# Of what is no digit: how often nothing at all is held up.
NOTHING_HELD = 0.12
# How many are looked at as they are; the others are held up before a camera.
STRAIGHT = 0.4
# What is found is what is held up, if their boxes share this much of what they cover.
SAME = 0.5

Progress = Callable[[float], None]


def see(
    digits: Dataset,
    fonts: Sequence[Path],
    count: int,
    negatives: float,
    seed: int,
    progress: Progress = lambda _: None,
) -> Dataset:
    """Hold up digits and what is no digit, and keep what the finder makes of them.

    Parameters
    ----------
    digits : MNIST's, some of which are written anew
    fonts : for letters, signs, and some of the digits
    count : how many pictures to make
    negatives : the share of them that is no digit, labelled `NO_DIGIT`
    seed : the same seed gives the same pictures
    progress : is told the share that is done, 0 to 1
    """
    random = np.random.default_rng(seed)
    no_digits = Negatives(fonts, digits.images, digits.labels)
    images = np.empty((count, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    labels = np.empty(count, np.uint8)
    done = 0
    while done < count:
        is_digit = random.random() >= negatives
        label = int(random.integers(10)) if is_digit else NO_DIGIT
        if is_digit:
            seen = look(draw_digit(label, digits, fonts, random), random, is_digit=True)
        else:
            seen = look(
                None if random.random() < NOTHING_HELD else no_digits.draw(random), random, is_digit=False
            )
        if seen is not None:
            images[done] = np.rint(seen * 255)
            labels[done] = label
            done += 1
            progress(done / count)
    return Dataset(f"simulated paper, seed {seed}", images, labels)


def draw_digit(
    digit: int, digits: Dataset, fonts: Sequence[Path], random: np.random.Generator
) -> FloatArray:
    """Draw a digit from MNIST, or in another form, or in a font's: float32 (H, W), 1 = ink."""
    kind = random.random()
    if kind < FROM_MNIST:
        choice = random.choice(np.flatnonzero(digits.labels == digit))
        return rewrite(digits.images[choice].astype(np.float32) / 255, random)
    return write_digit(digit, random) if kind < FROM_MNIST + WRITTEN else print_digit(digit, random, fonts)


def look(ink: FloatArray | None, random: np.random.Generator, *, is_digit: bool) -> FloatArray | None:
    """Look at ink, or at a scene without: the 28x28 image that the network is shown, None if it is not."""
    if ink is not None and random.random() < STRAIGHT:
        return normalise(fit_box(crop(ink), SIDE // 2))
    from shared.scenery import hold_up, look_around

    view = look_around(random) if ink is None else hold_up(ink, random)
    found = find_digit(view.frame)
    if not isinstance(found, FoundDigit) or (is_digit and share_box(found.box, view.box) < SAME):
        return None
    return normalise(found.ink)


def share_box(one: Box, other: Box) -> float:
    """How much two boxes have in common, of what they cover together: 0 to 1."""
    wide, tall = (
        min(a + a_size, b + b_size) - max(a, b)
        for a, a_size, b, b_size in ((one.x, one.width, other.x, other.width), (one.y, one.height, other.y, other.height))
    )
    common = max(wide, 0) * max(tall, 0)
    return common / max(one.width * one.height + other.width * other.height - common, 1)
