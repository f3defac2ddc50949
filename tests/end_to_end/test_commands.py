"""The commands as a user types them, with right input and with wrong."""

import json
import math
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edge.cli import main as edge_main
from shared.digit_image import to_inputs
from shared.feedforward import FeedForward
from shared.strokes import draw_digit
from shared.weights import DEFAULT_WEIGHTS, ModelCard, export_weights, load_weights
from tests.end_to_end.commands import EDGE, TRAINER, run
from trainer.checkpoint import Checkpoint, Standing
from trainer.cli import main as trainer_main
from trainer.datasets import NO_DIGIT, Dataset, save_dataset
from trainer.errors import BadSettingError


@pytest.fixture
def csv(tmp_path, drawn_digits):
    rows = np.column_stack([drawn_digits.labels, drawn_digits.images.reshape(len(drawn_digits), -1)])
    np.savetxt(tmp_path / "digits.csv", rows, fmt="%d", delimiter=",")
    return tmp_path / "digits.csv"


@pytest.fixture
def photograph(tmp_path):
    ink = Image.fromarray(np.uint8(255 * draw_digit(3, np.random.default_rng(0)))).resize((160, 160))
    frame = Image.new("L", (320, 240), 200)
    frame.paste(30, (80, 40), ink)
    frame.save(tmp_path / "three.png")
    return tmp_path / "three.png"


def test_what_was_trained_is_evaluated_shown_and_read_with(tmp_path, csv, photograph):
    trained = run(
        TRAINER, "train", "--data", csv, "--epochs", "6", "--hidden", "30", "-o", "w.npz", cwd=tmp_path
    )
    assert trained.returncode == 0, trained.stderr
    assert "weights exported to w.npz" in trained.stdout

    evaluated = run(TRAINER, "evaluate", "w.npz", "--data", csv, "--picture", "c.png", "--json", cwd=tmp_path)
    figures = json.loads(evaluated.stdout)
    assert figures["accuracy"] > 0.95
    assert sum(map(sum, figures["confusion"])) == figures["images"] == 600
    with Image.open(tmp_path / "c.png") as picture:
        assert picture.size[0] > 600
    table = run(TRAINER, "evaluate", "w.npz", "--data", csv, cwd=tmp_path).stdout
    assert "most often misread as" in table

    card = json.loads(run(TRAINER, "show", "w.npz", "--json", cwd=tmp_path).stdout)
    assert card["layers"] == [784, 30, 10]
    assert card["sha256"] == figures["weights"]
    assert card["training"]["epochs"] == 6
    assert card["data"][0]["name"] == "digits.csv"
    assert "784 - 30 - 10" in run(TRAINER, "show", "w.npz", cwd=tmp_path).stdout

    read = run(EDGE, "classify", "--weights", "w.npz", "--json", photograph, cwd=tmp_path)
    assert json.loads(read.stdout)["outputs"].index(max(json.loads(read.stdout)["outputs"])) == 3


def test_what_is_no_digit_can_be_learnt_and_calibration_told(tmp_path, csv, drawn_digits):
    scribbles = np.random.default_rng(0).integers(0, 256, (300, 28, 28), np.uint8)
    save_dataset(Dataset("", scribbles, np.full(300, NO_DIGIT, np.uint8)), tmp_path / "none.npz")
    save_dataset(
        drawn_digits.join(Dataset("", scribbles[:100], np.full(100, NO_DIGIT, np.uint8))),
        tmp_path / "both.npz",
    )
    more = ("--deform", "0.5", "--calibrate", "--epochs", "6", "--hidden", "30", "-o", "w.npz")
    trained = run(TRAINER, "train", "--data", csv, "--also", "none.npz", *more, cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    card = json.loads(run(TRAINER, "show", "w.npz", "--json", cwd=tmp_path).stdout)
    assert card["training"]["deform_strength"] == 0.5
    assert 0.25 < card["training"]["temperature"] < 4
    assert card["data"][0]["name"] == "digits.csv, none.npz"

    evaluate = (TRAINER, "evaluate", "w.npz", "--data", "both.npz")
    figures = json.loads(run(*evaluate, "--calibration", "r.png", "--json", cwd=tmp_path).stdout)
    assert figures["images"] == 600
    assert figures["no_digits"] == 100
    assert figures["no_digits_said"] < 0.1
    assert figures["right_said"] > 0.8
    assert sum(figures["calibration"]["counts"]) == 700
    assert figures["calibration"]["expected_error"] < 0.2
    with Image.open(tmp_path / "r.png") as picture:
        assert picture.size[0] > 600
    assert "expected calibration error" in run(*evaluate, cwd=tmp_path).stdout


def test_the_exported_file_gives_the_trainers_outputs_on_the_edge(tmp_path, drawn_digits):
    from shared.weights import ModelCard, export_weights
    from trainer.settings import Settings
    from trainer.training import train

    trained = train(drawn_digits, Settings(hidden=(40,), epochs=2)).network
    export_weights(tmp_path / "w.npz", trained, ModelCard.describe(trained, {}, [], {}))
    # A process of its own, in which only the edge's half is imported.
    script = (
        "import sys, json, numpy as np; from pathlib import Path; from shared.weights import load_weights; "
        "import edge.daemon; assert not any(name.split('.')[0] == 'trainer' for name in sys.modules); "
        "network = load_weights(Path('w.npz')).network; inputs = np.load('inputs.npy'); "
        "print(json.dumps([network.query(one).astype(float).tolist() for one in inputs]))"
    )
    inputs = to_inputs(drawn_digits.images.astype(np.float32) / 255)
    np.save(tmp_path / "inputs.npy", inputs)
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, cwd=tmp_path
    ).stdout
    np.testing.assert_allclose(json.loads(output), trained.query(inputs), rtol=0, atol=1e-6)


