"""Retraining: a network learns somebody's own digits, and forgets nothing of what it knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from shared.feedforward import FeedForward
from shared.reading import NEEDED_CONFIDENCE, tell_confidences
from trainer.datasets import NO_DIGIT, Dataset
from trainer.errors import BadSettingError
from trainer.evaluation import query_dataset
from trainer.fonts import TRAINING_FONTS, list_installed
from trainer.presets import UPRIGHT, Recipe
from trainer.significance import Comparison, compare_readings, find_interval
from trainer.training import Moment, Outcome, train

# Of what the network is taught, the share that it said itself before: of MNIST's digits, whose labels are
# known to be right; of what is no digit, of which it knows all that is known; of own digits nothing.
MNIST_SHARE, NO_DIGIT_SHARE = 0.7, 1.0

# Own digits are shown more often than MNIST's, as often as makes them this share of all, but no more than so
# many times an epoch.
OWN_SHARE, MOST_SHOWN = 0.2, 100

# One in so many own digits of each kind is held out.
HELD_OUT_ONE_IN = 5

# Drawings of what is no digit, to go on refusing; for so many there is one to test whether it does.
NO_DIGITS, TO_TEST_ONE_IN = 4000, 4

# Steps are short, since little is to be learnt.
RECIPE = replace(UPRIGHT, learning_rate=0.05, epochs=6, deform_strength=0.7, calm=0.5, calmest=0.3)


def make_recipe(network: FeedForward, *, epochs: int, learning_rate: float, seed: int) -> Recipe:
    """Make the recipe to retrain a network by.

    Raises
    ------
    BadSettingError : if one of the settings cannot be
    """
    return replace(
        RECIPE,
        hidden=network.layers[1:-1],
        activation=network.activation,
        biases=network.biases is not None,
        epochs=epochs,
        learning_rate=learning_rate,
        seed=seed,
    )


def hold_out(own: Dataset, one_in: int, seed: int) -> tuple[Dataset, Dataset]:
    """Part own digits into those to learn from, and one in `one_in` of each label, chosen by the seed.

    As more digits are put behind them, those that were held out still are: what one retraining held out,
    the next does not learn from.
    """
    if one_in < 2:
        raise BadSettingError(f"one in {one_in} cannot be held out: give 2 or more")
    held = np.zeros(len(own), np.bool_)
    for label in range(NO_DIGIT + 1):
        places = np.flatnonzero(own.labels == label)
        blocks = -(-len(places) // one_in)
        chosen = np.arange(blocks) * one_in + np.random.default_rng((seed, label)).integers(
            one_in, size=blocks
        )
        held[places[chosen[chosen < len(places)]]] = True
    learnt, out = own.take(np.flatnonzero(~held)), own.take(np.flatnonzero(held))
    return learnt, replace(out, name=f"{own.name}, held out")


def draw_no_digits(
    digits: Dataset, count: int, seed: int, progress: Callable[[float], None] = lambda _: None
) -> tuple[Dataset, Dataset]:
    """Draw what is no digit: letters and signs in fonts that are installed, doodles, parts of digits.

    Returns
    -------
    `count` to learn from, and others to test on
    """
    from trainer.sightings import simulate  # scenes take a while to import

    drawn = simulate(
        digits,
        list_installed(TRAINING_FONTS),
        count + count // TO_TEST_ONE_IN,
        negatives=1.0,
        straight=1.0,
        nothing=0.0,
        seed=seed,
        progress=progress,
    )
    learnt, tests = drawn.split(count // TO_TEST_ONE_IN, seed)
    name = "drawings of no digit"
    return replace(learnt, name=name), replace(tests, name=f"other {name}")


def retrain(
    parent: FeedForward,
    mnist: Dataset,
    own: Dataset,
    no_digits: Dataset,
    recipe: Recipe,
    *,
    own_share: float = OWN_SHARE,
    report: Callable[[Moment], None] = lambda _: None,
    threads: int = 1,
) -> Outcome:
    """Let a network learn own digits beside what it knows already.

    Of MNIST's digits and of what is no digit it is taught what it said before, so that it forgets neither.

    Parameters
    ----------
    parent : stays as it is
    no_digits : pictures of what is no digit
    own_share : what share of all own digits are made by showing them again and again, 0 to 1

    Source: Li and Hoiem, "Learning without Forgetting" (2016); the digits that are shown again beside the new
    ones: Robins, "Catastrophic Forgetting, Rehearsal and Pseudorehearsal" (1995).

    Raises
    ------
    BadSettingError : if own digits cannot be made that share
    """
    check_own_share(own_share)
    known = mnist.join(no_digits)
    times = count_showings(len(own), len(known), own_share)
    shares = np.concatenate(
        (
            np.full(len(mnist), MNIST_SHARE, np.float32),
            np.full(len(no_digits), NO_DIGIT_SHARE, np.float32),
            np.zeros(times * len(own), np.float32),
        )
    )
    return train(
        known.join(own.take(np.tile(np.arange(len(own)), times))),
        recipe,
        augmentation=recipe.make_augmentation(),
        report=report,
        teachers=[parent],
        teachers_shares=shares,
        begin=parent,
        threads=threads,
    )


def check_own_share(own_share: float) -> None:
    """Refuse a share that own digits cannot be made, however often they are shown; or none."""
    if not 0 < own_share < 1:
        raise BadSettingError(f"--own-share must be more than 0 and less than 1, not {own_share:g}")


def count_showings(own: int, others: int, own_share: float) -> int:
    """How often each own digit is shown in an epoch, to make them a share of all; `MOST_SHOWN` at most."""
    return max(1, min(round(others * own_share / (1 - own_share) / own), MOST_SHOWN))


def tell_right(network: FeedForward, dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Tell which pictures are read right, (count,): what is no digit is, if it is not said to be one."""
    outputs = query_dataset(network, dataset)
    said = tell_confidences(outputs) >= NEEDED_CONFIDENCE
    right: npt.NDArray[np.bool_] = np.where(
        dataset.labels == NO_DIGIT, ~said, outputs.argmax(axis=1) == dataset.labels
    )
    return right


