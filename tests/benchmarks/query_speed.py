"""How long a query takes, against other programs' forward passes over the same weights, in one run.

    python -m tests.benchmarks.query_speed [--rounds N] [--hidden NODES ...]

`FeedForward.query` against onnxruntime, LiteRT, PyTorch and scikit-learn, all on one thread, for one picture
and for a thousand, after all were seen to give the same outputs. They take turns, so that a noisy machine
slows all alike; told are medians of CPU time over the rounds. A rival that is not installed is left out, and
said to be.

Merely reading the weights is BLAS's sum of magnitudes (`sasum`) of each matrix, the quickest way there is to
read one from Python; it is told as well for all weights as one vector, which saves a call.

OpenBLAS chooses its kernels by the processor's name, which a virtual machine may not tell: then it may take
those of another. On the machine this was written on (AMD EPYC, Zen 4) it takes SkylakeX's. With
OPENBLAS_CORETYPE unset, Haswell and Zen one picture took 9.5, 9.4 and 9.5 us, a thousand 3.6, 3.4 and 3.5 ms.
Try them before the command, `OPENBLAS_CORETYPE=Haswell python -m ...`; the project does not force any.
On another one (Zen 5) it takes Haswell's: one picture took 7.5 us with any, of which numpy's two products
take 5.7, and reading the weights 3.4; there no forward pass in numpy comes near to 1.5 times reading.

To skip pixels without ink was tried and left out: a first layer of 200 nodes took 9.4 us rather than 6.6, one
of 800 24 rather than 33, and it needs a second copy of the matrix that training would have to keep in step.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy.linalg import blas
from threadpoolctl import threadpool_info, threadpool_limits

from shared.feedforward import FeedForward
from shared.precision import reduce, restore
from tests.benchmarks.query_rivals import RIVALS, Query

OURS, READING, READING_AT_ONCE = "FeedForward.query", "reading the weights", "reading them at once"

# What the goals are.
MOST_OF_READING = 1.5

BATCHES = (1, 1000)
SHORTEST = 0.02  # seconds that are timed at once: long against the clock's step


def make_network(hidden: list[int]) -> FeedForward:
    """Make a network with random weights: which ones does not matter for its speed."""
    random = np.random.default_rng(0)
    layers = (784, *hidden, 10)
    weights = [
        random.normal(0, before**-0.5, (after, before)).astype(np.float32)
        for before, after in pairwise(layers)
    ]
    # As they would be loaded from a file.
    return FeedForward([restore(reduce(matrix, "float32")) for matrix in weights])


def make_queries(network: FeedForward, batch: int) -> dict[str, Query]:
    """All forward passes that are installed, checked against ours."""
    inputs = make_inputs(network, batch)
    right = network.query(inputs)
    queries: dict[str, Query] = {OURS: network.query}
    for name, make in RIVALS.items():
        try:
            query = make(network, batch)
        except ImportError as error:
            print(f"{name} is left out: {error}; pip install 'inkling-pi[benchmark]' brings it")
            continue
        np.testing.assert_allclose(query(inputs), right, atol=1e-5, err_msg=name)
        queries[name] = query
    return queries


def make_inputs(network: FeedForward, batch: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.01, 1, (batch, network.layers[0])).astype(np.float32)


def time_in_turn(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each."""
    repeats = {}
    for name, work in works.items():
        count = 1
        while (seconds := time_once(work, count)) < SHORTEST:
            count = max(2 * count, int(count * SHORTEST / max(seconds, 1e-9)))
        repeats[name] = count
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(time_once(work, repeats[name]) / repeats[name])
    return {name: float(np.median(taken)) for name, taken in times.items()}


def time_once(work: Callable[[], object], count: int) -> float:
    begin = time.process_time()
    for _ in range(count):
        work()
    return time.process_time() - begin


def compare(network: FeedForward, batch: int, rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of all queries, and of reading the weights."""
    inputs = make_inputs(network, batch)
    matrices = [matrix.reshape(-1) for matrix in network.weights]
    weights = restore(reduce(np.concatenate(matrices)[np.newaxis], "float32"))[0]
    works: dict[str, Callable[[], object]] = {
        READING: lambda: [blas.sasum(matrix) for matrix in matrices],
        READING_AT_ONCE: lambda: blas.sasum(weights),
    }
    for name, query in make_queries(network, batch).items():
        # The talk's reader hands over a vector; the others want a batch of one.
        given = inputs[0] if name == OURS and batch == 1 else inputs
        works[name] = lambda query=query, given=given: query(given)  # type: ignore[misc]
    times = time_in_turn(works, rounds)
    return times, {name: times.pop(name) for name in (READING, READING_AT_ONCE)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=25, help="how often each takes its turn (default: 25)")
    parser.add_argument(
        "--hidden",
        type=int,
        nargs="+",
        default=[200],
        metavar="NODES",
        help="hidden layers (default: 200, as the talk has it)",
    )
    options = parser.parse_args()
    network = make_network(options.hidden)
    print(" - ".join(map(str, network.layers)), "nodes, one thread")
    for library in threadpool_info():
        if library["user_api"] == "blas":
            print(f"{library['internal_api']} {library['version']}, kernels for {library['architecture']}")
    verdicts = []
    with threadpool_limits(1):
        for batch in BATCHES:
            times, reading = compare(network, batch, options.rounds)
            print(f"\n{'batch ' + str(batch):22}{'us':>9}{'us a picture':>14}{'times ours':>12}")
            for name, seconds in sorted((times | reading).items(), key=lambda item: item[1]):
                print(
                    f"{name:22}{seconds * 1e6:9.1f}{seconds / batch * 1e6:14.2f}{seconds / times[OURS]:12.2f}"
                )
            rivals = {name: seconds for name, seconds in times.items() if name != OURS}
            if rivals:
                best = min(rivals, key=rivals.__getitem__)
                verdicts.append(
                    f"batch {batch}: {rivals[best] / times[OURS]:.2f} times as fast as {best}, the next"
                )
            if batch == 1:
                verdicts.append(
                    f"batch 1: {times[OURS] / reading[READING]:.2f} times as long as reading the weights "
                    f"(at most {MOST_OF_READING:g} wanted), "
                    f"{times[OURS] / reading[READING_AT_ONCE]:.2f} times as long as reading them at once"
                )
    print("\n" + "\n".join(verdicts))


if __name__ == "__main__":
    main()
