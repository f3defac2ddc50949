"""Draw the README's pictures anew:  python deploy/pictures/draw.py  (wants MNIST)."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from edge.camera import Frame, open_camera
from edge.config import CameraSettings, SimulatedSettings
from shared.reading import Reading, read_digit
from shared.weights import load_weights
from trainer.cli import main as run_trainer
from trainer.mnist import find_data_directory

FOLDER = Path(__file__).parent
DIGITS = (3, 5, 8)


def take_frames() -> list[Frame]:
    """One frame of each digit, from the middle of the time that it is held up."""
    simulated = SimulatedSettings(
        digits=DIGITS, hold_s=1.0, gap_s=0.1, seed=7, mnist=str(find_data_directory())
    )
    shown: dict[str, list[Frame]] = {}
    for frame in open_camera(CameraSettings("simulated", simulated=simulated)).frames(Event(), print):
        if frame.shows is not None:
            shown.setdefault(frame.shows, []).append(frame)
    return [frames[len(frames) // 2] for frames in shown.values()]


def draw_reading(figure: Figure, row: int, frame: Frame, reading: Reading) -> None:
    """Draw what the camera sees, what the network sees, and what the output nodes say."""
    seen, image, outputs = (figure.add_subplot(len(DIGITS), 3, 3 * row + column) for column in (1, 2, 3))
    seen.imshow(frame.pixels, cmap="gray", vmin=0, vmax=255)
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
    outputs.set_xlabel(f"reads {reading.digit}, confidence {reading.confidence:.2f}")
    for picture in (seen, image):
        picture.set(xticks=(), yticks=())
    if row == 0:
        seen.set_title("what the camera sees")
        image.set_title("what the network sees")
        outputs.set_title("what its output nodes say")


def main() -> None:
    """Draw all of them."""
    network = load_weights().network
    figure = Figure(figsize=(8.4, 6.4), layout="constrained")
    for row, frame in enumerate(take_frames()):
        reading = read_digit(frame.pixels, network)
        assert isinstance(reading, Reading)
        draw_reading(figure, row, frame, reading)
    figure.savefig(FOLDER / "reading.png", dpi=100)
    run_trainer(["evaluate", "--picture", str(FOLDER / "confusion.png")])


if __name__ == "__main__":
    main()
