import io

import numpy as np
import pytest
from PIL import Image

from edge.camera import Frame
from edge.view import BACKGROUND, BOX_COLOUR, Glimpse, ViewFinder, draw_view
from shared.digit_finder import Box, NoDigit
from shared.reading import Reading

PAPER = np.full((240, 320), 200, np.uint8)
IMAGE = np.zeros((28, 28), np.float32)
IMAGE[10:18, 12:16] = 1
SEVEN = Reading(7, 0.9, np.zeros(10, np.float32), IMAGE, Box(100, 60, 80, 120))


def open_picture(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def is_near(pixel, colour):
    return np.abs(pixel - np.array(colour)).max() < 60


def test_the_box_is_drawn_around_the_digit_and_the_networks_image_beside_it():
    picture = open_picture(draw_view(Glimpse(PAPER, SEVEN)))
    assert picture.shape == (240, 320 + 112, 3)
    for x, y in ((100, 120), (179, 120), (140, 60), (140, 179)):
        assert is_near(picture[y, x], BOX_COLOUR)
    assert is_near(picture[120, 140], (200,) * 3)
    beside = picture[:112, 320:]
    assert is_near(beside[4 * 14, 4 * 14], (255,) * 3)
    assert is_near(beside[4, 4], (0,) * 3)


def test_without_a_digit_there_is_only_what_the_camera_sees():
    picture = open_picture(draw_view(Glimpse(PAPER, NoDigit.NOTHING)))
    assert np.abs(picture[:, :312] - 200).max() < 10
    assert is_near(picture[50, 400], BACKGROUND)


@pytest.mark.parametrize(("height", "width"), [(1080, 1920), (64, 64)])
def test_the_picture_is_small_whatever_the_camera(height, width):
    reading = Reading(1, 0.9, SEVEN.outputs, IMAGE, Box(0, 0, width, height))
    content = draw_view(Glimpse(np.full((height, width), 90, np.uint8), reading))
    assert open_picture(content).shape[1] <= 320 + 112
    assert len(content) < 40_000


def test_a_frame_is_kept_only_when_one_is_wanted_and_drawn_once():
    finder = ViewFinder()
    frame = Frame(PAPER.copy(), 0.0)
    assert not finder.observe(frame, SEVEN)
    assert finder.take() is None
    finder.ask(0)
    assert finder.observe(frame, SEVEN)
    frame.pixels[:] = 0  # as a camera does that uses its buffer again
    assert not finder.observe(frame, SEVEN)
    assert open_picture(finder.take()).max() > 150
    assert finder.take() is None


def test_who_wants_a_single_picture_does_not_end_anothers(monkeypatch):
    finder, now = ViewFinder(), [0.0]
    monkeypatch.setattr("edge.view.time.monotonic", lambda: now[0])
    finder.ask(60)
    finder.ask(0)
    frame = Frame(PAPER, 0.0)
    assert finder.observe(frame, SEVEN)
    now[0] = 30.0
    assert finder.observe(frame, SEVEN)


def test_pictures_go_on_while_they_are_wanted_but_not_with_every_frame():
    finder = ViewFinder()
    finder.ask(60)
    frame = Frame(PAPER, 0.0)
    assert [finder.observe(frame, SEVEN) for _ in range(3)] == [True, False, False]
