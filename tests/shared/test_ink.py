"""How much darker than its paper each pixel is."""

import math

import numpy as np
import pytest

from shared.candidates import GLANCE
from shared.ink import DARKEST_PAPER, INK, STEP, _measure_paper, _mend_steps, measure_ink
from tests.shared.drawing import HEIGHT, TWO, WIDTH, draw, photograph
from tests.shared.test_digit_finder import assert_found

MARGIN = 24  # pixels of the map


def shade(angle, off=0.0, light=0.3):
    """Light in a frame, less of it on one side of a line, `off` pixels from the frame's middle."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    across = (columns - WIDTH / 2) * math.cos(angle) + (rows - HEIGHT / 2) * math.sin(angle)
    return 1 - (1 - light) * np.clip(across - off + 0.5, 0, 1)


@pytest.mark.parametrize("angle", [0.3, 0.8, 2.4, 4.0, 5.5])
@pytest.mark.parametrize("light", [0.3, 0.4])
def test_a_hard_shadows_edge_is_no_ink(angle, light):
    ink = measure_ink((200 * shade(angle, light=light)).astype(np.uint8)).ink
    # In the frame's corners a shadow may be as narrow as a stroke.
    middle = ink[MARGIN:-MARGIN, MARGIN:-MARGIN]
    assert np.count_nonzero(middle > GLANCE[0]) < 5  # of about a hundred along the edge


@pytest.mark.parametrize("angle", [0.3, 1.2, 2.0, 2.8, 3.5, 4.4, 5.1, 5.9])
def test_a_digit_that_a_hard_shadows_edge_goes_through_is_found_whole(angle):
    ink = draw(TWO, size=110, pen=9, at=(125, 65))
    assert_found(photograph(ink, 200 * shade(angle), depth=0.85), ink, slack=6)


@pytest.mark.parametrize("seed", range(6))
def test_blocks_with_an_edge_are_measured_line_by_line_from_the_darker_side(seed):
    random = np.random.default_rng(seed)
    tones = np.kron(random.integers(0, 200, (6, 7)), np.ones((8, 8))).astype(np.uint8)
    grey = np.minimum(tones, random.integers(0, 256, tones.shape)).astype(np.uint8)
    paper = random.choice([2.0, 30.0, 90.0, 220.0], (12, 14)).astype(np.float32)
    ink = random.integers(0, 256, grey.shape, dtype=np.uint8)
    wanted = ink.astype(int)
    for row in range(1, 11):
        for column in range(1, 13):
            beside = {(-1, 0): paper[row - 1, column], (1, 0): paper[row + 1, column]}
            beside |= {(0, -1): paper[row, column - 1], (0, 1): paper[row, column + 1]}
            darker, brighter = min(beside.values()), max(*beside.values(), paper[row, column])
            if darker >= STEP * paper[row, column]:
                continue
            down, across = next(side for side, level in beside.items() if level == darker)
            for line in range(4):
                brightest = 0
                for step in range(4) if down + across < 0 else range(3, -1, -1):
                    y, x = (step, line) if down else (line, step)
                    place = 4 * row + y, 4 * column + x
                    brightest = max(brightest, int(grey[place]))
                    low, high = max(darker, DARKEST_PAPER), max(brighter, DARKEST_PAPER)
                    level = high if grey[place] < np.float32(INK) * low else min(max(brightest, low), high)
                    wanted[place] = 255 - min(255, int(grey[place] * np.float32(256 / level)))
    _mend_steps(ink, grey, paper)
    assert np.abs(ink.astype(int) - wanted).max() <= 1  # as floats are rounded


def test_paper_without_an_edge_is_left_as_it_is():
    grey = np.tile(np.linspace(120, 250, 160), (120, 1)).astype(np.uint8)
    ink = np.full(grey.shape, 7, np.uint8)
    _mend_steps(ink, grey, _measure_paper(grey))
    assert (ink == 7).all()
