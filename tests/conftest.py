"""What many tests need: MNIST, a real broker, real weights, and a way to wait."""

import getpass
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from deploy.broker import ANYBODY, find_free_port, find_mosquitto, start_broker
from shared.idx import TEST_IMAGES, TRAINING_IMAGES
from shared.strokes import draw_digit
from trainer.backpropagation import initialise
from trainer.datasets import Dataset
from trainer.mnist import find_data_directory

ROOT = Path(__file__).parents[1]

# A slow machine is no fault. What is tried is the same each time, or new with `--hypothesis-profile=explore`.
settings.register_profile("explore", deadline=None, derandomize=False)
settings.register_profile("inkling", deadline=None, derandomize=True)
settings.load_profile("inkling")

# A shell has what it starts in the background ignore Ctrl-C, and with it all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Told before any test changes the environment.
MNIST = find_data_directory()


def wait_until(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Wait for a condition; the time-out is for a test that has failed, however slow the machine."""
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, f"not within {timeout_s} s"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def mnist() -> Path:
    if not (MNIST / TEST_IMAGES).exists() or not (MNIST / TRAINING_IMAGES).exists():
        pytest.skip("MNIST is not there: 'inkling-trainer fetch' could not fetch it")
    return MNIST


@pytest.fixture
def no_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Make it so that no MNIST is found where it usually is: simulated digits are drawn then."""
    monkeypatch.setenv("INKLING_DATA", str(tmp_path / "no-mnist"))


@pytest.fixture(scope="session")
def drawn_digits() -> Dataset:
    """Six hundred drawn digits, for training without MNIST."""
    random = np.random.default_rng(0)
    labels = np.tile(np.arange(10, dtype=np.uint8), 60)
    images = np.stack([draw_digit(int(label), random) for label in labels])
    return Dataset("drawn digits", np.rint(images * 255).astype(np.uint8), labels)


@pytest.fixture
def network():
    """A small network, untrained."""
    return initialise((784, 12, 10), np.random.default_rng(1), biases=True)


class Broker:
    """A real Mosquitto that can be ended and started again on the same port."""

    def __init__(self, folder: Path, extra: str = ANYBODY) -> None:
        self.folder = folder
        self.port = find_free_port()
        self._extra = extra
        self.start()

    def start(self) -> None:
        self._process = start_broker(self.folder, self.port, self._extra)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        self._process.send_signal(number)
        self._process.wait()


def run_broker(folder: Path, extra: str = ANYBODY) -> Iterator[Broker]:
    if find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
    folder.mkdir()
    broker = Broker(folder, extra)
    yield broker
    broker.stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that forgets everything when it ends."""
    yield from run_broker(tmp_path / "broker")


@pytest.fixture
def password_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that knows the user bench with the password secret, and nobody else."""
    passwords = tmp_path / "passwords"
    passwords.write_text("")
    program = shutil.which("mosquitto_passwd") or pytest.skip("mosquitto_passwd is not installed")
    subprocess.run([program, "-b", str(passwords), "bench", "secret"], check=True)
    # Mosquitto gives up being root before it reads the file.
    passwords.chmod(0o644)
    yield from run_broker(
        tmp_path / "strict",
        f"user {getpass.getuser()}\nallow_anonymous false\npassword_file {passwords}\n",
    )


@pytest.fixture
def remembering_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that writes sessions and messages to the disk at every change."""
    folder = tmp_path / "remembering"
    yield from run_broker(
        folder,
        f"{ANYBODY}user {getpass.getuser()}\npersistence true\npersistence_location {folder}/\n"
        "autosave_on_changes true\nautosave_interval 1\n",
    )
