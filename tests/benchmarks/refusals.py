"""How often letters, signs and scenes without a digit are said to be digits, and how many digits still are.

    python -m tests.benchmarks.refusals [--weights FILE] [--count N] [--seed N]

Everything goes the whole way: drawn on simulated paper, held up before a simulated camera, found, normalised
and read. The letters come from fonts that nothing was learnt from, the signs from the programs below, and the
digits are MNIST's test images.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from shared.conditions import Conditions
from shared.feedforward import FeedForward, FloatArray
from shared.reading import NEEDED_CONFIDENCE, Reading, read_digit
from shared.scenery import Scene
from shared.sheet import write_sheet
from shared.strokes import Strokes, arc, draw_lines, write_strokes
from shared.weights import load_weights
from trainer.datasets import load_mnist
from trainer.fonts import LETTERS, SIGNS, TESTING_FONTS, draw_text, list_fonts
from trainer.mnist import find_data_directory

SIDE = 64


def _draw_petal(way: float) -> Iterator[tuple[float, float]]:
    """Points along a petal that begins and ends in the middle of a flower."""
    for angle in np.linspace(-0.55, 0.55, 9):
        reach = 0.5 * np.cos(angle / 0.55 * np.pi / 2)
        turn = np.radians(way) + angle
        yield 0.5 + float(reach * np.cos(turn)), 0.5 + float(reach * np.sin(turn))


# Signs drawn by program; none of them is among the doodles that the network learns to refuse.
DRAWN: dict[str, Strokes] = {
    "heart": [
        [(0.5, 1.0), (0.05, 0.45), *arc(0.27, 0.27, 0.24, 0.24, 200, 20)],
        [(0.5, 1.0), (0.95, 0.45), *arc(0.73, 0.27, 0.24, 0.24, -20, 160)],
    ],
    "star": [[(0.2, 1.0), (0.5, 0.0), (0.8, 1.0), (0.0, 0.36), (1.0, 0.36), (0.2, 1.0)]],
    "house": [
        [(0.1, 1.0), (0.1, 0.4), (0.5, 0.0), (0.9, 0.4), (0.9, 1.0), (0.1, 1.0), (0.9, 0.4), (0.1, 0.4)]
    ],
    "man": [
        arc(0.5, 0.15, 0.14, 0.14, 90, 450),
        [(0.5, 0.3), (0.5, 0.65), (0.25, 1.0)],
        [(0.5, 0.65), (0.75, 1.0)],
        [(0.2, 0.45), (0.8, 0.45)],
    ],
    "fish": [[*arc(0.4, 0.5, 0.38, 0.24, 20, 340), (1.0, 0.2), (0.95, 0.8), (0.75, 0.42)]],
    "note": [arc(0.25, 0.85, 0.2, 0.14, 0, 360), [(0.45, 0.85), (0.45, 0.0), (0.85, 0.1), (0.85, 0.35)]],
    "flower": [[point for way in range(0, 360, 72) for point in _draw_petal(way)]],
    "umbrella": [[*arc(0.5, 0.5, 0.5, 0.45, 0, 180), (1.0, 0.5)], [(0.5, 0.5), (0.5, 0.9), (0.36, 0.98)]],
    "envelope": [[(0.0, 0.1), (1.0, 0.1), (1.0, 0.9), (0.0, 0.9), (0.0, 0.1), (0.5, 0.55), (1.0, 0.1)]],
    "peace": [
        arc(0.5, 0.5, 0.5, 0.5, 90, 450),
        [(0.5, 0.0), (0.5, 1.0)],
        [(0.15, 0.85), (0.5, 0.5), (0.85, 0.85)],
    ],
    "anchor": [
        arc(0.5, 0.1, 0.1, 0.1, 90, 450),
        [(0.5, 0.2), (0.5, 1.0)],
        arc(0.5, 0.6, 0.45, 0.4, 180, 360),
    ],
    "hourglass": [[(0.1, 0.0), (0.9, 0.0), (0.1, 1.0), (0.9, 1.0), (0.1, 0.0)]],
    "ladder": [[(0.2, 0.0), (0.2, 1.0)], [(0.7, 0.0), (0.7, 1.0)]]
    + [[(0.2, y), (0.7, y)] for y in (0.2, 0.4, 0.6, 0.8)],
}


def main() -> None:
    """Print the figures, at the shipped confidence and around it."""
    parser = argparse.ArgumentParser(description="How often what is no digit is said to be one.")
    parser.add_argument("--weights", type=Path, help="a weights file (default: those that ship)")
    parser.add_argument("--count", type=int, default=1000, help="frames of each kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    network = load_weights(options.weights).network
    random = np.random.default_rng(options.seed)
    fonts = list_fonts(TESTING_FONTS)
    kinds: dict[str, Callable[[], tuple[str, FloatArray | None]]] = {
        "letters": lambda: _draw_letter(LETTERS, fonts, random),
        "signs of fonts": lambda: _draw_letter(SIGNS, fonts, random),
        "drawn signs": lambda: _draw_sign(random),
        "nothing held up": lambda: ("nothing", None),
    }
    said: dict[str, dict[str, list[float]]] = {
        kind: _show(network, random, draw, options.count) for kind, draw in kinds.items()
    }
    digits = load_mnist(find_data_directory(), test=True)
    right: list[float] = []
    found = wrong = 0
    for index in random.choice(len(digits), options.count, replace=False):
        reading = _hold_up(network, random, digits.images[index] / np.float32(255))
        found += reading is not None
        if reading is not None and reading.digit == digits.labels[index]:
            right.append(reading.confidence)
        elif reading is not None:
            wrong += reading.confidence >= NEEDED_CONFIDENCE
    print(
        f"digits: of {options.count} held up {found} are found and {len(right)} read right; {wrong} are said "
        f"wrong at {NEEDED_CONFIDENCE:g}"
    )
    print("share said, of all that were held up, at a needed confidence of")
    levels = sorted({0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, NEEDED_CONFIDENCE})
    print(f"{'':18}" + "".join(f"{level:8g}" for level in levels))
    print(f"{'right digits':18}" + "".join(f"{np.mean(np.array(right) >= level):8.1%}" for level in levels))
    for kind, names in said.items():
        confidences = np.concatenate([*names.values()])
        print(f"{kind:18}" + "".join(f"{np.mean(confidences >= level):8.1%}" for level in levels))
    for kind, names in list(said.items())[:3]:
        shares = {name: float(np.mean(np.array(one) >= NEEDED_CONFIDENCE)) for name, one in names.items()}
        most = sorted(shares, key=lambda name: -shares[name])[:8]
        print(f"{kind}, said most often: " + ", ".join(f"{name} {shares[name]:.0%}" for name in most))


def _show(
    network: FeedForward,
    random: np.random.Generator,
    draw: Callable[[], tuple[str, FloatArray | None]],
    count: int,
) -> dict[str, list[float]]:
    """Hold things up, and tell the confidence of each reading by the thing's name; 0 where none was read."""
    confidences: dict[str, list[float]] = {}
    for _ in range(count):
        name, ink = draw()
        reading = _hold_up(network, random, ink)
        confidences.setdefault(name, []).append(0.0 if reading is None else reading.confidence)
    return confidences


def _hold_up(network: FeedForward, random: np.random.Generator, ink: FloatArray | None) -> Reading | None:
    conditions = Conditions.draw(random)
    held = [] if ink is None else [write_sheet(ink, conditions, random)]
    frame = Scene(random, conditions).look(random, held)
    reading = read_digit(frame, network)
    return reading if isinstance(reading, Reading) else None


def _draw_letter(characters: str, fonts: list[Path], random: np.random.Generator) -> tuple[str, FloatArray]:
    while True:
        character = str(random.choice(list(characters)))
        ink = draw_text(fonts[int(random.integers(len(fonts)))], character, SIDE)
        if ink is not None:
            return character, ink


def _draw_sign(random: np.random.Generator) -> tuple[str, FloatArray]:
    name = str(random.choice(list(DRAWN)))
    return name, draw_lines(write_strokes(DRAWN[name], random), SIDE, SIDE * random.uniform(0.03, 0.12))


if __name__ == "__main__":
    main()
