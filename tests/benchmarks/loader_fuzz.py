"""Mutated weights files through the loader, and mutated deliveries through a device's checks.

    python -m tests.benchmarks.loader_fuzz [--files N] [--seed SEED]

A mutated file is refused with one of the loader's own errors, or it is what it was: a change to what no hash
covers, such as a date in the archive. A mutated delivery is never taken. Prints what came of them, how long
the slowest took, and the most memory that was used; ends with status 1 if anything else happened.
"""

from __future__ import annotations

import argparse
import logging
import resource
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.progress import track

from edge.deliveries import Deliveries
from edge.health import Health
from edge.weights_store import WeightsStore
from shared.delivery import Order
from shared.errors import WeightsError
from shared.weights import ModelCard, export_weights, load_weights, parse_weights
from trainer.backpropagation import initialise
from trainer.signing import sign_order, tell_public_key


def mutate(content: bytes, random: np.random.Generator) -> bytes:
    """Change a few bytes, or leave out, repeat, or exchange a piece."""
    mutated = bytearray(content)
    kind = random.integers(6)
    start, end = sorted(random.integers(len(mutated), size=2).tolist())
    if kind < 3:
        for _ in range(int(random.integers(1, 9))):
            # The archive's directory is at its end, where most damage can be done.
            reach = len(mutated) if kind else 600
            mutated[-int(random.integers(1, reach + 1))] = int(random.integers(256))
    elif kind == 3:
        del mutated[start:end]
    elif kind == 4:
        mutated[start:start] = mutated[start:end][:5000]
    else:
        mutated[start:end] = random.bytes(end - start)
    return bytes(mutated)


def main() -> int:
    """Mutate and try; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.loader_fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=100_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="SEED")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    key = Ed25519PrivateKey.generate()
    outcomes: Counter[str] = Counter()
    logging.disable(logging.WARNING)
    slowest_s = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network = initialise((784, 12, 10), np.random.default_rng(0), biases=True)
        export_weights(folder / "w.npz", network, ModelCard.describe(network, {}, [], {}))
        content = (folder / "w.npz").read_bytes()
        known = parse_weights(content).sha256
        order = Order("run", 1, sha256(content).hexdigest(), len(content), "bench")
        delivery = sign_order(order, content, key)
        store = WeightsStore(folder / "state")
        device = Deliveries(load_weights(), store, (tell_public_key(key),), "bench", 0.0, 0.1, Health())
        for _ in track(range(options.files), "files", disable=not sys.stderr.isatty()):
            mutated = mutate(content, random)
            began = time.perf_counter()
            try:
                outcome = "loaded as it was" if parse_weights(mutated).sha256 == known else "ACCEPTED"
            except WeightsError as error:
                outcome = type(error).__name__
            except Exception as error:  # what this is for
                outcome = f"CRASHED {error!r}"
            outcomes[outcome] += 1
            mutated = mutate(delivery, random)
            if mutated != delivery:
                answer = device.take(mutated, for_all=False)
                outcomes["delivery refused" if answer is not None and answer.error else "ACCEPTED"] += 1
            slowest_s = max(slowest_s, time.perf_counter() - began)
        signed = sign_order(replace(order, serial=2), content, key)
        assert device.take(signed, for_all=False) is not None  # it reads no digits, and is refused for that
    for outcome, count in outcomes.most_common():
        print(f"{count:9,}  {outcome}")
    print(
        f"slowest {1000 * slowest_s:.0f} ms, at most "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB"
    )
    return int(any(outcome.isupper() or outcome.startswith(("CRASHED", "ACCEPTED")) for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
