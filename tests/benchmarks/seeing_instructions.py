"""How many instructions of a Pi Zero's processor a 320x240 frame costs, from the grey plane to the reading.

    python -m tests.benchmarks.seeing_instructions [--root FOLDER] [--better TARBALL]... [--places N]
        [--pictures FILE]

Runs the project's own code on the emulated processor (deploy/emulated_pi; as root, on Debian 12) with the
weights that ship, and prints millions of instructions. Every machine counts the same, however busy it is.

`first look` and `second look` (see `find_digit`) are of a frame by itself, from the grey plane to the
reading: `DigitReader` does either in turn while there is no digit.
`next frame` is what it sees once it has read a few: the same scene, in which nothing changed but the sensor's
noise, and in the last two rows another scene. The worst is the dearest frame of any. How the costs of the
hard places without a digit are spread is told below the table: most are cheap, and a few are not.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from shared.backdrop import draw_backdrop
from shared.conditions import Conditions
from shared.layer import Layer, Place
from shared.scenery import FRAME, Scene, hold_up
from shared.sheet import draw_paper, write_sheet
from shared.strokes import draw_digit
from tests.benchmarks.emulated_pi import COUNT, PROJECT, ROOT, make_ready

LOOKS = 5  # at the same scene, with the sensor's noise new in each
DIGITS = PLACES = 60  # of those drawn at random

WITH_DIGIT, WITHOUT = 40, 25  # million: what a frame may cost

FRAME_STEPS = ("first look", "second look", "next frame")  # each a whole frame's cost
STEPS = ("normalise", "query", "view", "likelihood", *FRAME_STEPS)
HARD_PLACES = "hard places, nothing"

HELD_UP = {
    "a felt pen": Conditions(),
    "large": Conditions(size=0.85),
    "small": Conditions(size=0.2),
    "a ballpoint": Conditions(pen="ballpoint", stroke=0.025, depth=0.6),
    "a thick marker": Conditions(pen="marker", stroke=0.18, size=0.75),
    "a pencil": Conditions(pen="pencil", stroke=0.03, depth=0.3),
    "squared paper": Conditions(ruling="squared", light="slope"),
    "a hard shadow": Conditions(light="hard shadow"),
    "a card before things": Conditions(fills=False, hand=True, size=0.4),
    "chalk": Conditions(pen="chalk", paper="blackboard"),
}


Counts = defaultdict[tuple[str, str], list[float]]


class Frames(NamedTuple):
    """Frames, uint8 (number, height, width), and what is held up in each, None for nothing."""

    pictures: npt.NDArray[np.uint8]
    digits: list[int | None]


def make_scenes(places: int) -> dict[str, Frames]:
    """Frames by what they show: first the same scene several times, then each time another.

    `places` of them are hard ones without a digit; more are the same ones and others.
    """
    random = np.random.default_rng(0)
    scenes = {}
    for digit, (name, conditions) in enumerate(HELD_UP.items()):
        backdrop = draw_backdrop(random, FRAME, 4)
        sheet = write_sheet(draw_digit(digit, random), conditions, random, FRAME)
        scenes[f"digit: {name}"] = look(Scene(random, conditions, backdrop), random, digit, sheet)
    for name, backdrop in {
        "blank paper": draw_paper(Conditions(), FRAME, random),
        "squared paper": draw_paper(Conditions(ruling="squared"), FRAME, random),
        "things": draw_backdrop(random, FRAME, 4),
    }.items():
        scenes[f"nothing: {name}"] = look(Scene(random, Conditions(), backdrop), random, None)
    digits = [number % 10 for number in range(DIGITS)]
    drawn = [hold_up(draw_digit(digit, random), random).frame for digit in digits]
    scenes["hard digits"] = Frames(np.stack(drawn), list(digits))
    empty = [Scene(random, Conditions.draw(random)).look(random) for _ in range(places)]
    scenes[HARD_PLACES] = Frames(np.stack(empty), [None] * places)
    return scenes


def look(scene: Scene, random: np.random.Generator, digit: int | None, *held: tuple[Layer, Place]) -> Frames:
    return Frames(np.stack([scene.look(random, held) for _ in range(LOOKS)]), [digit] * LOOKS)


def run_emulated(root: Path, scenes: dict[str, Frames]) -> str:
    """Run `seeing_steps` on the emulated Pi; return what it and the counter print."""
    with tempfile.TemporaryDirectory(dir=root / "tmp", prefix="seeing-") as name:
        folder = Path(name)
        shutil.copytree(PROJECT / "shared", folder / "shared", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(Path(__file__).with_name("seeing_steps.py"), folder)
        pictures: dict[str, Any] = {scene: frames.pictures for scene, frames in scenes.items()}
        np.savez(folder / "frames.npz", **pictures)
        inside = Path("/", folder.relative_to(root))
        command: list[Path | str] = [COUNT, "run", root, inside / "seeing_steps.py", inside / "frames.npz"]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode:
        sys.exit(f"it failed on the emulated Pi:\n{run.stdout}")
    return run.stdout


def gather(printed: str) -> tuple[Counts, dict[str, list[str]]]:
    """Millions of instructions of each frame by scene and step, and the answers by scene."""
    counts: Counts = defaultdict(list)
    answers: dict[str, list[str]] = defaultdict(list)
    key, begun = ("", ""), False
    for line in printed.splitlines():
        kind, *words = line.split("\t")
        if kind == "count":
            key, begun = (words[0], words[1]), False
        elif kind == "answer":
            answers[words[0]].append(words[1])
        elif not kind.startswith("instructions: "):
            print(line)
        elif not begun:
            begun = True  # the mark before the step: it counts what was done since the last one
        else:
            counts[key].append(int(kind.removeprefix("instructions: ")) / 1e6)
    marks = statistics.median(counts.pop(("", "nothing")))
    for counted in counts.values():
        counted[:] = [each - marks for each in counted]
    return counts, answers


def save_pictures(scenes: dict[str, Frames], path: Path) -> None:
    """Save the first frames of each scene, a row each, at half their size."""
    from PIL import Image

    rows = [np.hstack(list(frames.pictures[:LOOKS])) for frames in scenes.values()]
    Image.fromarray(np.vstack(rows)).reduce(2).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--root", type=Path, default=ROOT, help=f"the emulated Pi, made if it is not there (default: {ROOT})"
    )
    parser.add_argument(
        "--better",
        type=Path,
        action="append",
        default=[],
        metavar="TARBALL",
        help="when it is made: numpy or scipy that use the floating-point unit (see count.sh)",
    )
    parser.add_argument(
        "--places",
        type=int,
        default=PLACES,
        metavar="N",
        help=f"how many hard places without a digit (default: {PLACES}; 60 more take a minute)",
    )
    parser.add_argument("--pictures", type=Path, metavar="FILE", help="save the frames as a picture")
    options = parser.parse_args()
    scenes = make_scenes(options.places)
    if options.pictures:
        save_pictures(scenes, options.pictures)
    root = make_ready(options.root, options.better)
    counts, answers = gather(run_emulated(root, scenes))
    if not any((root / "opt/better").iterdir()):
        print("both without the floating-point unit: floating-point work counts about ten times too much")
    print("\nmillions of ARM1176 instructions a frame: the median of a scene's frames, and the worst")
    print(f"{'':28}{'right':>10}" + "".join(f"{step:>12}" for step in STEPS) + f"{'worst':>10}")
    for scene, frames in scenes.items():
        right = sum(said == str(digit) for said, digit in zip(answers[scene], frames.digits, strict=True))
        medians = (
            f"{statistics.median(counts[scene, step]):12.2f}" if counts[scene, step] else " " * 12
            for step in STEPS
        )
        costs = [cost for step in FRAME_STEPS for cost in counts[scene, step]]
        print(f"{scene:28}{right:5}/{len(frames.digits):<4}{''.join(medians)}{max(costs):10.2f}")
        goal = WITHOUT if frames.digits[0] is None else WITH_DIGIT
        above = sum(cost > goal for cost in costs)
        if above:
            print(f"{'':28}of these {len(costs)} counts {above} are above {goal}")
    costs = [cost for step in FRAME_STEPS for cost in counts[HARD_PLACES, step]]
    print(
        f"\n{options.places} hard places without a digit: median {statistics.median(costs):.2f}, "
        f"90th percentile {np.quantile(costs, 0.9):.2f}, worst {max(costs):.2f}; "
        f"above {WITHOUT}: {sum(cost > WITHOUT for cost in costs)} of {len(costs)}"
    )


if __name__ == "__main__":
    main()
