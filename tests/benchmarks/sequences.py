"""How well digits are announced and withdrawn, on simulated sequences at 10 frames a second.

    python -m tests.benchmarks.sequences [--count N] [--conditions easy|each|hard] [--digits mnist|drawn]
    python -m tests.benchmarks.sequences --hours H

The first plays N sequences of every kind and judges what is announced, by kind (and with `each`, where all is
easy but for one hardship at a time, by hardship, N sequences of each):

    good      announced once, right, at most 0.5 s after it was held still; withdrawn within 1 s of going
    wrong     another digit was announced
    false     a digit was announced while none was held up
    missing   nothing was
    twice     it was announced again while it was still held up
    dropped   it was withdrawn while it was held up
    late      it was announced later than that
    stale     it was withdrawn later than that

A digit that is not read surely by itself is no matter of sequences: MNIST's test digits are taken only if
one frame of them on clean paper, written with the same pen, is read right and said. "readable" is how many
were read right and surely in most of the frames in which they were held still, and "of these" how many of
those are good: the rest is settling's doing.

The second plays empty and cluttered scenes and counts what is announced where there is no digit.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from edge.config import SettlingSettings
from edge.settling import Prediction, Settling
from shared.acts import EMPTY_KINDS, KINDS, Act, Ink, Showing, draw_act, draw_empty_act
from shared.conditions import Conditions
from shared.digit_finder import NoDigit
from shared.feedforward import FeedForward
from shared.idx import TEST_IMAGES, TEST_LABELS, read_digits
from shared.reading import NEEDED_CONFIDENCE, DigitReader, Reading, read_digit
from shared.scenery import Scene, hold_up
from shared.strokes import draw_digit
from shared.texture import pick
from shared.weights import load_weights
from trainer.hardships import HARDSHIPS, draw_easy, draw_hardship
from trainer.mnist import find_data_directory

INTERVAL_S = 0.1
ANNOUNCED_S, WITHDRAWN_S = 0.5, 1.0
LEAD_S = 0.8  # what is announced before the digit comes is no fault of its
VERDICTS = ("good", "wrong", "false", "missing", "twice", "dropped", "late", "stale")

# Each digit, and what it passes through: part of it, or like it.
LIKE = {0: 6, 1: 7, 2: 3, 3: 2, 4: 9, 5: 6, 6: 0, 7: 1, 8: 3, 9: 4}

Random = np.random.Generator
Write = Callable[[int, float, Random], Ink]
DrawConditions = Callable[[Random], Conditions]


class Event(NamedTuple):
    """A digit was announced, or, with none, withdrawn."""

    time: float
    digit: int | None


class Played(NamedTuple):
    """What came of a sequence; `sure` is which digit was read surely in each frame, if any."""

    events: list[Event]
    sure: list[tuple[float, int | None]]
    frames: dict[float, npt.NDArray[np.uint8]]


def play(
    act: Act, reader: DigitReader, settling: Settling, settings: SettlingSettings, begin: float = 0.0
) -> Played:
    """Show every frame of an act to the reader, and its readings to settling."""
    played = Played([], [], {})
    for frame_time in np.arange(0, act.length_s, INTERVAL_S).tolist():
        frame = act.look(frame_time)
        reading = reader.read(frame)
        sure = isinstance(reading, Reading) and reading.confidence >= settings.confidence
        played.sure.append((frame_time, reading.digit if isinstance(reading, Reading) and sure else None))
        change = settling.observe(reading, begin + frame_time)
        if change is not None:
            digit = change.reading.digit if isinstance(change, Prediction) else None
            played.events.append(Event(frame_time, digit))
            played.frames[frame_time] = frame
    return played


def judge(showings: Iterable[Showing], events: list[Event]) -> str:
    """The verdict on a sequence: the worst of its digits'."""
    showings = list(showings)
    verdicts = {judge_showing(showing, events) for showing in showings}
    for event in events:
        held = {one.digit for one in showings if one.begin <= event.time < one.gone}
        # What was seen last may be announced a little later.
        just_held = {one.digit for one in showings if one.begin <= event.time <= one.gone + ANNOUNCED_S}
        if event.digit is not None and event.digit not in just_held:
            verdicts.add("wrong" if held else "false")
    return next((verdict for verdict in VERDICTS[1:] if verdict in verdicts), "good")


