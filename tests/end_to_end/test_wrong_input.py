"""What commands do about wrong input: each says in one line what to do, and nothing is lost."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shared.weights import DEFAULT_WEIGHTS, load_weights
from tests.end_to_end.commands import EDGE, TRAINER, run
from trainer.checkpoint import Checkpoint, Standing
from trainer.cli import main as trainer_main
from trainer.errors import BadSettingError


def make_truncated(path):
    path.write_bytes(DEFAULT_WEIGHTS.read_bytes()[:5000])


def make_hostile(path):
    np.savez(path, weights_0=np.array([print], dtype=object))


def make_wrong_csv(path):
    path.write_text("3" + ",0" * 784 + "\n4" + ",0" * 783 + "\n")


def make_configuration(text):
    return lambda path: path.write_text(text)


def save_old_checkpoint(path):
    told = {"recipe": {"epochs": 3, "hidden": [20], "momentum": 0.9}, "preset": None, "data": None}
    Checkpoint(path, told).save(Standing(), [np.ones(3)], {})


@pytest.mark.parametrize(
    ("make", "command", "said"),
    [
        (None, (TRAINER, "evaluate", "file"), "no weights file at file: train one with"),
        (None, (TRAINER, "show", "file"), "no weights file at file"),
        (None, (TRAINER, "train", "--data", "file"), "no data set at file: give a CSV file or a folder"),
        (
            None,
            (TRAINER, "train", "--data-dir", "file"),
            "fetch MNIST with 'inkling-trainer fetch --data-dir file'",
        ),
        (None, (TRAINER, "train", "-o", "file/weights.npz"), "to write weights.npz to: make it first"),
        (None, (TRAINER, "train", "-o", "."), ". is a folder: name a file to write to"),
        (None, (TRAINER, "train", "-o", "/dev/null"), "/dev/null cannot be written (not a plain file"),
        (None, (TRAINER, "train", "-o", "/dev/null/x"), "no folder /dev/null to write x to"),
        (None, (TRAINER, "train", "-o", "/proc/none"), "/proc/none cannot be written (No such file"),
        (None, (TRAINER, "train", "-o", "x" * 250), "x.checkpoint cannot be written (File name too long)"),
        (None, (TRAINER, "train", "--log", "x" * 256), "x cannot be written (File name too long)"),
        (
            lambda path: path.symlink_to(path),
            (TRAINER, "train", "-o", "file"),
            "file cannot be written (",
        ),
        (
            None,
            (TRAINER, "train", "--checkpoint-every", "nan"),
            "--checkpoint-every must be 0 or more, not nan",
        ),
        (None, (TRAINER, "train", "--batch-normalisation"), "give --biases, too"),
        (
            lambda path: save_old_checkpoint(path.with_name("old.npz.checkpoint")),
            (TRAINER, "train", "--resume", "-o", "old.npz"),
            "old.npz.checkpoint is of another version (recipe.momentum is not a known key",
        ),
        (None, (TRAINER, "train", "--seed", "-1"), "the seed must not be below 0, not -1"),
        (None, (TRAINER, "train", "--epochs", "0"), "the number of epochs must be more than 0, not 0"),
        (None, (TRAINER, "evaluate", "--calibration", "c.txt"), "--calibration c.txt must end in .png"),
        (None, (TRAINER, "simulate", "c.txt"), "c.txt must end in .npz"),
        (None, (TRAINER, "simulate", "c.npz", "--negatives", "2"), "--negatives must be 0 to 1, not 2"),
        (None, (TRAINER, "train", "--deform", "--rotate"), "leave out --rotate"),
        (None, (TRAINER, "train", "--calibrate", "--hold-out", "0"), "give --hold-out more than 0"),
        (None, (TRAINER, "evaluate", "--picture", "c.txt"), "--picture c.txt must end in .png, .svg, .pdf"),
        (None, (TRAINER, "explain", "file"), "no file file"),
        (None, (TRAINER, "explain", "file", "-o", "c.txt"), "--output c.txt must end in .png, .svg, .pdf"),
        (make_hostile, (TRAINER, "explain", "file"), "file: not an image that can be read"),
        (None, (EDGE, "classify", "--confidence", "5", "file"), "--confidence must be 0 to 1, not 5"),
        (None, (TRAINER, "train", "--rotate", "90"), "--rotate must be 0 to 45 degrees, not 90"),
        (make_truncated, (TRAINER, "evaluate", "file"), "ends too early or is damaged: copy it again"),
        (make_hostile, (TRAINER, "show", "file"), "file: an archive"),
        (make_wrong_csv, (TRAINER, "train", "--data", "file"), "file, line 2: 784 values where 785 belong"),
        (
            make_wrong_csv,
            (TRAINER, "evaluate", "--data", "file"),
            "file, line 2: 784 values where 785 belong",
        ),
        (None, (EDGE, "classify", "file"), "no file file"),
        (None, (EDGE, "classify", "."), ". is a folder: name files in it"),
        (make_hostile, (EDGE, "classify", "file"), "file: not an image that can be read"),
        (make_truncated, (EDGE, "classify", "--weights", "file", "file"), "ends too early or is damaged"),
        (make_hostile, (EDGE, "classify", "--weights", "file", "file"), "file: an archive"),
        (None, (EDGE, "run", "--config", "file"), "no configuration at file: name yours with --config"),
        (None, (EDGE, "check", "--config", "file"), "no configuration at file"),
        (
            make_configuration("[camera]\nkimd = 'folder'"),
            (EDGE, "run", "--config", "file"),
            "file: camera.kimd is not a known key: did you mean kind?",
        ),
        (
            make_configuration("[network]\nweights = 'none.npz'"),
            (EDGE, "run", "--config", "file"),
            "no weights file at",
        ),
        (
            make_configuration("[mqtt]\nenabled = false"),
            (EDGE, "run", "--config", "file"),
            "picamera2 is not installed: 'sudo apt",
        ),
        (
            make_configuration("[camera]\nkind = 'folder'\nfolder.path = 'none'\n[mqtt]\nenabled = false"),
            (EDGE, "run", "--config", "file"),
            "set camera.folder.path to a folder of images",
        ),
        (
            make_configuration(
                "[camera]\nkind = 'simulated'\n[mqtt]\nusername = 'a'\npassword_file = 'none'"
            ),
            (EDGE, "run", "--config", "file"),
            "mqtt.password_file",
        ),
    ],
)
def test_wrong_input_gives_one_line_that_says_what_to_do(tmp_path, make, command, said):
    if make is not None:
        make(tmp_path / "file")
        if (tmp_path / "file.npz").exists():
            (tmp_path / "file.npz").rename(tmp_path / "file")
    result = run(*command, cwd=tmp_path)
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if not line.startswith(("INFO", "WARNING"))]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith(("inkling-trainer: ", "inkling-edge: "))
    assert said in lines[0]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("train --data digits.csv -o digits.csv", "--output digits.csv is --data, too"),
        ("train --data digits.csv -o link.csv", "--output link.csv is --data, too"),
        ("train --data x --also digits.csv --log digits.csv", "--log digits.csv is --also, too"),
        ("train --data x --test-data digits.csv --log hard.csv", "--log hard.csv is --test-data, too"),
        ("train --teachers x w.npz -o w.npz", "--output w.npz is one of --teachers, too"),
        ("train --log ../folder/w.npz -o w.npz", "--log ../folder/w.npz is --output, too"),
        ("train --log w.npz.checkpoint -o w.npz", "--log w.npz.checkpoint is the checkpoint, too"),
        ("explain three.png -o three.png", "--output three.png is the photograph, too"),
        ("evaluate --picture c.png --mistakes ./c.png", "--mistakes c.png is --picture, too"),
        ("report --data digits.csv -o digits.csv", "--output digits.csv is --data, too"),
        ("backquery --data three.png -o three.png", "--output three.png is --data, too"),
        ("show-augmentation --data three.png -o three.png", "--output three.png is --data, too"),
        ("convert w.npz --data digits.csv -o digits.csv", "--output digits.csv is --data, too"),
        ("experiment damage --data damage.csv", "the file damage.csv is --data, too"),
        ("retrain --from w.npz -o w.npz", "--output w.npz is what it begins with, too"),
        ("retrain --library digits.csv -o digits.csv", "--output digits.csv is the library, too"),
    ],
)
def test_what_is_read_is_not_written_over(tmp_path, csv, photograph, monkeypatch, command, said):
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for path in (csv, photograph):
        path.rename(path.name)
    Path("link.csv").symlink_to("digits.csv")
    for name in ("hard.csv", "damage.csv"):
        Path(name).hardlink_to("digits.csv")
    Path("w.npz").write_bytes(DEFAULT_WEIGHTS.read_bytes())
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(BadSettingError, match=re.escape(f"{said}: name another file")):
        trainer_main(command.split())
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_broker_that_refuses_is_said_while_the_daemon_goes_on(tmp_path):
    (tmp_path / "edge.toml").write_text(
        "[camera]\nkind = 'simulated'\n[camera.simulated]\ndigits = [3]\nhold_s = 4.0\ngap_s = 0.3\n"
        "[mqtt]\nhost = '127.0.0.1'\nport = 9\n"
    )
    result = run(EDGE, "run", "--show", "--config", "edge.toml", cwd=tmp_path)
    assert "WARNING broker: no broker at 127.0.0.1:9 (Connection refused): start one" in result.stderr
    assert "reads 3" in result.stdout
    assert "Traceback" not in result.stderr
    assert result.returncode == 0


def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path, csv):
    # A limit on the size of files fails a write as a full disk does.
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)); from trainer.__main__ import main; "
        "sys.argv[1:] = ['train', '--data', 'digits.csv', '-o', 'w.npz']; sys.exit(main())"
    )
    result = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 1
    assert "inkling-trainer: w.npz: File too large" in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["digits.csv"]


@pytest.mark.parametrize("colour", [{}, {"FORCE_COLOR": "1"}], ids=["to a file", "as to a terminal"])
def test_messages_that_cannot_be_written_end_no_training(tmp_path, csv, colour):
    (tmp_path / "w.npz").touch()  # which is told to be replaced
    with Path("/dev/full").open("w") as full:
        status = subprocess.call(
            [sys.executable, "-m", TRAINER, "train", "--data", csv, "--epochs", "2", "-o", "w.npz"],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=full,
            env={**os.environ, **colour},
        )
    assert status == 0
    assert load_weights(tmp_path / "w.npz").network.layers == (784, 200, 10)
