"""What is shown of a piece's surroundings, and what the network that ships makes of it."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import surroundings
from shared.digit_finder import FoundDigit, find_digit
from shared.errors import WeightsError
from shared.surroundings import GRID, JUDGES_SURROUNDINGS, Surroundings
from shared.traits import Traits
from tests.shared.drawing import SEVEN, TWO, WIDTH, draw, photograph

OWN, OTHER, LIGHT = range(3)


def look(dark, box, grey=200, paper=10, depth=100, light=200, traits=None):
    piece = (dark[box] > 60).astype(np.uint8)
    traits = traits or Traits()
    return Surroundings(dark, np.full_like(dark, grey), piece, box, paper, depth, light, traits)


def test_the_piece_is_in_the_middle_half_and_other_ink_is_around_it():
    dark = np.full((120, 160), 10, np.uint8)
    dark[48:72, 68:92] = 110
    dark[48:72, 98:101] = 110
    view = look(dark, (slice(48, 72), slice(68, 92))).view
    assert (view[OWN, 6:18, 6:18] == 255).all()
    assert view[OWN].sum() == 144 * 255
    assert (view[OTHER, 6:18, 21] == 255).all()
    assert not view[OTHER, :, :20].any()


def test_ink_is_measured_by_the_pieces_own_and_light_by_its_papers():
    dark = np.full((120, 160), 10, np.uint8)
    dark[48:72, 68:92] = 110
    dark[:30] = 60
    view = look(dark, (slice(48, 72), slice(68, 92)), grey=100).view
    assert view[OTHER].max() == 0
    view = look(dark, (slice(40, 72), slice(68, 92)), grey=100).view
    assert view[OTHER].max() == 127
    assert (view[LIGHT] == 64).all()
    assert (look(dark, (slice(40, 72), slice(68, 92)), grey=255).view[LIGHT] == 163).all()
    assert (look(dark, (slice(40, 72), slice(68, 92)), grey=50, light=100).view[LIGHT] == 64).all()


@pytest.mark.parametrize(
    ("box", "outside"),
    [
        ((slice(0, 24), slice(68, 92)), np.s_[:6, :]),
        ((slice(96, 120), slice(68, 92)), np.s_[18:, :]),
        ((slice(48, 72), slice(0, 24)), np.s_[:, :6]),
        ((slice(48, 72), slice(136, 160)), np.s_[:, 18:]),
    ],
)
def test_outside_the_frame_there_is_nothing_not_even_light(box, outside):
    dark = np.full((120, 160), 110, np.uint8)
    view = look(dark, box).view
    assert not view[:, *outside].any()
    seen = np.ones((GRID, GRID), bool)
    seen[outside] = False
    assert view[LIGHT][seen].all()
    assert (view[OWN, 6:18, 6:18] == 255).all()


@given(st.data())
def test_wherever_a_piece_is_all_of_it_is_seen(data):
    height, width = data.draw(st.integers(1, 120)), data.draw(st.integers(1, 160))
    top, left = data.draw(st.integers(0, 120 - height)), data.draw(st.integers(0, 160 - width))
    box = slice(top, top + height), slice(left, left + width)
    dark = np.zeros((120, 160), np.uint8)
    dark[box] = 200
    view = look(dark, box, paper=0, depth=200, light=0).view
    assert view[OWN].max() == 255
    assert not view[OTHER].any()
    # A place may be a little wider than another, as places begin at whole pixels.
    size = max(height, width)
    tall, wide = (np.ptp(np.flatnonzero(view[OWN].any(axis=axis))) + 1 for axis in (1, 0))
    for share, seen in ((height / size, tall), (width / size, wide)):
        assert abs(12 * share - seen) <= 2


def test_the_network_is_shown_the_view_and_the_traits():
    dark = np.arange(120 * 160, dtype=np.uint32).astype(np.uint8).reshape(120, 160)
    traits = Traits(*range(len(Traits._fields)))
    seen = look(dark, (slice(30, 71), slice(40, 66)), traits=traits)
    assert len(np.unique(seen.view)) > 10
    assert seen.inputs.shape == (JUDGES_SURROUNDINGS.inputs,)
    np.testing.assert_allclose(seen.inputs[: seen.view.size], seen.view.ravel() / 255, rtol=1e-6)
    assert seen.inputs[seen.view.size :].tolist() == list(traits)


def judge(frame):
    found = find_digit(frame)
    assert isinstance(found, FoundDigit)
    return found.surroundings.likelihood


@pytest.mark.parametrize("strokes", [TWO, SEVEN])
def test_a_digit_alone_on_paper_is_likely(strokes):
    assert judge(photograph(draw(strokes, size=80, at=(120, 80)))) > 0.9


def test_what_goes_on_behind_a_gap_is_less_likely_than_the_same_alone():
    cable = draw([[(0.3, 0.0), (0.0, 1.0)]], size=230, pen=7, at=(130, 5))
    assert cable[5].any()
    assert cable[-6].any()
    cable[:75] *= 0.5  # or there would be several digits
    cable[173:] *= 0.5
    cut, alone = cable.copy(), cable.copy()
    cut[75:83] = cut[165:173] = 0
    alone[:83] = alone[165:] = 0
    odds = [likely / (1 - likely) for likely in map(judge, (photograph(cut), photograph(alone)))]
    assert odds[0] < odds[1] / 20


@pytest.mark.parametrize("size", [40, 90, 200])
def test_what_is_beside_a_digit_of_any_size_is_seen_beside_it(size):
    ink = draw(TWO, size=size, pen=size / 12, at=(100, 20))
    rows, columns = np.nonzero(ink > 0.5)
    beside = columns.max() + size // 6
    ink[rows.min() : rows.max(), beside : beside + size // 10] = 0.3
    light = np.where(np.arange(WIDTH) < beside, 200, 150)
    found = find_digit(photograph(ink, light))
    assert isinstance(found, FoundDigit)
    own, other, seen_light = found.surroundings.view.astype(int)
    assert own[:, 18:].max() == 0
    assert own[:, 6:18].max() == 255
    middle = slice(8, 16)
    assert other[middle, 18:].max() > other[middle, :5].max() + 30
    assert np.median(seen_light[middle, 20]) < np.median(seen_light[middle, 4]) - 20


@pytest.mark.parametrize("content", [None, b"", b"PK and no more"])
def test_a_network_that_is_missing_or_damaged_is_to_be_installed_again(content, tmp_path, monkeypatch):
    path = tmp_path / "surroundings.npz"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(surroundings, "SURROUNDINGS_WEIGHTS", path)
    surroundings._load.cache_clear()
    try:
        with pytest.raises(WeightsError, match=r"surroundings\.npz, which comes .* install Inkling again"):
            surroundings.prepare()
    finally:
        surroundings._load.cache_clear()


def test_each_thread_has_signals_of_its_own_and_the_weights_are_the_same():
    networks = []
    threads = [threading.Thread(target=lambda: networks.append(surroundings._own.network)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, networks))) == 3
    assert len({id(network.weights[0]) for network in networks}) == 1
