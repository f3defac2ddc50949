"""Draw the README's pictures anew:  python deploy/pictures/draw.py  (wants MNIST)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from shared.conditions import Conditions
from shared.ink import Bytes
from shared.reading import Reading, read_digit, show_confidence
from shared.scenery import hold_up
from shared.weights import load_weights
from trainer.cli import main as run_trainer
from trainer.datasets import load_mnist
from trainer.explanation import explain
from trainer.mnist import find_data_directory

FOLDER = Path(__file__).parent

# The README's, of all there are.
EXPERIMENTS = ("training-size", "damage", "noise")

# What is held up in the first picture: a digit, and how.
HELD_UP = (
    (3, Conditions(pen="ballpoint", ruling="squared", light="hard shadow", stroke=0.05, depth=0.6, tilt=-8)),
    (5, Conditions(pen="marker", fills=False, hand=True, stroke=0.13, size=0.4, tilt=11, lean=20, blur=1.2)),
    (8, Conditions(pen="chalk", paper="blackboard", stroke=0.07, depth=0.6, tilt=5, noise=4)),
)


def take_frames() -> list[Bytes]:
    """One frame of each digit that is held up."""
    tests = load_mnist(find_data_directory(), test=True)
    random = np.random.default_rng(4)
    frames = []
    for digit, conditions in HELD_UP:
        image = tests.images[random.choice(np.flatnonzero(tests.labels == digit))]
        frames.append(hold_up(image.astype(np.float32) / 255, random, conditions).frame)
    return frames


def draw_reading(figure: Figure, row: int, frame: Bytes, reading: Reading) -> None:
    """Draw what the camera sees, what the network sees, and what the output nodes say."""
    seen, image, outputs = (figure.add_subplot(len(HELD_UP), 3, 3 * row + column) for column in (1, 2, 3))
    seen.imshow(frame, cmap="gray", vmin=0, vmax=255)
    seen.add_patch(
        Rectangle(
            (reading.box.x, reading.box.y),
            reading.box.width,
            reading.box.height,
            fill=False,
            edgecolor="tab:orange",
            linewidth=2,
        )
    )
    image.imshow(reading.image, cmap="gray")
    colours = ["tab:orange" if digit == reading.digit else "tab:blue" for digit in range(10)]
    outputs.bar(range(10), reading.outputs, color=colours)
    outputs.set(ylim=(0, 1.05), xticks=range(10), yticks=(0, 1))
    outputs.set_xlabel(f"reads {reading.digit}, confidence {show_confidence(reading.confidence)}")
    for picture in (seen, image):
        picture.set(xticks=(), yticks=())
    if row == 0:
        seen.set_title("what the camera sees")
        image.set_title("what the network sees")
        outputs.set_title("what its output nodes say")


def main() -> None:
    """Draw all of them."""
    network = load_weights().network
    frames = take_frames()
    figure = Figure(figsize=(8.4, 6.4), layout="constrained")
    for row, frame in enumerate(frames):
        reading = read_digit(frame, network)
        assert isinstance(reading, Reading)
        draw_reading(figure, row, frame, reading)
    figure.savefig(FOLDER / "reading.png", dpi=100)
    Image.fromarray(frames[1]).save(FOLDER / "photograph.jpg")
    explain(frames[1], network, "A five on a card, and how it is read", FOLDER / "explanation.png")
    run_trainer(["show-augmentation", "-o", str(FOLDER / "augmentation.png")])
    run_trainer(["evaluate", "--picture", str(FOLDER / "confusion.png")])
    with tempfile.TemporaryDirectory() as folder:
        for name in EXPERIMENTS:
            run_trainer(["experiment", name, "-o", folder])
            shutil.copy(Path(folder, f"{name}.png"), FOLDER)


if __name__ == "__main__":
    main()
