"""How often letters, signs and scenes without a digit are said to be digits, and how many digits still are.

    python -m tests.benchmarks.refusals [--weights FILE] [--count N] [--seed N] [--picture FILE]
    python -m tests.benchmarks.refusals --fit

Everything goes the whole way: drawn on simulated paper, held up before a simulated camera, found, normalised
and read. The letters come from fonts that nothing was learnt from, the signs from the programs below, and the
digits are MNIST's test images; two of them, or a word, are held up on one sheet, too, and digits that the
frame's edge cuts off, or that have the edge of a hard shadow through them. Of each there are two halves: with
`--fit` one of them tells how the network's and the finder's word are best put together, which gives
`shared.reading.TRUST`; the other one is for the test alone. To fit by there are, besides, digits drawn by
program with one hardship at a time (`trainer.hardships`), and places in which something happens, but no digit
is held up.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.acts import EMPTY_KINDS, draw_empty_act
from shared.conditions import Conditions
from shared.digit_finder import FoundDigit, NoDigit
from shared.feedforward import FeedForward, FloatArray
from shared.ink import Bytes
from shared.reading import LEAST_DOUBT, NEEDED_CONFIDENCE, search_and_read, tell_confidence
from shared.scenery import FRAME, Scene, hold_up
from shared.sheet import write_sheet
from shared.strokes import Strokes, arc, draw_digit, draw_lines, write_strokes
from shared.texture import pick
from shared.weights import load_weights
from trainer.calibration import compare
from trainer.datasets import load_mnist
from trainer.exhibits import cut_off
from trainer.fonts import LETTERS, SIGNS, TESTING_FONTS, VALIDATION_FONTS, draw_text, list_fonts
from trainer.hardships import HARDSHIPS, draw_hardship
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
# The same, to fit by.
FITTED_MIX = MIX | dict.fromkeys(
    ("digits", "digits, one hardship", "nothing held up", "something happens"), MIX["digits"] / 2
)
# What a fit is drawn to nothing by, times its weights' squares: without, rare traits run away.
SHRINKING = 3e-4
# How much of the light is left beyond the edge of a shadow, how wide that is in pixels, how far from the
# middle of a digit it goes through it, in its sizes, and what the digit is written with.
SHADE, EDGE, OFF_MIDDLE = (0.25, 0.65), (0.7, 3.0), 0.35
WRITTEN_WITH = ("a thick marker", "a fineliner", "a ballpoint", "a pencil")
# Digits of which a part is hard to see, or not to be seen.
IN_PART = ("cut off", "half in a shadow")
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
    """What was held up, and what came of it.

    Attributes
    ----------
    name : of what was held up
    digit : that it was read as; None where nothing was found, and then all else is 0
    confidence : the reading's
    network : how sure the network was, 0 to 1
    finder : how likely the finder said that a digit is, 0 to 1
    """

    name: str
    digit: int | None = None
    confidence: float = 0.0
    network: float = 0.0
    finder: float = 0.0

    @property
    def right(self) -> bool:
        return self.name == str(self.digit)


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
        print_fit(mix(seen, FITTED_MIX))
    _print_digits(seen["digits"])
    for kind in IN_PART:
        said = [one for one in seen[kind] if one.confidence >= NEEDED_CONFIDENCE]
        right = sum(one.right for one in said)
        print(f"{kind}: of {options.count} {right} are said right and {len(said) - right} wrong")
    _print_levels(seen)
    for kind in ("letters", "signs of fonts", "drawn signs"):
        _print_names(kind, seen[kind])
    mixed = [one for one in mix(seen, MIX) if one.digit is not None]
    reliability = compare(np.array([one.confidence for one in mixed]), np.array([one.right for one in mixed]))
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

    def draw_mnist() -> tuple[str, FloatArray]:
        index = random.choice(half)
        return str(digits.labels[index]), digits.images[index] / np.float32(255)

    kinds: dict[str, Callable[[], tuple[str, FloatArray | None]]] = {
        "digits": draw_mnist,
        "letters": lambda: _draw_letter(LETTERS, fonts, random),
        "signs of fonts": lambda: _draw_letter(SIGNS, fonts, random),
        "drawn signs": lambda: _draw_sign(signs, random),
        "nothing held up": lambda: ("nothing", None),
        "two digits": lambda: ("two digits", _lay_out(draw_mnist()[1], draw_mnist()[1], random)),
        "writing": lambda: ("writing", _draw_writing(fonts, random)),
    }
    looks: dict[str, Callable[[], tuple[str, Bytes]]] = {
        kind: partial(_hold_up, random, draw) for kind, draw in kinds.items()
    }
    if fit:
        looks["digits, one hardship"] = partial(_hold_up_drawn, random)
        looks["something happens"] = partial(_happen, random)
    looks["cut off"] = partial(_cut_off, random, draw_mnist)
    looks["half in a shadow"] = partial(_shade_half, random, draw_mnist)
    return {kind: [_see(network, *look()) for _ in range(count)] for kind, look in looks.items()}


def mix(seen: dict[str, list[Sighting]], shares: dict[str, float]) -> list[Sighting]:
    """Take as much of each kind as its share asks for."""
    most = max(shares.values())
    return [
        one for kind, share in shares.items() for one in seen[kind][: round(len(seen[kind]) * share / most)]
    ]


def print_fit(mixed: list[Sighting]) -> None:
    """Fit how network and finder are put together, and print the constants that come of it."""
    read = [one for one in mixed if one.digit is not None]
    base, network, finder = fit([[_tell_odds(one.network), _tell_odds(one.finder)] for one in read], read)
    print(f"TRUST, of {len(read)}: prior odds {np.exp(base):.2f}, network {network:.2f}, finder {finder:.2f}")


def fit(rows: list[list[float]], sightings: list[Sighting]) -> list[float]:
    """Fit a logistic regression of which sightings are right: the base, and a weight for each column."""
    from scipy.optimize import minimize

    columns = np.array(rows)
    middle, spread = columns.mean(axis=0), columns.std(axis=0)
    inputs = np.column_stack((np.ones(len(rows)), (columns - middle) / spread))
    signs = np.where([one.right for one in sightings], -1, 1)

    def lose(weights: npt.NDArray[np.float64]) -> float:
        return float(
            np.logaddexp(0, signs * (inputs @ weights)).mean() + SHRINKING * (weights[1:] ** 2).sum()
        )

    base, *weights = np.asarray(minimize(lose, np.zeros(inputs.shape[1])).x)
    weights = np.array(weights) / spread
    return [float(base - weights @ middle), *weights.tolist()]


def _tell_odds(chance: float) -> float:
    """The logarithm of the odds, as `weigh` has them."""
    return float(np.log((chance + LEAST_DOUBT) / (1 - chance + LEAST_DOUBT)))


def _print_digits(digits: list[Sighting]) -> None:
    found, right = sum(one.digit is not None for one in digits), sum(one.right for one in digits)
    wrong = sum(not one.right and one.confidence >= NEEDED_CONFIDENCE for one in digits)
    print(
        f"digits: of {len(digits)} held up {found} are found and {right} read right; {wrong} are said wrong "
        f"at {NEEDED_CONFIDENCE:g}"
    )


def _print_levels(seen: dict[str, list[Sighting]]) -> None:
    rows = {f"{kind} said": [one.confidence for one in some] for kind, some in seen.items()}
    for kind in ("digits", *IN_PART):
        del rows[f"{kind} said"]
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
    random: np.random.Generator, draw: Callable[[], tuple[str, FloatArray | None]]
) -> tuple[str, Bytes]:
    name, ink = draw()
    conditions = Conditions.draw(random)
    held = [] if ink is None else [write_sheet(ink, conditions, random)]
    return name, Scene(random, conditions).look(random, held)


def _cut_off(random: np.random.Generator, draw: Callable[[], tuple[str, FloatArray]]) -> tuple[str, Bytes]:
    """A digit that the frame's edge cuts off, but no 1: what is left of it is one."""
    while True:
        name, ink = draw()
        if name != "1":
            return name, cut_off(ink, draw_hardship(random, HARDSHIPS["off the middle"]), random)


