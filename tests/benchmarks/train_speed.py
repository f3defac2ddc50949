"""How much CPU time the trainer saves: against the talk's own loop, scikit-learn and PyTorch, in one run.

    python -m tests.benchmarks.train_speed [--seeds N] [--threads 1 2] [--goals 0.975 0.98]

Everybody trains 784-200-10 on MNIST's 60,000 training images until it reads so many of the test images
right. The talk's loop is written here from its equations: one picture at a time, float64, no biases, no
batches; it is measured to 97 % only, on one thread, as it would take too long to get further. scikit-
learn's MLPClassifier runs with its own settings. PyTorch runs with what ours has, momentum, rectified
linear nodes and a learning rate that falls in a straight line, and with the best rate and batches for it of
those tried; and with Adam at its usual rate. Ours leaves most of the pictures that it reads well already out
of the second epoch (`trainer.selection`), which the others cannot. A rate that falls to zero must know when:
there the goal's time is that of the shortest training, in whole epochs, that reached it. Loading and testing
are not counted. The order in which they run changes from seed to seed, so that a noisy machine slows all
alike.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from threadpoolctl import threadpool_limits

from shared.digit_image import to_inputs
from trainer.datasets import Dataset, load_mnist
from trainer.evaluation import measure_accuracy
from trainer.mnist import find_data_directory
from trainer.settings import Settings
from trainer.training import train

HIDDEN = 200
TALK_GOAL = 0.97
MOST_EPOCHS = 20

# Chosen on 10,000 held-out training images: ours of rates from 0.1 to 0.45, batches of 32 to 128 and shares
# of well-read pictures left out from none to 0.95; PyTorch's of rates from 0.05 to 0.4 and batches of 48 to
# 128. What is best for ours is not so for PyTorch, which then reads fewer of them right.
RATE, BATCH, SKIPPING = 0.4, 96, 0.9
TORCH_RATE, TORCH_BATCH, MOMENTUM = 0.2, 64, 0.9

Array = npt.NDArray[np.float64]


class Run(NamedTuple):
    """What a training took, on all threads together and by the clock, and what it reached."""

    cpu: float
    wall: float
    epochs: float
    accuracy: float


class Clock:
    """Adds up the CPU time and the time of what is done within it."""

    cpu = wall = 0.0

    def __enter__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.cpu += time.process_time() - self._cpu
        self.wall += time.perf_counter() - self._wall


class TalkNetwork:
    """The talk's neuralNetwork: initialise, train, query, for one picture at a time."""

    def __init__(
        self, input_nodes: int, hidden_nodes: int, output_nodes: int, learning_rate: float, seed: int
    ):
        random = np.random.default_rng(seed)
        self.wih = random.normal(0.0, input_nodes**-0.5, (hidden_nodes, input_nodes))
        self.who = random.normal(0.0, hidden_nodes**-0.5, (output_nodes, hidden_nodes))
        self.lr = learning_rate

    def train(self, inputs_list: Array, targets_list: Array) -> None:
        inputs = np.array(inputs_list, ndmin=2).T
        targets = np.array(targets_list, ndmin=2).T
        hidden_outputs = expit(np.dot(self.wih, inputs))
        final_outputs = expit(np.dot(self.who, hidden_outputs))
        output_errors = targets - final_outputs
        hidden_errors = np.dot(self.who.T, output_errors)
        self.who += self.lr * np.dot(output_errors * final_outputs * (1.0 - final_outputs), hidden_outputs.T)
        self.wih += self.lr * np.dot(hidden_errors * hidden_outputs * (1.0 - hidden_outputs), inputs.T)

    def query(self, inputs: Array) -> Array:
        outputs: Array = expit(np.dot(self.who, expit(np.dot(self.wih, inputs))))
        return outputs


