"""How often letters, signs and scenes without a digit are said to be digits, and how many digits still are.

    python -m tests.benchmarks.refusals [--weights FILE] [--count N] [--seed N] [--picture FILE]
    python -m tests.benchmarks.refusals --fit

Everything goes the whole way: drawn on simulated paper, held up before a simulated camera, found, normalised
and read. The letters come from fonts that nothing was learnt from, the signs from the programs below, and the
digits are MNIST's test images. Of each there are two halves: with `--fit` one of them tells how the network's
and the finder's word are best put together, which gives the constants of `shared.reading.weigh`, and what
confidence should be asked for; the other one is for the test alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.conditions import Conditions
from shared.digit_finder import FoundDigit, find_digit
from shared.feedforward import FeedForward, FloatArray
from shared.reading import LEAST_DOUBT, NEEDED_CONFIDENCE, read_found, tell_confidences, weigh
from shared.scenery import Scene
from shared.sheet import write_sheet
from shared.strokes import Strokes, arc, draw_lines, write_strokes
from shared.weights import load_weights
from trainer.calibration import compare
from trainer.datasets import load_mnist
from trainer.fonts import LETTERS, SIGNS, TESTING_FONTS, VALIDATION_FONTS, draw_text, list_fonts
from trainer.mnist import find_data_directory
from trainer.plots import plot_reliability, save_figure

SIDE = 64

# In the mix that confidence is to be right for, what share of the frames shows what: who holds something up
# holds up digits, hardly ever a letter or a sign.
MIX = {
    "digits": 0.49,
    "nothing held up": 0.49,
    "letters": 0.007,
    "signs of fonts": 0.007,
    "drawn signs": 0.006,
}
LEVELS = (0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


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


# Others, to fit and to choose by.
DRAWN_TO_FIT: dict[str, Strokes] = {
    "bolt": [[(0.6, 0.0), (0.2, 0.55), (0.5, 0.55), (0.3, 1.0), (0.8, 0.4), (0.5, 0.4), (0.6, 0.0)]],
    "moon": [[*arc(0.5, 0.5, 0.5, 0.5, 60, 300), *arc(0.8, 0.5, 0.4, 0.44, 260, 100)]],
    "key": [
        arc(0.2, 0.5, 0.2, 0.2, 0, 360),
        [(0.4, 0.5), (1.0, 0.5), (1.0, 0.7)],
        [(0.8, 0.5), (0.8, 0.7)],
    ],
    "tree": [[(0.45, 1.0), (0.45, 0.75), (0.1, 0.75), (0.5, 0.0), (0.9, 0.75), (0.55, 0.75), (0.55, 1.0)]],
    "cup": [
        [(0.05, 0.2), (0.15, 0.95), (0.6, 0.95), (0.7, 0.2), (0.05, 0.2)],
        arc(0.68, 0.5, 0.22, 0.18, 90, -90),
    ],
    "bell": [
        [(0.1, 0.85), (0.25, 0.6), *arc(0.5, 0.35, 0.25, 0.3, 180, 0), (0.75, 0.6), (0.9, 0.85), (0.1, 0.85)],
        arc(0.5, 0.92, 0.08, 0.07, 180, 360),
    ],
    "boat": [
        [(0.0, 0.7), (0.2, 1.0), (0.8, 1.0), (1.0, 0.7), (0.0, 0.7)],
        [(0.5, 0.7), (0.5, 0.0), (0.9, 0.6), (0.5, 0.6)],
    ],
    "eye": [
        [*arc(0.5, 0.7, 0.55, 0.5, 155, 25), *arc(0.5, 0.3, 0.55, 0.5, -25, -155)],
        arc(0.5, 0.5, 0.12, 0.14, 0, 360),
    ],
    "scissors": [
        [*arc(0.2, 0.85, 0.14, 0.14, 60, 400), (0.75, 0.0)],
        [*arc(0.8, 0.85, 0.14, 0.14, 120, -220), (0.25, 0.0)],
    ],
    "crown": [
        [(0.1, 1.0), (0.0, 0.2), (0.3, 0.6), (0.5, 0.1), (0.7, 0.6), (1.0, 0.2), (0.9, 1.0), (0.1, 1.0)]
    ],
}


class Sighting(NamedTuple):
    """What was held up, and what came of it: where nothing was found, the finder's likelihood is 0."""

    name: str
    right: bool
    outputs: FloatArray
    likelihood: float

    @property
    def confidence(self) -> float:
        """The reading's; 0 where nothing was found."""
        return weigh(self.outputs, self.likelihood) if self.likelihood else 0.0


def main() -> None:
    """Print the figures, at the shipped confidence and around it."""
    parser = argparse.ArgumentParser(description="How often what is no digit is said to be one.")
    parser.add_argument("--weights", type=Path, help="a weights file (default: those that ship)")
    parser.add_argument("--count", type=int, default=1000, help="frames of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fit", action="store_true", help="fit the constants of 'weigh', on the other half")
    parser.add_argument("--picture", type=Path, help="draw the reliability diagram of the whole way")
    options = parser.parse_args()
    network = load_weights(options.weights).network
    seen = hold_all_up(network, options.count, options.seed, fit=options.fit)
    if options.fit:
        prior, ones, trust, other = fit_weights(mix(seen))
        print(
            f"odds = {prior:.2f} x network's odds ^ {trust:.2f} x finder's odds ^ {other:.2f}, "
            f"and {ones:.2f} times as much for a 1"
        )
    _print_digits(seen["digits"])
    _print_levels(seen)
    for kind in ("letters", "signs of fonts", "drawn signs"):
        _print_names(kind, seen[kind])
    mixed = mix(seen)
    reliability = compare(
        np.array([one.confidence for one in mixed if one.likelihood]),
        np.array([one.right for one in mixed if one.likelihood]),
    )
    print(f"expected calibration error of the mix: {reliability.error:.1%}; readings, confidence, right:")
    for row in zip(reliability.counts, reliability.confidences, reliability.right, strict=True):
        print("{:9d} {:6.1%} {:6.1%}".format(*row))
    if options.picture:
        figure = plot_reliability(reliability, "the whole way, from frame to reading")
        save_figure(figure, options.picture)


