"""How much darker than its paper each pixel is."""

import math

import numpy as np
import pytest

from shared.candidates import FAINT
from shared.ink import DARKEST_PAPER, _measure_paper, _mend_edges, measure_ink
from tests.shared.drawing import HEIGHT, TWO, WIDTH, draw, photograph
from tests.shared.test_digit_finder import assert_found

MARGIN = 24  # pixels of the map: in the frame's corners a shadow may be as narrow as a stroke


def shade(angle, off=0.0, light=0.3):
    """Light in a frame, less of it on one side of a line, `off` pixels from the frame's middle."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    across = (columns - WIDTH / 2) * math.cos(angle) + (rows - HEIGHT / 2) * math.sin(angle)
    return 1 - (1 - light) * np.clip(across - off + 0.5, 0, 1)


@pytest.mark.parametrize("angle", [0.3, 0.8, 2.4, 4.0, 5.5])
@pytest.mark.parametrize("light", [0.3, 0.4, 0.6])
def test_a_hard_shadows_edge_is_no_whole_line_of_ink(angle, light, monkeypatch):
    frame = (200 * shade(angle, light=light)).astype(np.uint8)
    mended = measure_ink(frame).ink
    monkeypatch.setattr("shared.ink._mend_edges", lambda *_: None)
    before, after = (
        np.count_nonzero(ink[MARGIN:-MARGIN, MARGIN:-MARGIN] > FAINT)
        for ink in (measure_ink(frame).ink, mended)
    )
    assert before > 60
    assert after < 0.6 * before


@pytest.mark.parametrize("angle", [0.3, 1.2, 2.0, 2.8, 3.5, 4.4, 5.1, 5.9])
def test_a_digit_that_a_hard_shadows_edge_goes_through_is_found_whole(angle):
    ink = draw(TWO, size=110, pen=9, at=(125, 65))
    assert_found(photograph(ink, 200 * shade(angle), depth=0.85), ink, slack=8)


@pytest.mark.parametrize("side", [0, 1, 2, 3])
@pytest.mark.parametrize("depth", [0.3, 0.5, 0.7])
def test_a_stroke_across_a_hard_shadows_edge_has_no_gap(side, depth):
    for off in range(8):  # where the edge is in its block
        stroke = draw([[(0, 0.5), (1, 0.5)]] if side % 2 else [[(0.5, 0), (0.5, 1)]], size=120, at=(100, 60))
        frame = photograph(stroke, 200 * shade(math.pi / 2 * (side + 1), off), depth, noise=0)
        along = measure_ink(frame).ink[60:61, 50:110] if side % 2 else measure_ink(frame).ink[30:90, 80:81].T
        assert np.count_nonzero(along <= FAINT) <= 3, (off, along)


@pytest.mark.parametrize("seed", range(6))
def test_blocks_with_an_edge_are_measured_line_by_line_from_the_darker_side(seed):
    random = np.random.default_rng(seed)
    tones = np.kron(random.integers(0, 200, (6, 7)), np.ones((8, 8))).astype(np.uint8)
    grey = np.minimum(tones, random.integers(0, 256, tones.shape)).astype(np.uint8)
    paper = random.choice([2.0, 30.0, 90.0, 220.0], (12, 14)).astype(np.float32)
    ink = random.integers(0, 256, grey.shape, dtype=np.uint8)
    wanted = ink.astype(int)
    for row, column in np.ndindex(12, 14):
        if row in (0, 11) or column in (0, 13):
            continue  # what is beside is not seen
        here = paper[row, column]
        beside = {(-1, 0): paper[row - 1, column], (1, 0): paper[row + 1, column]}
        beside |= {(0, -1): paper[row, column - 1], (0, 1): paper[row, column + 1]}
        darker, brighter = min(beside.values()), max(beside.values())
        if darker >= here * 7 / 8 or here >= brighter * 7 / 8:
            continue
        down, across = next(side for side, level in beside.items() if level == darker)
        for line in range(4):
            steps = range(4) if down + across < 0 else range(3, -1, -1)
            places = [(4 * row + step, 4 * column + line) for step in steps]
            if across:
                places = [(4 * row + line, 4 * column + step) for step in steps]
            greys = [int(grey[place]) for place in places]
            for length, place in enumerate(places, start=1):
                level = min(max(max(greys[:length]), darker), brighter)
                if max(greys) <= (darker + brighter) / 2:
                    level = here
                wanted[place] = 255 - min(
                    255, int(grey[place] * (np.float32(256) / max(level, DARKEST_PAPER)))
                )
    assert (wanted != ink).any()
    _mend_edges(ink, grey, (16 * paper).astype(np.int16))
    assert np.abs(ink.astype(int) - wanted).max() <= 1  # as floats are rounded


def test_paper_without_an_edge_is_left_as_it_is():
    grey = np.tile(np.linspace(120, 250, 160), (120, 1)).astype(np.uint8)
    ink = np.full(grey.shape, 7, np.uint8)
    _mend_edges(ink, grey, _measure_paper(grey))
    assert (ink == 7).all()


@pytest.mark.parametrize("darkest", [DARKEST_PAPER, 100])
def test_there_is_no_ink_on_paper_that_is_too_dark(darkest):
    paper = np.where(np.arange(WIDTH) < WIDTH / 2, darkest - 2, darkest + 20)
    strokes = draw(TWO, size=80, at=(40, 70)) + draw(TWO, size=80, at=(220, 70))
    ink = measure_ink(photograph(strokes, paper, noise=0), darkest).ink
    assert not ink[:, : WIDTH // 4 - MARGIN // 2].any()
    assert ink[:, WIDTH // 4 + MARGIN // 2 :].max() > 100