def test_the_same_seed_exports_the_same_matrices(tmp_path, csv):
    for name in ("a.npz", "b.npz"):
        run(TRAINER, "train", "--data", csv, "--hidden", "20", "--seed", "5", "-o", name, cwd=tmp_path)
    first, second = (load_weights(tmp_path / name).network for name in ("a.npz", "b.npz"))
    for one, other in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_ctrl_c_keeps_the_best_weights_so_far(tmp_path, csv):
    process = subprocess.Popen(
        [sys.executable, "-m", TRAINER, "train", "--data", csv, "--epochs", "100000", "-o", "w.npz"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "FORCE_COLOR": "1"},
    )
    said = ""
    while "held out" not in said:  # the progress bar tells the accuracy once an epoch is over
        said += process.stderr.read(50)
    process.send_signal(signal.SIGINT)
    output, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the best network so far is kept" in output
    assert "Traceback" not in said + rest
    assert load_weights(tmp_path / "w.npz").card.metrics["held_out"]["accuracy"] > 0.5


def test_train_says_what_it_replaces_and_an_error_replaces_nothing(tmp_path, csv):
    def train(*more):
        return run(TRAINER, "train", "--data", csv, "--epochs", "1", "--hidden", "20", *more, cwd=tmp_path)

    assert "replaced" not in train().stderr
    before = (tmp_path / "weights.npz").read_bytes()
    failed = train("--learning-rate", "1e30", "--activation", "relu")
    assert failed.returncode == 1
    assert "weights.npz is there already: it is replaced when this training ends" in failed.stderr
    assert (tmp_path / "weights.npz").read_bytes() == before
    (tmp_path / "weights.npz.checkpoint").touch()
    again = train("--seed", "5", "--json")
    assert "weights.npz.checkpoint is of a training that did not end" in again.stderr
    (tmp_path / "notes.txt").write_text("notes")
    assert (
        "notes.txt is there already, and is no training log: it is repl" in train("--log", "notes.txt").stderr
    )
    assert "notes.txt" not in train("--log", "notes.txt").stderr
    assert json.loads(again.stdout)["training"]["seed"] == 5
    assert (tmp_path / "weights.npz").read_bytes() != before


def test_classify_prints_a_line_for_each_image(tmp_path, photograph):
    Image.new("L", (320, 240), 200).save(tmp_path / "blank.png")
    result = run(EDGE, "classify", "--json", photograph, tmp_path / "blank.png", cwd=tmp_path)
    three, blank = map(json.loads, result.stdout.splitlines())
    assert three["path"] == str(photograph)
    assert three["digit"] == 3
    assert 0.5 <= three["confidence"] <= 1
    assert len(three["outputs"]) == 10
    x, y, width, height = three["box"]
    assert 80 <= x < x + width <= 240
    assert 40 <= y < y + height <= 200
    assert blank == {"path": str(tmp_path / "blank.png"), "digit": None, "confidence": 0.0,
                     "outputs": None, "box": None, "reason": "no digit"}  # fmt: skip
    assert three["reason"] is None
    assert "three.png: 3 (confidence" in run(EDGE, "classify", photograph, cwd=tmp_path).stdout