def run_talk(training: Dataset, tests: Dataset, seed: int) -> Iterator[Run]:
    """The talk's loop, tested after each epoch."""
    network = TalkNetwork(784, HIDDEN, 10, 0.1, seed)
    pictures, test_pictures = (
        to_inputs(dataset.images * np.float32(1 / 255)).astype(np.float64) for dataset in (training, tests)
    )
    clock = Clock()
    for epoch in range(1, MOST_EPOCHS + 1):
        with clock:
            for inputs, label in zip(pictures, training.labels, strict=True):
                targets = np.zeros(10) + 0.01
                targets[label] = 0.99
                network.train(inputs, targets)
        read = network.query(test_pictures.T).argmax(axis=0)
        yield Run(clock.cpu, clock.wall, epoch, float((read == tests.labels).mean()))


def run_ours(training: Dataset, tests: Dataset, seed: int, threads: int) -> Iterator[Run]:
    """Ours, in trainings of growing length."""
    for epochs in range(1, MOST_EPOCHS + 1):
        settings = Settings(
            hidden=(HIDDEN,),
            activation="relu",
            biases=True,
            learning_rate=RATE,
            batch_size=BATCH,
            skipping=SKIPPING,
            epochs=epochs,
            seed=seed,
        )
        clock = Clock()
        with clock:
            network = train(training, settings, threads=threads).network
        yield Run(clock.cpu, clock.wall, epochs, measure_accuracy(network, tests))


def run_scikit_learn(training: Dataset, tests: Dataset, seed: int, threads: int) -> Iterator[Run]:
    """scikit-learn as it comes, but for the number of nodes; tested after each epoch."""
    from sklearn.neural_network import MLPClassifier

    pictures, test_pictures = (
        (dataset.images * np.float32(1 / 255)).reshape(len(dataset), -1) for dataset in (training, tests)
    )
    network = MLPClassifier(hidden_layer_sizes=(HIDDEN,), random_state=seed)
    clock = Clock()
    for epoch in range(1, MOST_EPOCHS + 1):
        with threadpool_limits(threads), clock:
            network.partial_fit(pictures, training.labels, classes=range(10))
        accuracy = float((network.predict(test_pictures) == tests.labels).mean())
        yield Run(clock.cpu, clock.wall, epoch, accuracy)


def run_torch(training: Dataset, tests: Dataset, seed: int, threads: int) -> Iterator[Run]:
    """PyTorch with our schedule, in trainings of growing length."""
    for epochs in range(1, MOST_EPOCHS + 1):
        yield from _run_torch(training, tests, seed, threads, epochs, falls=True)


def run_torch_adam(training: Dataset, tests: Dataset, seed: int, threads: int) -> Iterator[Run]:
    """PyTorch with Adam at its usual learning rate, tested after each epoch."""
    yield from _run_torch(training, tests, seed, threads, MOST_EPOCHS, falls=False)


