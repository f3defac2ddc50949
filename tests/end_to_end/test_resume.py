"""`inkling-trainer train`, killed and gone on with: real processes, real signals."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from shared.weights import load_weights
from tests.conftest import wait_until
from trainer.checkpoint import read_options
from trainer.errors import MissingCheckpointError

# All that has a memory; and epochs enough for a blow to come in their midst.
TRAIN = (
    "train", "--data", "digits.csv", "--hidden", "40", "--epochs", "60", "--hold-out", "100", "--deform",
    "--averaging", "3", "--dropout", "0.1", "--optimiser", "adam", "--learning-rate", "0.003", "--biases",
    "--checkpoint-every", "0", "--threads", "1",
)  # fmt: skip


def run(*arguments, cwd):
    command = [sys.executable, "-m", "trainer", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.fixture
def folder(tmp_path, drawn_digits):
    rows = np.column_stack([drawn_digits.labels, drawn_digits.images.reshape(len(drawn_digits), -1)])
    np.savetxt(tmp_path / "digits.csv", rows, fmt="%d", delimiter=",")
    return tmp_path


def kill_in_the_midst(folder, name):
    """Start a training, and kill it once some epochs were logged."""
    log = folder / f"{name}.csv"
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer", *TRAIN, "-o", f"{name}.npz", "--log", log.name],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: log.exists() and log.read_text().count("\n") > 8)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (folder / f"{name}.npz").exists()


def test_killed_and_gone_on_with_it_gives_the_same_weights_bit_for_bit(folder):
    whole = run(*TRAIN, "-o", "whole.npz", cwd=folder)
    assert whole.returncode == 0, whole.stderr
    kill_in_the_midst(folder, "cut")
    resumed = run("train", "--resume", "-o", "cut.npz", "--log", "cut.csv", "--json", cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    first, second = (load_weights(folder / name) for name in ("whole.npz", "cut.npz"))
    for one, other in zip(first.network.parameters, second.network.parameters, strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.card.metrics == second.card.metrics
    assert "replaced" not in resumed.stderr
    assert json.loads(resumed.stdout)["training"]["epochs_done"] == 60
    assert len((folder / "cut.csv").read_text().splitlines()) == 61
    # Done: nothing is left to go on with.
    assert not list(folder.glob("*.checkpoint"))
    again = run("train", "--resume", "-o", "cut.npz", cwd=folder)
    assert again.returncode == 1
    assert "no checkpoint at cut.npz.checkpoint" in again.stderr


TAUGHT = (
    "train", "--data", "digits.csv", "--hidden", "30", "--epochs", "40", "--field-teacher", "5", "--deform",
    "--biases", "--activation", "relu", "--checkpoint-every", "0", "--threads", "1",
)  # fmt: skip


def tell_taught(folder):
    """Whether the checkpoint in a folder is of a training whose teacher has learnt."""
    try:
        return read_options(folder / "cut.npz.checkpoint")["taught_s"] is not None
    except MissingCheckpointError:
        return None


@pytest.mark.parametrize("taught", [False, True], ids=["its teacher learns", "it is taught"])
def test_a_training_by_a_teacher_with_fields_goes_on_whenever_it_was_killed(folder, taught):
    whole = run(*TAUGHT, "-o", "whole.npz", cwd=folder)
    assert whole.returncode == 0, whole.stderr
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer", *TAUGHT, "-o", "cut.npz"], cwd=folder, stderr=subprocess.DEVNULL
    )
    wait_until(lambda: tell_taught(folder) is taught)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    resumed = run("train", "--resume", "-o", "cut.npz", cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    assert ("teacher's epoch" in resumed.stderr) is not taught
    first, second = (load_weights(folder / name).network.parameters for name in ("whole.npz", "cut.npz"))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert sorted(path.name for path in folder.iterdir()) == ["cut.npz", "digits.csv", "whole.npz"]


@pytest.mark.parametrize("taught", [False, True], ids=["its teacher learns", "it is taught"])
def test_ctrl_c_tells_how_to_go_on_also_while_the_teacher_learns(folder, taught):
    more = ("--epochs", "50000") if taught else ("--field-teacher", "500")
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer", *TAUGHT, *more, "-o", "cut.npz"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: tell_taught(folder) is taught)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command with --resume goes on from cut.npz.checkpoint" in told
    assert (folder / "cut.npz").exists() is taught


def test_what_goes_on_is_not_told_something_else(folder):
    kill_in_the_midst(folder, "cut")
    for more, said in (
        (("--epochs", "200"), "with epochs 60, not 200: leave it out"),
        (("--data", "other.csv"), "leave it out"),
        (("--preset", "best"), "with preset None, not best"),
    ):
        refused = run("train", "--resume", "-o", "cut.npz", *more, cwd=folder)
        assert refused.returncode == 1
        assert said in refused.stderr
    (folder / "digits.csv").write_text((folder / "digits.csv").read_text() * 2)
    refused = run("train", "--resume", "-o", "cut.npz", cwd=folder)
    assert refused.returncode == 1
    assert "is of another training: pictures" in refused.stderr


def test_a_training_of_the_best_preset_stays_below_a_gigabyte(folder, mnist):
    script = (
        "import resource, sys; from trainer.cli import main; "
        "main(['train', '--preset', 'best', '--epochs', '1', '-o', 'w.npz']); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    result = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, check=True)
    assert int(result.stdout.split()[-1]) < 1_000_000  # KiB