def _shade_half(random: np.random.Generator, draw: Callable[[], tuple[str, FloatArray]]) -> tuple[str, Bytes]:
    """A digit with the edge of a hard shadow through it."""
    name, ink = draw()
    conditions = draw_hardship(random, HARDSHIPS[pick(random, *WRITTEN_WITH)])
    sheet, place = write_sheet(ink, conditions, random, FRAME)
    left, top, right, bottom = sheet.find_box(place, FRAME)
    turn = random.uniform(0, 2 * np.pi)
    rows, columns = np.ogrid[: FRAME[0], : FRAME[1]]
    beyond = (columns - (left + right) / 2) * np.cos(turn) + (rows - (top + bottom) / 2) * np.sin(turn)
    beyond -= random.uniform(-OFF_MIDDLE, OFF_MIDDLE) * max(right - left, bottom - top)
    shaded = np.clip(beyond / random.uniform(*EDGE) + 0.5, 0, 1).astype(np.float32)
    light = 1 - np.float32(1 - random.uniform(*SHADE)) * shaded
    return name, Scene(random, conditions).look(random, [(sheet, place)], light)


def _hold_up_drawn(random: np.random.Generator) -> tuple[str, Bytes]:
    digit = int(random.integers(10))
    conditions = draw_hardship(random, HARDSHIPS[pick(random, *HARDSHIPS)])
    return str(digit), hold_up(draw_digit(digit, random), random, conditions).frame


