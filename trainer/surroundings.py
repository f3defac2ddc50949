"""Surroundings: how the finder's own network learns to tell a digit that is held up from what is none.

    python -m trainer.surroundings [--count N] [--seed N] [-o FILE]

Digits are held up before a simulated camera, or something happens and none is; whatever the finder takes for
one is shown to the network, with what is around it. It makes `shared/surroundings.npz`, which ships.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.digit_finder import FoundDigit, search_in_turn
from shared.errors import InklingError
from shared.feedforward import FeedForward, FloatArray
from shared.ink import Bytes
from shared.surroundings import CHANNELS, GRID, JUDGES_SURROUNDINGS, SURROUNDINGS_WEIGHTS, to_inputs
from shared.traits import Traits
from shared.weights import ModelCard, export_weights
from trainer.backpropagation import find_gradients, initialise
from trainer.commands.progress import show_share
from trainer.datasets import Dataset, Progress, load_mnist
from trainer.exhibits import Exhibit, show_digits, show_places
from trainer.fonts import TRAINING_FONTS, list_fonts
from trainer.losses import measure_cross_entropy
from trainer.mnist import find_data_directory
from trainer.optimisers import Adam
from trainer.sightings import share_box

HIDDEN = 64
EPOCHS, BATCH, LEARNING_RATE = 40, 128, 1e-3
# Traits differ by more than pixels do: their standard deviation as the network learns from them.
TRAITS_SPREAD = 0.3

# Of all frames, how many have ink in them.
WITH_DIGIT = 0.4
# Of each frame so many pieces are learnt from: what a device would read, and a little more.
MOST_PIECES = 3
# What is found is the digit that is held up if their boxes share more than this of what they cover.
SAME = 0.6
# Frames that are made at a time, by one core.
CHUNK = 300
HELD_OUT_SHARE = 12


class Views(NamedTuple):
    """Pieces that the finder took for digits.

    Attributes
    ----------
    pictures : uint8 (count, 3, 24, 24), see `shared.surroundings.Surroundings.view`
    traits : float32 (count, traits)
    digits : bool (count,), whether it is a digit that is held up
    """

    pictures: npt.NDArray[np.uint8]
    traits: FloatArray
    digits: npt.NDArray[np.bool_]

    def take(self, some: slice) -> Views:
        """Take some of them."""
        return Views(self.pictures[some], self.traits[some], self.digits[some])


def collect(
    digits: Dataset, fonts: Sequence[Path], frames: int, seed: int, progress: Progress = lambda _: None
) -> Views:
    """Look at simulated frames, and keep what the finder takes for digits.

    Parameters
    ----------
    digits : MNIST's, some of which are written anew
    fonts : for some of the digits
    """
    from joblib import Parallel, cpu_count, delayed

    sizes = [min(CHUNK, frames - begin) for begin in range(0, frames, CHUNK)]
    look = Parallel(n_jobs=min(cpu_count(), len(sizes)), return_as="generator")
    chunks: list[Views] = []
    for chunk in look(
        delayed(_look_at_frames)(digits, fonts, size, (seed, number)) for number, size in enumerate(sizes)
    ):
        chunks.append(chunk)
        progress(len(chunks) / len(sizes))
    pictures, traits, held = zip(*chunks, strict=True)
    return Views(np.concatenate(pictures), np.concatenate(traits), np.concatenate(held))


def _look_at_frames(digits: Dataset, fonts: Sequence[Path], frames: int, seed: tuple[int, int]) -> Views:
    random = np.random.default_rng(seed)
    with_digit = round(frames * WITH_DIGIT)
    exhibits = chain(
        islice(show_digits(digits, fonts, random), with_digit),
        islice(show_places(random), frames - with_digit),
    )
    pieces = [piece for exhibit in exhibits for piece in _list_pieces(exhibit)]
    count = len(pieces)
    return Views(
        np.array([view for view, _, _ in pieces], np.uint8).reshape(count, CHANNELS, GRID, GRID),
        np.array([traits for _, traits, _ in pieces], np.float32).reshape(count, len(Traits._fields)),
        np.array([held for _, _, held in pieces], np.bool_),
    )


def _list_pieces(exhibit: Exhibit) -> Iterator[tuple[Bytes, Traits, bool]]:
    for search in islice(search_in_turn(exhibit.frame), MOST_PIECES):
        found = search.found
        if isinstance(found, FoundDigit):
            held = any(share_box(found.box, box) > SAME for box in exhibit.boxes)
            yield found.surroundings.view, found.surroundings.traits, held


def learn(views: Views, epochs: int, seed: int, progress: Progress = lambda _: None) -> FeedForward:
    """Train a network that tells how likely a piece is to be a digit: `Surroundings.likelihood` asks it."""
    random = np.random.default_rng(seed)
    middle, spread = views.traits.mean(axis=0), views.traits.std(axis=0) / TRAITS_SPREAD
    spread[spread == 0] = 1  # of a trait that all have in common nothing can be learnt
    traits = (views.traits - middle) / spread
    targets = views.digits[:, np.newaxis].astype(np.float32)
    layers = (JUDGES_SURROUNDINGS.inputs, HIDDEN, JUDGES_SURROUNDINGS.outputs)
    network = initialise(layers, random, biases=True, activation="relu")
    optimiser = Adam(network)
    starts = range(0, len(targets), BATCH)
    for epoch in range(epochs):
        order = random.permutation(len(targets))
        for number, start in enumerate(starts):
            batch = order[start : start + BATCH]
            left = 1 - (epoch + number / len(starts)) / epochs
            # What is around a piece may as well be seen in a mirror.
            turns = random.choice((1, -1), 2)
            pictures = views.pictures[batch][:, :, :: turns[0], :: turns[1]]
            signals = network.forward(to_inputs(pictures, traits[batch]))
            optimiser.step(*find_gradients(network, signals, targets[batch]), LEARNING_RATE * left)
        progress((epoch + 1) / epochs)
    # The traits as they are, rather than about their middle: it goes into links and biases.
    assert network.biases is not None
    links = network.weights[0][:, -len(spread) :]
    links /= spread
    network.biases[0][...] -= links @ middle
    return network


def measure(network: FeedForward, views: Views) -> dict[str, float]:
    """How well pieces are told: the mean cross-entropy, and how often a half is on the right side."""
    outputs = network.query(to_inputs(views.pictures, views.traits))
    right = (outputs[:, 0] > 0.5) == views.digits
    loss = measure_cross_entropy(outputs, views.digits[:, np.newaxis].astype(np.float32))
    return {
        "pieces": len(views.digits),
        "cross-entropy": round(loss, 4),
        "right": round(float(right.mean()), 4),
    }


def main() -> None:
    """Make the network that ships."""
    parser = argparse.ArgumentParser(
        prog="python -m trainer.surroundings",
        description="Train the finder's own network, which tells digits held up by what is around them.",
    )
    parser.add_argument(
        "--count", type=int, default=220_000, metavar="N", help="frames (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed, the same network")
    parser.add_argument("-o", "--output", type=Path, default=SURROUNDINGS_WEIGHTS, metavar="FILE")
    options = parser.parse_args()
    if options.count < HELD_OUT_SHARE * CHUNK:
        parser.error(f"--count must be at least {HELD_OUT_SHARE * CHUNK}")
    digits, fonts = load_mnist(find_data_directory(), test=False), list_fonts(TRAINING_FONTS)
    with show_share("looking at frames", keep=True) as progress:
        views = collect(digits, fonts, options.count, options.seed, progress)
    # Neighbours are of the same places, so the last ones are held out.
    held_out = len(views.digits) // HELD_OUT_SHARE
    learnt, kept = views.take(slice(-held_out)), views.take(slice(-held_out, None))
    begun = time.monotonic()
    with show_share("learning", keep=True) as progress:
        network = learn(learnt, EPOCHS, options.seed, progress)
    metrics = measure(network, kept)
    training = {
        "frames": options.count,
        "pieces": len(learnt.digits),
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "learning_rate": LEARNING_RATE,
        "optimiser": "adam",
        "seed": options.seed,
        "seconds of learning": round(time.monotonic() - begun),
    }
    card = ModelCard.describe(
        network, training, [digits.describe()], {"held out": metrics}, JUDGES_SURROUNDINGS
    )
    export_weights(options.output, network, card, "float16", JUDGES_SURROUNDINGS)
    print(f"{options.output}: of {metrics['pieces']} held-out pieces {metrics['right']:.2%} told right")


if __name__ == "__main__":
    try:
        main()
    except InklingError as error:
        sys.exit(str(error))
