import json
import os
import pty
import re
import signal
import subprocess
import sys
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest

from edge.aim import Screen, describe, judge_framing
from shared.digit_finder import NoDigit
from shared.strokes import draw_digit
from shared.weights import load_weights
from tests.conftest import wait_until

PAPER, INK = 200, 40


@pytest.fixture(scope="module")
def network():
    return load_weights(None).network


def hold_up(digit, scale, left, top, *, shape=(240, 320)):
    """Paper with a drawn digit on it, enlarged so many times, the corner of its box at a place."""
    picture = draw_digit(digit, np.random.default_rng(3))
    rows, columns = (np.flatnonzero(picture.max(axis=axis) > 0.5) for axis in (1, 0))
    ink = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    ink = np.kron(ink, np.ones((scale, scale), np.float32))[: shape[0] - top, : shape[1] - left]
    frame = np.full(shape, PAPER, np.float32)
    frame[top : top + ink.shape[0], left : left + ink.shape[1]] += (INK - PAPER) * ink
    return frame.round().astype(np.uint8)


def test_a_digit_well_framed_is_told_with_its_size_and_place(network):
    framing = judge_framing(hold_up(3, 6, 120, 60), network, 0.9)
    assert framing.digit == 3
    assert framing.advice == "good"
    x, y, width, height = framing.box
    assert abs(x - 120) <= 6
    assert abs(y - 60) <= 6
    assert framing.size == pytest.approx(max(width, height) / 240, abs=0.001)
    assert framing.right == pytest.approx((x + width / 2) / 320 - 0.5, abs=0.001)
    assert framing.down == pytest.approx((y + height / 2) / 240 - 0.5, abs=0.001)
    assert 0 < framing.blur < 0.1


@pytest.mark.parametrize(
    ("frame", "advice"),
    [
        (hold_up(3, 2, 140, 100), "hold it nearer"),
        (hold_up(3, 12, 80, 4), "hold it further"),
        (hold_up(3, 6, 120, 180), "move it to the middle"),
        (np.full((240, 320), 128, np.uint8), "no digit"),
        (np.zeros((240, 320), np.uint8), "too dark"),
        (np.full((240, 320), 255, np.uint8), "blown out"),
    ],
)
def test_what_keeps_a_digit_from_being_read_is_told_with_what_to_do(frame, advice, network):
    framing = judge_framing(frame, network, 0.9)
    assert framing.advice.startswith(advice)
    assert framing.brightness == pytest.approx(frame.mean(), abs=0.1)


def test_every_reason_has_its_advice(network):
    from edge.aim import ADVICE

    assert set(ADVICE) == set(NoDigit)


def test_a_reading_that_would_not_be_said_is_not_good(network):
    framing = judge_framing(hold_up(3, 6, 120, 60), network, 1.0)
    assert framing.advice.startswith("hold still")


def test_a_reading_that_is_hardly_not_said_is_not_shown_as_sure_as_is_needed(network):
    framing = judge_framing(hold_up(3, 6, 120, 60), network, 0.9)
    assert "3 (0.89)" in describe(replace(framing, confidence=0.8996))


def test_a_line_keeps_its_figures_in_their_places(network):
    lines = [
        describe(judge_framing(frame, network, 0.9))
        for frame in (hold_up(3, 6, 120, 60), hold_up(3, 6, 30, 90), np.full((240, 320), 128, np.uint8))
    ]
    assert len({line.index("grey") for line in lines}) == 1
    assert {len(line) for line in lines} == {79}  # of the 80 that a terminal has at least
    assert re.fullmatch(r"good +3 \(.*\) size .* grey 19\d", lines[0])
    assert "right -" in lines[1]
    assert lines[2].startswith("no digit")


def test_elsewhere_than_on_a_terminal_there_is_a_line_each(network):
    stream = StringIO()
    screen = Screen(stream, as_json=True)
    screen.show(judge_framing(hold_up(3, 6, 120, 60), network, 0.9))
    screen.report("no picture in time")
    screen.report(None)
    screen.close()
    framing, problem = map(json.loads, stream.getvalue().splitlines())
    assert framing["digit"] == 3
    assert framing["advice"] == "good"
    assert len(framing["box"]) == 4
    assert problem == {"problem": "no picture in time"}


def test_on_a_terminal_one_line_is_printed_over_and_ctrl_c_ends_cleanly(tmp_path, no_mnist):
    configuration = tmp_path / "edge.toml"
    configuration.write_text("[camera]\nkind = 'simulated'\n[camera.simulated]\ngap_s = 0.3\n")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "edge", "aim", "--config", str(configuration)], stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    heard = b""

    def hear():
        nonlocal heard
        heard += os.read(ours, 4096)
        return heard.count(b"\r") >= 4 and b"size" in heard

    wait_until(hear)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    while True:
        try:
            heard += os.read(ours, 4096)
        except OSError:  # the terminal is closed on their side
            break
    os.close(ours)
    text = heard.decode()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert "Traceback" not in text