def hold_all_up(network: FeedForward, count: int, seed: int, *, fit: bool) -> dict[str, list[Sighting]]:
    """Hold up `count` things of each kind, of the half to fit by or of that to test by."""
    random = np.random.default_rng([seed, fit])
    fonts = list_fonts(VALIDATION_FONTS if fit else TESTING_FONTS)
    signs = DRAWN_TO_FIT if fit else DRAWN
    digits = load_mnist(find_data_directory(), test=True)
    half = np.arange(int(fit), len(digits), 2)

    def draw_digit() -> tuple[str, FloatArray]:
        index = random.choice(half)
        return str(digits.labels[index]), digits.images[index] / np.float32(255)

    kinds: dict[str, Callable[[], tuple[str, FloatArray | None]]] = {
        "digits": draw_digit,
        "letters": lambda: _draw_letter(LETTERS, fonts, random),
        "signs of fonts": lambda: _draw_letter(SIGNS, fonts, random),
        "drawn signs": lambda: _draw_sign(signs, random),
        "nothing held up": lambda: ("nothing", None),
    }
    return {kind: [_hold_up(network, random, *draw()) for _ in range(count)] for kind, draw in kinds.items()}


def mix(seen: dict[str, list[Sighting]]) -> list[Sighting]:
    """Take as much of each kind as `MIX` asks for."""
    most = max(MIX.values())
    return [one for kind, share in MIX.items() for one in seen[kind][: round(len(seen[kind]) * share / most)]]


def fit_weights(mixed: list[Sighting]) -> npt.NDArray[np.float64]:
    """Fit how the two words are put together.

    It gives the prior odds, how many times as much they are for a 1, and the power of either word. It is a
    logistic regression: the log loss of what comes out is smallest.
    """
    from scipy.optimize import minimize

    found = [one for one in mixed if one.likelihood]
    right = np.array([one.right for one in found])
    outputs = np.stack([one.outputs for one in found])
    words = np.column_stack((tell_confidences(outputs), [one.likelihood for one in found]))
    odds = np.log((words + LEAST_DOUBT) / (1 - words + LEAST_DOUBT))
    inputs = np.column_stack((np.ones(len(found)), outputs.argmax(axis=1) == 1, odds))

    def lose(powers: npt.NDArray[np.float64]) -> float:
        return float(np.logaddexp(0, np.where(right, -1, 1) * (inputs @ powers)).mean())

    powers = np.asarray(minimize(lose, np.zeros(4)).x)
    return np.append(np.exp(powers[:2]), powers[2:])


def _print_digits(digits: list[Sighting]) -> None:
    found, right = sum(one.likelihood > 0 for one in digits), sum(one.right for one in digits)
    wrong = sum(not one.right and one.confidence >= NEEDED_CONFIDENCE for one in digits)
    print(
        f"digits: of {len(digits)} held up {found} are found and {right} read right; {wrong} are said wrong "
        f"at {NEEDED_CONFIDENCE:g}"
    )


def _print_levels(seen: dict[str, list[Sighting]]) -> None:
    rows = {f"{kind} said": [one.confidence for one in some] for kind, some in seen.items()}
    del rows["digits said"]
    right = [one.confidence for one in seen["digits"] if one.right]
    rows = {"of the right said": right, **rows}
    levels = sorted({*LEVELS, NEEDED_CONFIDENCE})
    print(f"{'needed confidence':22}" + "".join(f"{level:8g}" for level in levels))
    for name, confidences in rows.items():
        shares = (np.mean(np.array(confidences) >= level) for level in levels)
        print(f"{name:22}" + "".join(f"{share:8.1%}" for share in shares))


def _print_names(kind: str, some: list[Sighting]) -> None:
    said: dict[str, list[bool]] = {}
    for one in some:
        said.setdefault(one.name, []).append(one.confidence >= NEEDED_CONFIDENCE)
    most = sorted(said, key=lambda name: -float(np.mean(said[name])))[:8]
    print(f"{kind}, said most often: " + ", ".join(f"{name} {np.mean(said[name]):.0%}" for name in most))


def _hold_up(
    network: FeedForward, random: np.random.Generator, name: str, ink: FloatArray | None
) -> Sighting:
    conditions = Conditions.draw(random)
    held = [] if ink is None else [write_sheet(ink, conditions, random)]
    found = find_digit(Scene(random, conditions).look(random, held))
    if not isinstance(found, FoundDigit):
        return Sighting(name, False, np.zeros(10, np.float32), 0.0)
    reading = read_found(found, network)
    return Sighting(name, name == str(reading.digit), reading.outputs, found.likelihood)


def _draw_letter(characters: str, fonts: list[Path], random: np.random.Generator) -> tuple[str, FloatArray]:
    while True:
        character = str(random.choice(list(characters)))
        ink = draw_text(fonts[int(random.integers(len(fonts)))], character, SIDE)
        if ink is not None:
            return character, ink


def _draw_sign(signs: dict[str, Strokes], random: np.random.Generator) -> tuple[str, FloatArray]:
    name = str(random.choice(list(signs)))
    return name, draw_lines(write_strokes(signs[name], random), SIDE, SIDE * random.uniform(0.03, 0.12))


if __name__ == "__main__":
    main()