def judge_showing(showing: Showing, events: list[Event]) -> str:
    announced = [
        number
        for number, event in enumerate(events)
        if event.digit == showing.digit and showing.begin <= event.time <= showing.gone + ANNOUNCED_S
    ]
    if not announced:
        return "missing"
    if len(announced) > 1:
        return "twice"
    begin = events[announced[0]].time
    end = events[announced[0] + 1].time if announced[0] + 1 < len(events) else float("inf")
    if end < showing.gone:
        return "dropped"
    if begin > showing.still + ANNOUNCED_S:
        return "late"
    return "stale" if end > showing.gone + WITHDRAWN_S else "good"


def is_readable(showings: Iterable[Showing], sure: list[tuple[float, int | None]]) -> bool:
    """Whether most frames of each digit held still were read right and surely."""
    return all(
        np.mean([digit == one.digit for when, digit in sure if one.still <= when < one.gone]) > 0.5
        for one in showings
    )


def is_said(reading: Reading | NoDigit, digit: int) -> bool:
    return isinstance(reading, Reading) and reading.digit == digit and reading.confidence >= NEEDED_CONFIDENCE


class MnistWriter:
    """Writes MNIST's test digits, but only what is read right and surely on clean paper with that pen."""

    def __init__(self, network: FeedForward) -> None:
        folder = find_data_directory()
        images, labels = read_digits(folder / TEST_IMAGES, folder / TEST_LABELS)
        self._images = [images[labels == digit] for digit in range(10)]
        self._network = network
        self.tried = self.taken = 0

    def write(self, digit: int, stroke: float, random: Random) -> Ink:
        while True:
            picture = np.asarray(pick(random, *self._images[digit]) / 255, np.float32)
            frame = hold_up(picture, random, Conditions(stroke=stroke)).frame
            reading = read_digit(frame, self._network)
            self.tried += 1
            if is_said(reading, digit):
                self.taken += 1
                return Ink(digit, picture)


def write_drawn(digit: int, stroke: float, random: Random) -> Ink:
    return Ink(digit, draw_digit(digit, random))


def list_rows(how: str) -> list[tuple[str, DrawConditions]]:
    """The rows of the table: what each is called, and how its conditions are drawn."""
    if how == "each":
        return [(name, partial(draw_hardship, hardship=hardship)) for name, hardship in HARDSHIPS.items()]
    return [(kind, draw_easy if how == "easy" else Conditions.draw) for kind in KINDS]


def draw_sequence(seed: int, number: int, kind: str, write: Write, draw_conditions: DrawConditions) -> Act:
    random = np.random.default_rng([seed, number])
    digit = int(random.integers(10))
    conditions = draw_conditions(random)
    ink, other = (write(one, conditions.stroke, random) for one in (digit, LIKE[digit]))
    hold_s = random.uniform(1.2, 2.0)
    return draw_act(random, kind, ink, other, conditions, lead_s=LEAD_S, hold_s=hold_s)


def draw_emptiness(seed: int, seconds: float) -> Iterator[Act]:
    """Places without a digit: in each something happens several times, then all changes suddenly."""
    random = np.random.default_rng(seed)
    while seconds > 0:
        conditions = Conditions.draw(random)
        scene = Scene(random, conditions)
        for _ in range(random.integers(1, 9)):
            length_s = random.uniform(3, 12)
            seconds -= length_s
            kind = pick(random, *EMPTY_KINDS)
            # What is held up there is another sheet each time; the light, and the camera, stay.
            held = Conditions.draw(random)
            yield draw_empty_act(random, kind, held, length_s, scene=scene)


