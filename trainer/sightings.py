"""Sightings: digits, and what is no digit, as this project's own finder sees them on simulated paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.conditions import Conditions
from shared.digit_finder import Box, FoundDigit, find_digit
from shared.digit_image import DIGIT_SIZE, IMAGE_SIZE, crop, normalise
from shared.feedforward import FloatArray
from shared.resizing import fit_box
from shared.scenery import Scene, cut_box
from shared.sheet import write_sheet
from trainer.datasets import NO_DIGIT, Dataset
from trainer.negatives import Negatives
from trainer.variants import SIDE, print_digit, rewrite, write_digit

# Of the digits: how many are MNIST's, how many are written in other forms; the rest are printed.
FROM_MNIST, WRITTEN = 0.4, 0.45
# Of what is no digit: how often nothing at all is held up.
NOTHING_HELD = 0.25
# Backdrop and light cost a third of a frame, so some frames share them.
FRAMES_A_SCENE = 8
# Pictures that are made at a time, by one core.
CHUNK = 500
# What is found is what is held up, and whole, if their boxes share this much of what they cover: half a 6
# that is called one would make every C a 6.
SAME = 0.75

Progress = Callable[[float], None]


def simulate(
    digits: Dataset,
    fonts: Sequence[Path],
    count: int,
    *,
    negatives: float,
    straight: float,
    nothing: float = NOTHING_HELD,
    seed: int,
    progress: Progress = lambda _: None,
) -> Dataset:
    """Hold up digits and what is no digit before a simulated camera, and keep what the finder makes of them.

    Parameters
    ----------
    digits : MNIST's, some of which are written anew
    fonts : for letters, signs, and some of the digits
    count : how many pictures to make
    negatives : the share of them that is no digit, labelled `NO_DIGIT`
    straight : the share that is normalised without a camera
    nothing : of what is no digit, the share for which nothing at all is held up before the camera
    seed : the same seed gives the same pictures
    progress : is told the share that is done, 0 to 1
    """
    from joblib import Parallel, cpu_count, delayed

    sizes = [min(CHUNK, count - begin) for begin in range(0, count, CHUNK)]
    images = np.empty((count, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    labels = np.empty(count, np.uint8)
    # Each chunk has a seed of its own, so that it does not matter how many cores there are.
    look = Parallel(n_jobs=min(cpu_count(), len(sizes)), return_as="generator")
    chunks = look(
        delayed(_simulate_chunk)(digits, fonts, size, negatives, straight, nothing, (seed, number))
        for number, size in enumerate(sizes)
    )
    done = 0
    for some, their_labels in chunks:
        part = slice(done, done + len(some))
        images[part], labels[part] = some, their_labels
        done += len(some)
        progress(done / count)
    return Dataset(f"simulated paper, seed {seed}", images, labels)


def _simulate_chunk(
    digits: Dataset,
    fonts: Sequence[Path],
    count: int,
    negatives: float,
    straight: float,
    nothing: float,
    seed: tuple[int, int],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    random = np.random.default_rng(seed)
    stage = Stage(random)
    no_digits = Negatives(fonts, digits.images, digits.labels)
    images = np.empty((count, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    labels = np.empty(count, np.uint8)
    done = 0
    ink: FloatArray | None
    while done < count:
        label = NO_DIGIT if random.random() < negatives else int(random.integers(10))
        if label != NO_DIGIT:
            ink = draw_digit(label, digits, fonts, random)
        elif random.random() < nothing:
            ink = None
        else:
            ink = no_digits.draw(random)
        image = stage.look(ink) if ink is None or random.random() >= straight else look_straight(ink, random)
        if image is not None:
            images[done] = np.rint(image * 255)
            labels[done] = label
            done += 1
    return images, labels


def draw_digit(digit: int, digits: Dataset, fonts: Sequence[Path], random: np.random.Generator) -> FloatArray:
    """Draw a digit from MNIST, or in another form, or in a font's: float32 (H, W), 1 = ink."""
    kind = random.random()
    if kind < FROM_MNIST:
        choice = random.choice(np.flatnonzero(digits.labels == digit))
        return rewrite(digits.images[choice].astype(np.float32) / 255, random)
    return write_digit(digit, random) if kind < FROM_MNIST + WRITTEN else print_digit(digit, random, fonts)


class Stage:
    """Where digits and other things are held up before a simulated camera."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._frames = 0

    def look(self, ink: FloatArray | None) -> FloatArray | None:
        """Hold up ink, or nothing, and let the finder look: the 28x28 image that the network is shown.

        Returns
        -------
        None if nothing is found, or if it is not what was held up
        """
        conditions = Conditions.draw(self._random)
        if self._frames % FRAMES_A_SCENE == 0:
            self._scene = Scene(self._random, conditions)
        self._frames += 1
        held = [] if ink is None else [write_sheet(ink, conditions, self._random, self._scene.shape)]
        frame = self._scene.look(self._random, held)
        found = find_digit(frame)
        if not isinstance(found, FoundDigit):
            return None
        for sheet, place in held:
            box = cut_box(sheet.find_box(place, self._scene.shape), self._scene.shape)
            if share_box(found.box, box) < SAME:
                return None
        return normalise(found.ink)


def look_straight(ink: FloatArray, random: np.random.Generator) -> FloatArray:
    """Normalise ink that no camera blurred: the 28x28 image that the network is shown."""
    return normalise(fit_box(crop(ink), int(random.integers(DIGIT_SIZE, SIDE))))


def share_box(one: Box, other: Box) -> float:
    """How much two boxes have in common, of what they cover together: 0 to 1."""
    wide, tall = (
        min(a + a_size, b + b_size) - max(a, b)
        for a, a_size, b, b_size in (
            (one.x, one.width, other.x, other.width),
            (one.y, one.height, other.y, other.height),
        )
    )
    common = max(wide, 0) * max(tall, 0)
    return common / max(one.width * one.height + other.width * other.height - common, 1)