def test_explain_draws_every_step(tmp_path, photograph):
    Image.new("L", (320, 240), 10).save(tmp_path / "dark.png")
    for image in (photograph, tmp_path / "dark.png"):
        result = run(TRAINER, "explain", image, "-o", "steps.png", cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert "explanation drawn to steps.png" in result.stdout
        with Image.open(tmp_path / "steps.png") as picture:
            assert picture.size == (1400, 780)
        (tmp_path / "steps.png").unlink()


def test_classify_gives_paths_back_as_they_were_typed(tmp_path, photograph):
    result = run(EDGE, "classify", "--json", f"./{photograph.name}", cwd=tmp_path)
    assert json.loads(result.stdout)["path"] == f"./{photograph.name}"


def test_below_the_needed_confidence_nothing_is_said(tmp_path, photograph):
    result = run(EDGE, "classify", "--json", "--confidence", "1", photograph, cwd=tmp_path)
    answer = json.loads(result.stdout)
    assert answer["digit"] is None
    assert answer["outputs"] is not None
    assert answer["reason"] == "not sure"


def test_a_shape_that_is_hardly_a_digit_is_said_to_be_likely_none(tmp_path):
    picture = Image.new("L", (320, 240), 200)
    ImageDraw.Draw(picture).polygon(((160, 60), (210, 180), (110, 180)), outline=20, width=9)
    picture.save(tmp_path / "triangle.png")
    said = run(EDGE, "classify", "triangle.png", cwd=tmp_path).stdout
    assert re.fullmatch(r"triangle\.png: likely no digit, perhaps \d \(confidence 0\.\d\d\)\n", said)
    answer = json.loads(run(EDGE, "classify", "--json", "triangle.png", cwd=tmp_path).stdout)
    assert (answer["digit"], answer["reason"]) == (None, "likely no digit")


def test_what_is_not_sure_is_not_told_as_sure_as_is_needed(tmp_path, photograph):
    told = json.loads(run(EDGE, "classify", "--json", photograph, cwd=tmp_path).stdout)
    # The next hundredth, of which it falls short by less than one.
    needed = math.ceil(100 * told["confidence"]) / 100
    said = run(EDGE, "classify", "--confidence", str(needed), photograph, cwd=tmp_path).stdout
    confidence = re.search(r"not sure, perhaps 3 \(confidence (\d\.\d\d)\)", said)
    assert confidence is not None, said
    assert float(confidence[1]) < needed


def test_check_finds_all_well_and_exits_with_0(tmp_path, broker):
    (tmp_path / "edge.toml").write_text(
        f"[camera]\nkind = 'simulated'\n[mqtt]\nport = {broker.port}\n"
        "[leds]\nkind = 'seven-segment'\npins = [5, 6, 13, 19, 26, 16, 20]\n"
    )
    result = run(EDGE, "check", "--config", "edge.toml", "--json", cwd=tmp_path)
    findings = [json.loads(line) for line in result.stdout.splitlines()]
    assert [finding["part"] for finding in findings] == ["weights", "camera", "leds", "broker"]
    assert all(finding["ok"] for finding in findings), findings
    assert result.returncode == 0


def test_check_finds_that_a_network_has_learnt_nothing(tmp_path):
    network = FeedForward([np.zeros((10, 784), np.float32)])
    export_weights(tmp_path / "none.npz", network, ModelCard.describe(network, {}, [], {}))
    (tmp_path / "edge.toml").write_text(
        "[camera]\nkind = 'simulated'\n[network]\nweights = 'none.npz'\n[mqtt]\nenabled = false\n"
    )
    result = run(EDGE, "check", "--config", "edge.toml", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stdout.startswith("FAIL weights: it reads only 2 of 20 drawn digits")


def test_check_says_what_is_wrong_with_each_part_and_exits_with_1(tmp_path):
    (tmp_path / "edge.toml").write_text(
        "[camera]\nkind = 'picamera2'\n[network]\nweights = 'none.npz'\n"
        "[mqtt]\nhost = '127.0.0.1'\nport = 9\n[leds]\nkind = 'binary'\npins = [4, 17, 27, 22]\n"
    )
    result = run(EDGE, "check", "--config", "edge.toml", cwd=tmp_path, GPIOZERO_PIN_FACTORY="pigpio")
    assert result.returncode == 1
    weights, camera, leds, broker = result.stdout.splitlines()
    assert weights.startswith("FAIL weights: no weights file at")
    assert camera.startswith("FAIL camera: picamera2 is not installed")
    assert leds.startswith("FAIL leds: no pins to drive LEDs with")
    assert broker.startswith("FAIL broker: no broker at 127.0.0.1:9 (Connection refused): start one")


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


@pytest.mark.parametrize("module", [TRAINER, EDGE])
def test_help_and_version_are_told(module, tmp_path):
    assert "usage: inkling-" in run(module, "--help", cwd=tmp_path).stdout
    assert run(module, "--version", cwd=tmp_path).stdout.split()[1].count(".") == 2
    assert run(module, cwd=tmp_path).returncode == 2


def test_help_tells_with_what_threads_change_more_than_last_bits(capsys):
    with pytest.raises(SystemExit):
        trainer_main(["train", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "more than these with --dropout, --batch-normalisation or --skipping" in told


@pytest.mark.parametrize("main", [trainer_main, edge_main])
def test_every_command_says_what_it_does_and_nothing_that_is_not_there(main, capsys):
    def read_help(*arguments):
        with pytest.raises(SystemExit):
            main([*arguments, "--help"])
        return capsys.readouterr().out

    names = re.findall(r"^    ([a-z][a-z-]+)", read_help(), re.MULTILINE)
    assert len(names) >= 3
    for name in names:
        _usage, description, *rest = read_help(name).split("\n\n")
        assert description.endswith((".", "?", ":")) or "    " in description, (name, description)
        assert not description.startswith(("positional arguments", "options")), name
        # What is pointed to below is below.
        assert "see below" not in "".join(rest) or "presets, with" in rest[-1], name
