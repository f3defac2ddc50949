"""The emulated Pi that benchmarks count instructions on, made where it is not there yet."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

PROJECT = Path(__file__).parents[2]
COUNT = PROJECT / "deploy" / "emulated_pi" / "count.sh"
ROOT = PROJECT / "build" / "emulated_pi"

# The exit status where it cannot be had, which says nothing about what was to be counted.
UNAVAILABLE = os.EX_TEMPFAIL


def make_ready(root: Path, better: Sequence[Path] = ()) -> Path:
    """Make it where it is not there, and see that it runs; ends the program where it cannot be had.

    Parameters
    ----------
    root : the folder that it is in, or will be
    better : tarballs for `count.sh setup`
    """
    if os.geteuid():
        _give_up("only root can change into the emulated Pi: run this with sudo")
    if not (root / "opt/qemu/instruction_counter.so").exists():
        print(f"making an emulated Pi in {root} ...", flush=True)
        if subprocess.run([COUNT, "setup", root, *better]).returncode:
            _give_up("the emulated Pi could not be made; what was missing is told above")
    attempt = subprocess.run(
        [COUNT, "run", root, "-c", "pass"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if attempt.returncode:
        _give_up(f"the emulated Pi does not run here: {attempt.stdout.strip()}")
    return root.resolve()


def _give_up(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)
    sys.exit(UNAVAILABLE)