def _run_torch(
    training: Dataset, tests: Dataset, seed: int, threads: int, epochs: int, *, falls: bool
) -> Iterator[Run]:
    import torch
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    network: Any = torch.nn.Sequential(
        torch.nn.Linear(784, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 10)
    )
    pictures, test_pictures = (
        torch.from_numpy((dataset.images * np.float32(1 / 255)).reshape(len(dataset), -1))
        for dataset in (training, tests)
    )
    labels = torch.from_numpy(training.labels.astype(np.int64))
    optimiser: Any = (
        torch.optim.SGD(network.parameters(), lr=TORCH_RATE, momentum=MOMENTUM)
        if falls
        else torch.optim.Adam(network.parameters())
    )
    batches = -(-len(labels) // TORCH_BATCH)
    clock = Clock()
    for epoch in range(epochs):
        with clock:
            for index, batch in enumerate(torch.randperm(len(labels)).split(TORCH_BATCH)):
                if falls:
                    done = (epoch * batches + index) / (epochs * batches)
                    optimiser.param_groups[0]["lr"] = TORCH_RATE * (1 - done)
                optimiser.zero_grad()
                cross_entropy(network(pictures[batch]), labels[batch]).backward()
                optimiser.step()
        if not falls or epoch == epochs - 1:
            with torch.no_grad():
                read = network(test_pictures).argmax(dim=1).numpy()
            yield Run(clock.cpu, clock.wall, epoch + 1, float((read == tests.labels).mean()))


Method = Callable[[Dataset, Dataset, int, int], Iterator[Run]]
METHODS: dict[str, Method] = {
    "inkling": run_ours,
    "scikit-learn": run_scikit_learn,
    "PyTorch, SGD": run_torch,
    "PyTorch, Adam": run_torch_adam,
}


def reach(runs: Iterator[Run], goals: list[float]) -> list[Run | None]:
    """The first run that reaches each goal."""
    reached: list[Run | None] = [None] * len(goals)
    for run in runs:
        reached = [
            before or (run if run.accuracy >= goal else None)
            for before, goal in zip(reached, goals, strict=True)
        ]
        if all(reached):
            break
    return reached


def note(name: str, reached: list[Run | None]) -> None:
    """Tell what one seed gave, on standard error, for who waits."""
    figures = (f"{run.cpu:.2f} CPU s, {run.epochs:.3g} epochs, {run.accuracy:.2%}" for run in reached if run)
    print(f"    {name}: {'; '.join(figures)}", file=sys.stderr, flush=True)


def tell(name: str, goal: float, runs: list[Run | None]) -> float:
    """Print the median over seeds and return its CPU seconds; one that never got there counts as endless."""
    seconds = [run.cpu if run else float("inf") for run in runs]
    there = [run for run in runs if run]
    median = float(np.median(seconds))
    if there:
        walls, epochs = ([getattr(run, what) for run in there] for what in ("wall", "epochs"))
        print(
            f"  {name:22} to {goal:.1%}: {median:6.2f} CPU s ({min(seconds):.2f} to {max(seconds):.2f}), "
            f"{np.median(walls):6.2f} s, {np.median(epochs):.3g} epochs"
        )
    else:
        print(f"  {name:22} to {goal:.1%}: not within {MOST_EPOCHS} epochs")
    return median


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many runs of each (default: 5)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="default: 1 2")
    parser.add_argument("--goals", type=float, nargs="+", default=[0.975, 0.98], help="default: 0.975 0.98")
    options = parser.parse_args()
    missing = [name for name in ("sklearn", "torch") if find_spec(name) is None]
    if missing:
        parser.exit(1, f"no {' and no '.join(missing)} to compare with: pip install '.[benchmark]'\n")
    directory = find_data_directory()
    training, tests = load_mnist(directory, test=False), load_mnist(directory, test=True)
    talk: list[Run | None] = []
    for threads in options.threads:
        runs: dict[str, list[list[Run | None]]] = {name: [] for name in METHODS}
        for seed in range(options.seeds):
            names = list(METHODS)
            for name in names[seed % len(names) :] + names[: seed % len(names)]:
                runs[name].append(reach(METHODS[name](training, tests, seed, threads), options.goals))
                note(f"seed {seed}, {name}", runs[name][-1])
            if len(talk) < options.seeds:
                with threadpool_limits(1):
                    talk += reach(run_talk(training, tests, seed), [TALK_GOAL])
                note(f"seed {seed}, the talk's loop", talk[-1:])
        print(f"{threads} thread{'s' * (threads > 1)}, medians of {options.seeds} seeds", flush=True)
        loop = tell("the talk's loop", TALK_GOAL, talk)
        for index, goal in enumerate(options.goals):
            medians = {name: tell(name, goal, [run[index] for run in runs[name]]) for name in METHODS}
            ours = medians.pop("inkling")
            ratios = [f"{name} {median / ours:.2f}" for name, median in medians.items()]
            print(f"  times as long to {goal:.1%}: {', '.join(ratios)}; the talk's to 97 % {loop / ours:.1f}")


if __name__ == "__main__":
    main()