@dataclass(frozen=True)
class Verdict:
    """How the old and the new network read the same pictures, none of which the new one learnt from.

    Attributes
    ----------
    dataset : what was read
    comparison : the first is the old one
    """

    dataset: Dataset
    comparison: Comparison

    @property
    def right(self) -> tuple[int, int]:
        """How many were read right before and after."""
        both = self.comparison.both
        return both + self.comparison.first_only, both + self.comparison.second_only

    @property
    def accuracies(self) -> tuple[float, float]:
        """The share that was read right before and after, 0 to 1."""
        before, after = self.right
        return before / self.comparison.images, after / self.comparison.images

    @property
    def objection(self) -> str | None:
        """Why the new weights should not be used; None unless they are worse by more than chance explains."""
        if self.comparison.better != 0:
            return None
        before, after = self.accuracies
        return (
            f"worse on {self.dataset.name}: {after:.2%} of {self.comparison.images:,} read right, and "
            f"{before:.2%} before (p = {self.comparison.chance:.2g})"
        )

    def describe(self) -> dict[str, object]:
        """The figures, for the model card."""
        return {
            "images": self.comparison.images,
            "accuracy": round(self.accuracies[1], 6),
            "accuracy_before": round(self.accuracies[0], 6),
            "interval": [round(end, 6) for end in find_interval(self.right[1], self.comparison.images)],
            "interval_before": [
                round(end, 6) for end in find_interval(self.right[0], self.comparison.images)
            ],
            "alone_right": [self.comparison.first_only, self.comparison.second_only],
            "p_value": self.comparison.chance,
        }


def try_both(parent: FeedForward, child: FeedForward, dataset: Dataset) -> Verdict:
    """Let the old and the new network read the same pictures."""
    return Verdict(dataset, compare_readings(tell_right(parent, dataset), tell_right(child, dataset)))
