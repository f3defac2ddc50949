"""The project's way to see a digit beside common recipes of OpenCV and scikit-image, in one run.

    python -m tests.benchmarks.seeing_recipes [SET]... [--frames N] [--repetitions N]

Every recipe's 28x28 image goes to the same network, the weights that ship. Recipes are compared by the
digits that they read right, and by all frames that are answered right: the digit where there is one, and none
where there is none. A SET is a folder with
pictures in `img/` and a `manifest.tsv` that tells the `file` and the `label` (0 to 9, or none) of each.
Made-up frames are always measured: MNIST's test digits held up plainly (easy) and in all conditions
(hard). Frames have 320 pixels on their longer side. All take turns at each frame, on one thread, so that
a noisy machine slows them alike; the milliseconds are the median of the repetitions.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from threadpoolctl import threadpool_limits

from shared.conditions import Conditions
from shared.digit_image import to_inputs
from shared.feedforward import FeedForward
from shared.ink import fit_frame
from shared.photograph import read_photograph
from shared.reading import NEEDED_CONFIDENCE, Reading, read_digit, tell_confidence
from shared.scenery import Scene, hold_up
from shared.weights import load_weights
from trainer.datasets import load_mnist
from trainer.mnist import find_data_directory

try:
    import cv2

    from tests.benchmarks.recipes import RECIPES, Recipe
except ImportError as error:
    sys.exit(f"{error}: the recipes need OpenCV and scikit-image: pip install '.[benchmark]'")

Bytes = npt.NDArray[np.uint8]
Answer = tuple[int | None, float]  # the loudest node, and the confidence
Reader = Callable[[Bytes], Answer]
Sample = tuple[Bytes, int | None]  # a frame, and the digit in it

OURS = "this project"
NEAR = 0.02  # an accuracy that is at most this much lower counts as reached


def make_samples(count: int, hard: bool) -> list[Sample]:
    """MNIST's test digits held up; where it is hard, also a quarter as many frames without one."""
    random = np.random.default_rng(7)
    tests = load_mnist(find_data_directory(), test=True)
    samples: list[Sample] = []
    for index in random.choice(len(tests), count, replace=False):
        conditions = Conditions.draw(random) if hard else Conditions()
        ink = tests.images[index].astype(np.float32) / 255
        samples.append((hold_up(ink, random, conditions).frame, int(tests.labels[index])))
    if hard:
        samples += [(Scene(random, Conditions.draw(random)).look(random), None) for _ in range(count // 4)]
    return samples


def read_set(folder: Path) -> list[Sample]:
    with (folder / "manifest.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [
        (
            fit_frame(read_photograph(folder / "img" / row["file"], Image.open)),
            None if row["label"] == "none" else int(row["label"]),
        )
        for row in rows
    ]


def follow(recipe: Recipe, network: FeedForward) -> Reader:
    def read(frame: Bytes) -> Answer:
        image = recipe(frame)
        if image is None:
            return None, 0.0
        outputs = network.query(to_inputs(image))
        return int(outputs.argmax()), tell_confidence(outputs)

    return read


def read_ours(network: FeedForward) -> Reader:
    def read(frame: Bytes) -> Answer:
        reading = read_digit(frame, network)
        return (reading.digit, reading.confidence) if isinstance(reading, Reading) else (None, 0.0)

    return read


def answer(readers: dict[str, Reader], samples: list[Sample]) -> dict[str, list[Answer]]:
    return {name: [read(frame) for frame, _ in samples] for name, read in readers.items()}


def measure_accuracy(answers: list[Answer], samples: list[Sample]) -> float:
    """The share of the frames with a digit in which it is read right, however unsure."""
    pairs = zip(answers, samples, strict=True)
    right = [digit == label for (digit, _), (_, label) in pairs if label is not None]
    return sum(right) / len(right)


def measure_answers(answers: list[Answer], samples: list[Sample]) -> float:
    """The share of all frames that are answered right: the digit, however unsure, or that there is none."""
    pairs = zip(answers, samples, strict=True)
    right = [
        confidence < NEEDED_CONFIDENCE if label is None else digit == label
        for (digit, confidence), (_, label) in pairs
    ]
    return sum(right) / len(right)


def count_false(answers: list[Answer], samples: list[Sample]) -> int:
    """In how many frames without a digit one is said."""
    pairs = zip(answers, samples, strict=True)
    return sum(label is None and confidence >= NEEDED_CONFIDENCE for (_, confidence), (_, label) in pairs)


def measure_times(readers: dict[str, Reader], frames: list[Bytes], repetitions: int) -> dict[str, float]:
    """Milliseconds a frame."""
    totals: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(repetitions):
        spent = dict.fromkeys(readers, 0.0)
        for frame in frames:
            for name, read in readers.items():
                begin = time.perf_counter()
                read(frame)
                spent[name] += time.perf_counter() - begin
        for name, total in spent.items():
            totals[name].append(total)
    return {name: 1000 * statistics.median(each) / len(frames) for name, each in totals.items()}


def tell_ratio(title: str, accuracy: dict[str, float], times: dict[str, float]) -> None:
    """Say how much longer than ours the recipes take that are nearly as accurate."""
    near = [name for name in accuracy if name != OURS and accuracy[name] >= accuracy[OURS] - NEAR]
    if not near:
        print(f"{title}: no recipe comes within 2 points of ours")
        return
    best, fastest = max(near, key=accuracy.__getitem__), min(near, key=times.__getitem__)
    print(
        f"{title}: within 2 points of ours, the most accurate ({best}) takes "
        f"{times[best] / times[OURS]:.1f} times as long, the fastest ({fastest}) "
        f"{times[fastest] / times[OURS]:.1f} times"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", type=Path, metavar="SET", help="a folder with a manifest.tsv")
    parser.add_argument("--frames", type=int, default=100, help="made-up digits of each kind (default: 100)")
    parser.add_argument("--repetitions", type=int, default=3, help="how often each is timed (default: 3)")
    parser.add_argument(
        "--only", default="", metavar="WORD", help="only the recipes with this in their names"
    )
    options = parser.parse_args()
    network = load_weights().network
    readers = {OURS: read_ours(network)} | {
        name: follow(recipe, network) for name, recipe in RECIPES.items() if options.only in name
    }
    sets = {
        "easy": make_samples(options.frames, hard=False),
        "hard": make_samples(options.frames, hard=True),
        **{folder.name: read_set(folder) for folder in options.sets},
    }
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        answers = {title: answer(readers, samples) for title, samples in sets.items()}
        frames = [frame for samples in sets.values() for frame, _ in samples]
        times = measure_times(readers, frames, options.repetitions)
    accuracy, answered = (
        {
            title: {name: measure(answers[title][name], samples) for name in readers}
            for title, samples in sets.items()
        }
        for measure in (measure_accuracy, measure_answers)
    )
    empty = sum(label is None for samples in sets.values() for _, label in samples)
    print(f"read right in each set; said to be a digit, of {empty} frames without one; milliseconds a frame")
    print(f"{'':44}" + "".join(f"{title:>9}" for title in sets) + f"{'false':>8}{'ms':>9}{'ratio':>8}")
    for name in readers:
        right = "".join(f"{accuracy[title][name]:9.1%}" for title in sets)
        false = sum(count_false(answers[title][name], samples) for title, samples in sets.items())
        print(f"{name:44}{right}{false:8}{times[name]:9.2f}{times[name] / times[OURS]:8.1f}")
    for what, measured in (("digits read", accuracy), ("all frames answered", answered)):
        measured["the mean of the sets"] = {
            name: statistics.mean(measured[title][name] for title in sets) for name in readers
        }
        for title, by_name in measured.items():
            tell_ratio(f"{what} right, {title}", by_name, times)


if __name__ == "__main__":
    main()
