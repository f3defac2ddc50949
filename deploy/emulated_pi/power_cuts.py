"""Power cuts: at random moments the emulated Pi is switched off without a word, and must read again.

A cut comes in a boot, while digits are read, or while settings and weights are written to the card, which is
the same card all the time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from deploy.emulated_pi.card import PORT
from deploy.emulated_pi.findings import Findings
from deploy.emulated_pi.listener import TOPICS, Listener
from deploy.emulated_pi.pi import PATIENCE_S, Pi, PiError
from shared.weights import ModelCard, export_weights, load_weights

SEED = 7
# When power is cut, after this many real seconds at most.
LONGEST_READING_S, LONGEST_WRITING_S = 20.0, 40.0


def cut_power_often(folder: Path, log: Path, count: int, findings: Findings) -> None:
    """Cut the power so many times, and see whether digits arrive after each."""
    rng = np.random.default_rng(SEED)
    moments = rng.permutation([("boot", "reading", "writing")[index % 3] for index in range(count)])
    card = folder / "cut.img"
    subprocess.run(["cp", "--sparse=always", folder / "card.img", card], check=True)
    listener, served = Listener(PORT), 0
    with tempfile.TemporaryDirectory() as name:
        weights = _make_weights(Path(name))
        pi, boot_s = _boot(folder, log, card, listener)
        try:
            for number, moment in enumerate(moments):
                if moment == "boot":
                    pi.cut_power()
                    wait_s = rng.uniform(0, boot_s)
                    pi = Pi(folder, log, card)
                    _listen(pi, wait_s)
                    kept: set[float] = set()
                elif moment == "reading":
                    wait_s = rng.uniform(0, LONGEST_READING_S)
                    _listen(pi, wait_s)
                    kept = set()
                else:
                    wait_s = rng.uniform(0, LONGEST_WRITING_S)
                    kept = _write(pi, listener, weights[number % 2], folder / "key", wait_s, number)
                pi.cut_power()
                print(f"power cut {number + 1}, {moment}, after {wait_s:.1f} real seconds", flush=True)
                pi, boot_s = _boot(folder, log, card, listener)
                served += _is_sound(listener, kept, weights)
        except PiError as error:
            print(f"after a power cut: {error}", flush=True)
        finally:
            pi.cut_power()
            listener.close()
    findings.note(
        "power cuts after which it boots, reads and knows its settings",
        f"{served} of {count}",
        f"{count} of {count}",
        served == count,
    )
    subprocess.run(["e2fsck", "-p", card], stdout=subprocess.DEVNULL)  # what was begun is finished first
    check = subprocess.run(["e2fsck", "-fn", card], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    findings.note("the card's file system then", f"e2fsck says {check.returncode}", "0", not check.returncode)
    card.unlink()


def _boot(folder: Path, log: Path, card: Path, listener: Listener) -> tuple[Pi, float]:
    """Switch it on and wait for a digit; tells how many real seconds that took, too."""
    begin, before = time.monotonic(), len(listener.events)
    pi = Pi(folder, log, card)
    while len(listener.events) == before:
        if time.monotonic() > begin + PATIENCE_S:
            pi.cut_power()
            raise PiError(f"no digit within {PATIENCE_S:g} real seconds")
        pi.listen(0.2)
    return pi, time.monotonic() - begin


def _listen(pi: Pi, seconds: float) -> None:
    """Let it do what it does."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        pi.listen(left)


def _write(pi: Pi, listener: Listener, weights: Path, key: Path, seconds: float, number: int) -> set[float]:
    """Have it write settings all the time, and weights once; returns which setting may be on the card.

    That is the last that it said it keeps, or the next, whose answer may not have been heard.
    """
    options = ("--device", TOPICS.device, "--signing-key", key, "--broker", f"127.0.0.1:{PORT}")
    deliver = subprocess.Popen(
        [sys.executable, "-m", "trainer", "deliver", weights, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    asked = [_tell_hold(listener)]
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            answered = len(listener.responses)
            asked.append(round(0.3 + 0.01 * number + 0.0001 * len(asked), 4))
            listener.configure(len(asked), settling={"hold_s": asked[-1]})
            while len(listener.responses) == answered and time.monotonic() < until:
                pi.listen(0.05)
    finally:
        deliver.kill()
        deliver.wait()
    print(f"    it has answered {len(listener.responses)} times")
    return set(asked[-2:])


def _tell_hold(listener: Listener) -> float:
    """Tell the setting that it told of last."""
    hold_s: float = listener.infos[-1]["configuration"]["settling"]["hold_s"]
    return hold_s


def _is_sound(listener: Listener, kept: set[float], weights: list[Path]) -> bool:
    """Whether it has the settings and the weights that it may have."""
    hold_s = _tell_hold(listener)
    models = {load_weights(path).name for path in (None, *weights)}
    model = listener.infos[-1]["weights"]["sha256"][:12]
    print(f"    it reads again, with hold_s {hold_s} and weights {model}", flush=True)
    return (not kept or hold_s in kept) and model in models


def _make_weights(folder: Path) -> list[Path]:
    """Two weights files, of the default network with other notes."""
    network = load_weights().network
    paths = [folder / f"{note}.npz" for note in "ab"]
    for path in paths:
        export_weights(path, network, ModelCard.describe(network, {"note": path.stem}, [], {}))
    return paths