def show_progress(done: float, what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{done:4.0%} {what}", end="\n" if done >= 1 else "", file=sys.stderr, flush=True)


def keep(folder: Path | None, name: str, frame: npt.NDArray[np.uint8]) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(frame).save(folder / f"{name}.png")


def measure_sequences(options: argparse.Namespace, network: FeedForward) -> None:
    settings = SettlingSettings()
    mnist = MnistWriter(network) if options.digits == "mnist" else None
    write = mnist.write if mnist else write_drawn
    rows = list_rows(options.conditions)
    counts = {row: Counter[str]() for row, _ in rows}
    total = options.count * len(rows)
    for number in range(total):
        row, draw_conditions = rows[number % len(rows)]
        # As many of each kind in every row.
        kind = row if row in KINDS else KINDS[number // len(rows) % len(KINDS)]
        act = draw_sequence(options.seed, number, kind, write, draw_conditions)
        played = play(act, DigitReader(network), Settling(settings), settings)
        verdict = judge(act.showings, played.events)
        counts[row][verdict] += 1
        if is_readable(act.showings, played.sure):
            counts[row]["readable"] += 1
            counts[row]["readable good"] += verdict == "good"
        if verdict in ("wrong", "false"):
            for when, frame in played.frames.items():
                keep(options.pictures, f"{number}-{kind}-{when:.1f}", frame)
        show_progress((number + 1) / total, "of the sequences")
    if mnist:
        print(f"of {mnist.tried} of MNIST's test digits {mnist.taken} are said on clean paper, and taken")
    print(f"{total} sequences, {options.digits} digits, {options.conditions} conditions, seed {options.seed}")
    print(f"{'':24}" + "".join(f"{verdict:>9}" for verdict in VERDICTS) + "  readable  of these")
    for row, count in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        part = count.total() - count["readable"] - count["readable good"]
        shares = "".join(f"{count[verdict] / part:9.1%}" for verdict in VERDICTS)
        of_these = count["readable good"] / max(count["readable"], 1)
        print(f"{row:24}{shares}{count['readable'] / part:10.1%}{of_these:10.1%}")


def measure_emptiness(options: argparse.Namespace, network: FeedForward) -> None:
    settings, begin = SettlingSettings(), 0.0
    reader, settling = DigitReader(network), Settling(settings)
    false: list[str] = []
    sure = frames = 0
    places = set()
    for act in draw_emptiness(options.seed, options.hours * 3600):
        played = play(act, reader, settling, settings, begin)
        for event in played.events:
            if event.digit is not None:
                false.append(f"{begin + event.time:.1f} s: {event.digit}")
                keep(options.pictures, f"{begin + event.time:.1f}s-{event.digit}", played.frames[event.time])
        sure += sum(digit is not None for _, digit in played.sure)
        frames += len(played.sure)
        begin += act.length_s
        places.add(act.scene)
        show_progress(min(begin / (options.hours * 3600), 1.0), "of the time")
    hours = f"{begin / 3600:.2f} hours without a digit in {len(places)} places"
    print(f"{hours}, {frames} frames, seed {options.seed}")
    print(f"false announcements: {len(false)}" + "".join(f"\n    {one}" for one in false))
    print(f"frames read as a digit at {settings.confidence} or more: {sure} ({sure / frames:.2%})")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100, help="sequences for each row (default: 100)")
    parser.add_argument(
        "--conditions", choices=("easy", "each", "hard"), default="hard", help="default: hard"
    )
    parser.add_argument("--digits", choices=("mnist", "drawn"), default="mnist", help="default: mnist")
    parser.add_argument("--hours", type=float, help="play scenes without a digit for this long instead")
    parser.add_argument("--weights", type=Path, help="a weights file; by default the one that ships")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", type=Path, help="a folder for the frames of false announcements")
    options = parser.parse_args()
    begin = time.process_time()
    network = load_weights(options.weights).network
    if options.hours:
        measure_emptiness(options, network)
    else:
        measure_sequences(options, network)
    print(f"{time.process_time() - begin:.0f} CPU s")


if __name__ == "__main__":
    main()
