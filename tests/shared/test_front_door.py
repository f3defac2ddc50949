"""What anybody needs of `shared` comes in one line, and costs nothing until it is used."""

import subprocess
import sys

import numpy as np
import pytest

import shared
from shared import FeedForward, find_digit, load_weights, normalise
from shared.digit_image import to_inputs
from shared.strokes import draw_digit
from tests.conftest import ROOT


def test_a_digit_is_read_with_what_comes_in_one_line():
    paper = np.full((240, 320), 200, np.uint8)
    ink = np.kron(draw_digit(3, np.random.default_rng(0)), np.ones((6, 6)))
    paper[36:204, 76:244] -= np.rint(ink * 150).astype(np.uint8)
    network = load_weights().network
    assert isinstance(network, FeedForward)
    image = normalise(find_digit(paper).ink)
    assert image.shape == (28, 28)
    assert network.query(to_inputs(image)).argmax() == 3


def test_all_that_is_offered_is_there_and_nothing_else():
    assert all(hasattr(shared, name) for name in shared.__all__)
    with pytest.raises(AttributeError, match="no attribute 'unheard_of'"):
        _ = shared.unheard_of


def test_who_needs_only_the_version_does_not_wait_for_numpy():
    program = "import sys, shared; print(shared.__version__, 'numpy' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == f"{shared.__version__} False\n"
