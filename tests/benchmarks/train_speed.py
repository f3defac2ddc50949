"""How much CPU time the trainer saves against the talk's own loop, side by side in one run.

    python -m tests.benchmarks.train_speed [--seeds N]

The talk's loop is written here from its equations: one picture at a time, float64, no biases, no batches.
Both run alternately on one BLAS thread, so that a noisy machine slows both alike.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from threadpoolctl import threadpool_limits

from shared.digit_image import to_inputs
from trainer.datasets import Dataset, load_mnist
from trainer.evaluation import measure_accuracy
from trainer.mnist import find_data_directory
from trainer.training import Settings, train

TALK_GOAL, OUR_GOAL = 0.97, 0.975
MOST_EPOCHS = 12

Array = npt.NDArray[np.float64]


def prepare(dataset: Dataset) -> Array:
    return to_inputs(dataset.images * np.float32(1 / 255)).astype(np.float64)


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


def time_talk(training: Dataset, tests: Dataset, seed: int) -> tuple[float, int, float]:
    """CPU seconds, epochs and accuracy of the talk's loop when it first reaches its goal after an epoch."""
    network = TalkNetwork(784, 200, 10, 0.1, seed)
    pictures, test_pictures = prepare(training), prepare(tests).T
    seconds = 0.0
    accuracy = 0.0
    for epoch in range(1, MOST_EPOCHS + 1):
        begin = time.process_time()
        for inputs, label in zip(pictures, training.labels, strict=True):
            targets = np.zeros(10) + 0.01
            targets[label] = 0.99
            network.train(inputs, targets)
        seconds += time.process_time() - begin
        accuracy = float((network.query(test_pictures).argmax(axis=0) == tests.labels).mean())
        if accuracy >= TALK_GOAL:
            return seconds, epoch, accuracy
    raise SystemExit(f"the talk's loop reached only {accuracy:.2%} in {MOST_EPOCHS} epochs")


def time_command(folder: str) -> float:
    """CPU seconds of the whole command: start, reading MNIST, training, testing, exporting."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "trainer", "train", "-o", f"{folder}/weights.npz"]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def time_ours(training: Dataset, tests: Dataset, seed: int) -> tuple[float, float]:
    """CPU seconds and accuracy of the default `inkling-trainer train`, its held-out pictures included."""
    begin = time.process_time()
    learnt, held_out = training.split(len(training) // 12, seed)
    network = train(learnt, Settings(seed=seed), held_out=held_out).network
    seconds = time.process_time() - begin
    return seconds, measure_accuracy(network, tests)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3, help="how many runs of each (default: 3)")
    options = parser.parse_args()
    directory = find_data_directory()
    training, tests = load_mnist(directory, test=False), load_mnist(directory, test=True)
    ratios = []
    with threadpool_limits(1, "blas"):
        for seed in range(options.seeds):
            our_seconds, our_accuracy = time_ours(training, tests, seed)
            talk_seconds, epochs, talk_accuracy = time_talk(training, tests, seed)
            ratios.append(talk_seconds / our_seconds)
            print(
                f"seed {seed}: the talk's loop {talk_seconds:.1f} CPU s to {talk_accuracy:.2%} "
                f"({epochs} epochs); inkling-trainer train {our_seconds:.2f} CPU s to {our_accuracy:.2%}; "
                f"ratio {ratios[-1]:.1f}",
                flush=True,
            )
    with tempfile.TemporaryDirectory() as folder:
        print(f"the whole command, start and tests included: {time_command(folder):.2f} CPU s")
    print(f"median ratio {np.median(ratios):.1f} (talk to {TALK_GOAL:.1%}, ours to {OUR_GOAL:.1%} or more)")


if __name__ == "__main__":
    main()