def _happen(random: np.random.Generator) -> tuple[str, Bytes]:
    place, held = Conditions.draw(random), Conditions.draw(random)
    act = draw_empty_act(random, pick(random, *EMPTY_KINDS), held, 4.0, scene=Scene(random, place))
    return "nothing", act.look(random.uniform(0, act.length_s))


def _see(network: FeedForward, name: str, frame: Bytes) -> Sighting:
    search, reading = search_and_read(frame, network)
    if isinstance(reading, NoDigit):
        return Sighting(name)
    assert isinstance(search.found, FoundDigit)
    sure, likely = tell_confidence(reading.outputs), search.found.surroundings.likelihood
    return Sighting(name, reading.digit, reading.confidence, sure, likely)


def _draw_letter(characters: str, fonts: list[Path], random: np.random.Generator) -> tuple[str, FloatArray]:
    while True:
        character = str(random.choice(list(characters)))
        ink = draw_text(fonts[int(random.integers(len(fonts)))], character, SIDE)
        if ink is not None:
            return character, ink


def _lay_out(one: FloatArray, other: FloatArray, random: np.random.Generator) -> FloatArray:
    """Put two pictures on one sheet, beside each other, one above the other or cornerwise."""
    away = pick(random, (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (-1.0, 1.0))
    height, width = one.shape
    down, right = (
        round(way * random.uniform(0.9, 2.5) * side) for way, side in zip(away, one.shape, strict=True)
    )
    sheet = np.zeros((height + abs(down), width + right), np.float32)
    top = max(0, -down)
    for picture, row, column in ((one, top, 0), (other, top + down, right)):
        sheet[row : row + height, column : column + width] = picture
    return sheet


def _draw_writing(fonts: list[Path], random: np.random.Generator) -> FloatArray:
    """A word of three to six letters and digits."""
    while True:
        word = "".join(random.choice(list(LETTERS + "0123456789"), random.integers(3, 7)))
        ink = draw_text(fonts[int(random.integers(len(fonts)))], word, SIDE)
        if ink is not None:
            return ink


def _draw_sign(signs: dict[str, Strokes], random: np.random.Generator) -> tuple[str, FloatArray]:
    name = str(random.choice(list(signs)))
    return name, draw_lines(write_strokes(signs[name], random), SIDE, SIDE * random.uniform(0.03, 0.12))


if __name__ == "__main__":
    main()
