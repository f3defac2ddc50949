"""The commands as a user types them, with right input and with wrong."""

import json
import math
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edge.cli import main as edge_main
from shared.digit_image import to_inputs
from shared.feedforward import FeedForward
from shared.weights import ModelCard, export_weights, load_weights
from tests.end_to_end.commands import EDGE, TRAINER, run
from trainer.cli import main as trainer_main
from trainer.datasets import NO_DIGIT, Dataset, save_dataset


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
