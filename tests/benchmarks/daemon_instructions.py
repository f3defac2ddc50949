"""ARM1176 instructions that the daemon takes: to start, for a frame, to tell a digit, and to wait.

They are counted on the emulated Pi, with a real Mosquitto on this machine, and compared with the last ones
that were committed, in `instructions.json`: 5 % more fail. Not counted are picamera2 and gpiozero, for which
there is no camera and there are no pins. Debian's numpy for that processor does without its floating-point
unit, which a Pi's uses; so there are two tables, and this says which it made.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import paho.mqtt

from deploy.broker import find_free_port, start_broker
from shared.backdrop import draw_backdrop
from shared.conditions import Conditions
from shared.scenery import FRAME, Scene
from shared.sheet import write_sheet
from shared.strokes import draw_digit
from tests.benchmarks.emulated_pi import COUNT, PROJECT, ROOT, make_ready

TABLE = Path(__file__).with_name("instructions.json")

ROUNDS = 7

MOST_MORE = 0.05
NOISE = 0.02  # million: what is no more than this is none

STEPS = {
    "ready": "from the start to READY",
    "digit": "a frame with a digit",
    "nothing": "a frame without",
    "unchanged": "a frame that has not changed",
    "told": "a digit told and taken back",
    "idle": "a second in which nothing happens",
}
IDLE_S = 10.0  # as in daemon_steps

# The device's processor, and how much of it the daemon may take.
CLOCK_MHZ, SHARE, FRAMES_PER_S = 1000, 0.6, 10


def make_frames(folder: Path) -> None:
    random = np.random.default_rng(0)
    backdrop = draw_backdrop(random, FRAME, 4)
    scene = Scene(random, Conditions(), backdrop)
    sheets = [write_sheet(draw_digit(digit, random), Conditions(), random, FRAME) for digit in range(10)]
    places = [Scene(random, Conditions(), draw_backdrop(random, FRAME, 4)) for _ in range(4)]
    np.savez(
        folder / "frames.npz",
        digits=np.stack([scene.look(random, [sheet]) for sheet in sheets]),
        places=np.stack([place.look(random) for place in places]),
        still=np.stack([scene.look(random, [sheets[7]]) for _ in range(6)]),
    )


@contextmanager
def lay_out(root: Path, port: int) -> Iterator[Path]:
    """A folder in the root with all that the daemon needs."""
    with tempfile.TemporaryDirectory(dir=root / "tmp", prefix="daemon-") as name:
        folder = Path(name)
        hidden = shutil.ignore_patterns("__pycache__")
        for package in (PROJECT / "edge", PROJECT / "shared", Path(paho.mqtt.__file__).parents[1]):
            shutil.copytree(package, folder / package.name, ignore=hidden)
        shutil.copy(Path(__file__).with_name("daemon_steps.py"), folder)
        (folder / "edge.toml").write_text(
            f"[device]\nname = 'bench'\n[mqtt]\nhost = '127.0.0.1'\nport = {port}\nhome_assistant = false\n"
            "[health]\ninterval_s = 3600.0\n"
        )
        make_frames(folder)
        yield folder


def run_emulated(root: Path) -> str:
    """Run `daemon_steps` on the emulated Pi; return what it and the counter print."""
    port = find_free_port()
    with tempfile.TemporaryDirectory() as name, lay_out(root, port) as folder:
        broker = start_broker(Path(name), port)
        inside = Path("/", folder.relative_to(root))
        command: list[Path | str] = [COUNT, "run", root, inside / "daemon_steps.py", inside]
        try:
            for rounds in (0, ROUNDS):  # the first time Python also compiles it all
                run = subprocess.run(
                    [*command, str(rounds)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
                )
                if run.returncode:
                    sys.exit(f"it failed on the emulated Pi:\n{run.stdout}")
        finally:
            broker.terminate()
            broker.wait()
    return run.stdout


def gather(printed: str) -> dict[str, float]:
    """Millions of instructions by step."""
    counts: dict[str, list[float]] = defaultdict(list)
    name = ""
    for line in printed.splitlines():
        if line.startswith("mark\t"):
            name = line.removeprefix("mark\t")
        elif line.startswith("instructions: "):
            counts[name].append(int(line.removeprefix("instructions: ")) / 1e6)
    typical = {name: statistics.median(each) for name, each in counts.items() if name}
    typical["told"] = (typical["told"] - typical["not told"]) / 2
    typical["idle"] = statistics.mean(counts["idle"]) / IDLE_S  # some have a ping more than others
    return {name: round(typical[name], 3) for name in STEPS}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--root", type=Path, default=ROOT, help=f"the emulated Pi, made if it is not there (default: {ROOT})"
    )
    parser.add_argument("--update", action="store_true", help="write the table that is compared with anew")
    options = parser.parse_args()
    root = make_ready(options.root)
    kind = "with" if any((root / "opt/better").iterdir()) else "without"
    print(f"counting, {kind} a floating-point unit (a minute or two) ...", flush=True)
    counts = gather(run_emulated(root))
    tables = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    known = tables.get(kind, {})
    print(f"\nmillions of ARM1176 instructions, numpy {kind} a floating-point unit")
    print(f"{'':36}{'now':>10}{'before':>10}{'':>9}")
    worse = []
    for name, what in STEPS.items():
        before = known.get(name)
        change = "" if before is None else f"{counts[name] / before - 1:+9.1%}"
        print(f"{what:36}{counts[name]:10.2f}{'' if before is None else f'{before:10.2f}':>10}{change}")
        if before is not None and counts[name] > before * (1 + MOST_MORE) + NOISE:
            worse.append(what)
    loop = counts["idle"] + counts["told"] + FRAMES_PER_S * counts["digit"]
    print(
        f"\nat {FRAMES_PER_S} frames a second, each with another digit, one of them told: {loop:.0f}, "
        f"{loop / CLOCK_MHZ:.0%} of a processor that does {CLOCK_MHZ} in a second (at most {SHARE:.0%})"
    )
    if options.update:
        TABLE.write_text(json.dumps({**tables, kind: counts}, indent=4) + "\n")
        return
    if worse:
        sys.exit(
            f"more than {MOST_MORE:.0%} dearer: {', '.join(worse)}; if it must be, run this with --update"
        )
    if loop > SHARE * CLOCK_MHZ and kind == "with":
        sys.exit("the whole loop takes too much")


if __name__ == "__main__":
    main()
