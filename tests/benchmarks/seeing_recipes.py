"""The project's way to see a digit against common recipes of OpenCV and scikit-image, side by side in one run.

    python -m tests.benchmarks.seeing_recipes [SET]... [--frames N] [--repetitions N]

Every recipe's 28x28 image goes to the same network, the weights that ship. A SET is a folder with pictures in
`img/` and a `manifest.tsv` that tells each one's `file` and `label` (0 to 9, or none); made-up frames are always
measured. Frames have 320 pixels on their longer side. For each frame the recipes run one after another, on one
thread, so that a noisy machine slows all alike; the milliseconds are the median of the repetitions.
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
    """MNIST's test digits held up, in easy or in hard conditions, and a quarter as many frames without one."""
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


def measure(
    readers: dict[str, Reader], samples: list[Sample], repetitions: int
) -> tuple[dict[str, list[Answer]], dict[str, float]]:
    """The answers of each reader, and its milliseconds a frame."""
    answers = {name: [reader(frame) for frame, _ in samples] for name, reader in readers.items()}
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(repetitions):
        spent = dict.fromkeys(readers, 0.0)
        for frame, _ in samples:
            for name, reader in readers.items():
                begin = time.perf_counter()
                reader(frame)
                spent[name] += time.perf_counter() - begin
        for name, total in spent.items():
            seconds[name].append(total / len(samples))
    return answers, {name: 1000 * statistics.median(each) for name, each in seconds.items()}


def report(
    title: str, samples: list[Sample], answers: dict[str, list[Answer]], times: dict[str, float]
) -> None:
    labels = [label for _, label in samples]
    digits, empty = sum(label is not None for label in labels), sum(label is None for label in labels)
    print(f"\n{title}: {digits} frames with a digit, {empty} without")
    print(f"{'':44}{'right':>8}{'false':>8}{'ms':>9}{'times ours':>12}")
    accuracy = {}
    for name, given in answers.items():
        pairs = list(zip(given, labels, strict=True))
        right = sum(label is not None and digit == label for (digit, _), label in pairs)
        false = sum(label is None and confidence >= NEEDED_CONFIDENCE for (_, confidence), label in pairs)
        accuracy[name] = right / digits
        said = f"{false / empty:8.1%}" if empty else " " * 8
        print(
            f"{name:44}{accuracy[name]:8.1%}{said}{times[name]:9.2f}{times[name] / times[OURS]:12.1f}",
            flush=True,
        )
    near = [name for name in answers if name != OURS and accuracy[name] >= accuracy[OURS] - NEAR]
    if not near:
        print("no recipe comes within 2 points of ours")
        return
    best, fastest = max(near, key=accuracy.__getitem__), min(near, key=times.__getitem__)
    for what, name in (("most accurate", best), ("fastest", fastest)):
        print(f"within 2 points of ours, the {what}: {name}, {times[name] / times[OURS]:.1f} times as long")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", type=Path, metavar="SET", help="a folder with a manifest.tsv")
    parser.add_argument("--frames", type=int, default=200, help="made-up frames of each kind (default: 200)")
    parser.add_argument("--repetitions", type=int, default=5, help="how often each is timed (default: 5)")
    parser.add_argument(
        "--only", default="", metavar="WORD", help="only the recipes with this in their names"
    )
    options = parser.parse_args()
    network = load_weights().network
    readers = {OURS: read_ours(network)} | {
        name: follow(recipe, network) for name, recipe in RECIPES.items() if options.only in name
    }
    sets = {"made up, easy": make_samples(options.frames, hard=False)}
    sets["made up, hard"] = make_samples(options.frames, hard=True)
    sets |= {folder.name: read_set(folder) for folder in options.sets}
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        for title, samples in sets.items():
            report(title, samples, *measure(readers, samples, options.repetitions))


if __name__ == "__main__":
    main()
