import time
from dataclasses import replace
from itertools import islice, pairwise
from threading import Event

import numpy as np
import pytest
from PIL import Image

from edge.camera import open_camera
from edge.config import CameraSettings, FolderSettings, SimulatedSettings
from edge.errors import CameraError
from edge.simulated_camera import SimulatedCamera
from shared.digit_finder import NoDigit
from shared.errors import MissingDataError
from shared.reading import Reading, read_digit
from shared.strokes import draw_digit
from shared.weights import load_weights

FAST = 60.0


def watch(settings, stop=None, report=lambda problem: None):
    camera = open_camera(settings)
    yield from camera.frames(stop or Event(), report)
    camera.close()


def simulate(**options):
    return CameraSettings("simulated", frames_per_second=FAST, simulated=SimulatedSettings(**options))


class Ticks:
    """A clock that goes on when it is waited for, a little late."""

    def __init__(self, late_s=0.0):
        self.now = 0.0
        self.late_s = late_s

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += seconds + self.late_s


def perform(settings, late_s=0.0):
    ticks = Ticks(late_s)
    return SimulatedCamera(settings).perform(ticks, ticks.wait)


def test_the_simulated_camera_holds_up_the_listed_digits_and_ends():
    frames = list(perform(simulate(digits=(3, 1), hold_s=0.2, gap_s=0.1)))
    shown = [frame.shows for frame in frames]
    changes = [one for one, before in zip(shown, [object(), *shown], strict=False) if one != before]
    assert changes == [None, "3", None, "1", None]
    assert all(frame.pixels.shape == (240, 320) and frame.pixels.dtype == np.uint8 for frame in frames)
    assert all(one.time < other.time for one, other in pairwise(frames))


@pytest.mark.parametrize("scenes", ["plain", "hard"])
def test_simulated_hours_need_not_be_waited_for(scenes, no_mnist):
    settings = simulate(scenes=scenes, digits=(3, 1), hold_s=0.2, gap_s=0.1)
    frames = list(perform(settings))
    assert [frame.shows for frame in frames][:6] == [None] * 6
    assert {"3", "1"} <= {frame.shows for frame in frames}
    steps = np.diff([frame.time for frame in frames])
    assert steps == pytest.approx(1 / FAST)


@pytest.mark.parametrize("scenes", ["plain", "hard"])
def test_the_same_seed_gives_the_same_pictures_and_another_one_others(scenes, no_mnist):
    one, same, other = (
        list(islice(perform(simulate(scenes=scenes, seed=seed, hold_s=0.2, gap_s=0.1)), 40))
        for seed in (1, 1, 2)
    )
    assert all(np.array_equal(frame.pixels, again.pixels) for frame, again in zip(one, same, strict=True))
    assert not all(np.array_equal(frame.pixels, new.pixels) for frame, new in zip(one, other, strict=True))


def test_a_slow_machine_sees_the_same_scenes(no_mnist):
    settings = simulate(scenes="hard", digits=(3, 1), hold_s=0.2, gap_s=0.1)
    first, slow = (
        next(frame.pixels for frame in perform(settings, late_s) if frame.shows == "1")
        for late_s in (0.0, 0.3 / FAST)
    )
    # But for the noise, and where a hand has got to.
    assert abs(np.median(first) - np.median(slow)) < 2


def test_hard_scenes_have_the_size_that_the_camera_has(no_mnist):
    settings = replace(simulate(scenes="hard", hold_s=0.2, gap_s=0.1), width=200, height=160)
    frames = islice(perform(settings), 60)
    assert all(frame.pixels.shape == (160, 200) and frame.pixels.dtype == np.uint8 for frame in frames)


def test_each_hard_digit_is_held_up_in_another_place(no_mnist):
    settings = simulate(scenes="hard", digits=(5, 5, 5), hold_s=0.5, gap_s=0.1)
    empty = [frame.pixels for frame in perform(settings) if frame.shows is None]
    assert len({int(pixels.mean()) for pixels in empty}) >= 3


def test_without_a_list_it_goes_on_with_random_digits():
    frames = islice(perform(simulate(hold_s=0.1, gap_s=0.1)), 100)
    assert len({frame.shows for frame in frames}) > 2


@pytest.mark.parametrize("kind", ["drawn", "mnist"])
def test_simulated_digits_are_read_right(kind, request, no_mnist):
    folder = str(request.getfixturevalue("mnist")) if kind == "mnist" else ""
    network = load_weights().network
    settings = simulate(digits=tuple(range(10)), hold_s=0.6, gap_s=0.1, mnist=folder)
    middle = {}
    count, before = 0, None
    for frame in perform(settings):
        count += frame.shows is not None and before is None
        before = frame.shows
        if frame.shows is not None:
            middle.setdefault(count, []).append(frame)
    assert len(middle) == 10
    readings = [
        (read_digit(frames[len(frames) // 2].pixels, network), int(frames[0].shows))
        for frames in middle.values()
    ]
    assert sum(isinstance(reading, Reading) and reading.digit == digit for reading, digit in readings) >= 8


def test_the_simulated_paper_alone_is_no_digit():
    network = load_weights().network
    frames = islice(watch(simulate(gap_s=3600.0)), 10)
    assert all(read_digit(frame.pixels, network) is NoDigit.NOTHING for frame in frames)


def test_mnist_that_is_not_where_the_configuration_says_is_said(tmp_path):
    with pytest.raises(MissingDataError, match="inkling-trainer fetch"):
        open_camera(simulate(mnist=str(tmp_path)))


@pytest.mark.parametrize("digit", range(10))
def test_drawn_strokes_look_like_ink_on_paper(digit):
    image = draw_digit(digit, np.random.default_rng(digit))
    assert image.shape == (28, 28)
    assert image.min() == 0
    assert image.max() == 1
    assert 0.05 < image.mean() < 0.3


def test_mnist_is_shown_where_the_trainer_put_it(mnist, monkeypatch):
    monkeypatch.setenv("INKLING_DATA", str(mnist))
    camera = SimulatedCamera(simulate())
    assert camera._mnist is not None
    monkeypatch.setenv("INKLING_DATA", "/nowhere")
    assert SimulatedCamera(simulate())._mnist is None


@pytest.fixture
def folder(tmp_path):
    for name, grey in (("b.png", 20), ("a.jpg", 10), ("notes.txt", 0)):
        if name.endswith("txt"):
            (tmp_path / name).write_text("")
        else:
            Image.new("L", (64, 48), grey).save(tmp_path / name)
    return tmp_path


def look_at(folder, **options):
    return CameraSettings("folder", frames_per_second=FAST, folder=FolderSettings(str(folder), **options))


def test_a_folder_is_shown_in_the_order_of_names_each_for_its_time(folder):
    begin = time.monotonic()
    frames = list(watch(look_at(folder, seconds_each=0.2, repeat=False)))
    assert time.monotonic() - begin >= 0.4
    shown = [frame.shows for frame in frames]
    assert shown == ["a.jpg"] * shown.count("a.jpg") + ["b.png"] * shown.count("b.png")
    assert min(shown.count("a.jpg"), shown.count("b.png")) >= 3


def test_a_folder_is_shown_again_and_again_until_stopped(folder):
    stop = Event()
    seen = []
    for frame in watch(look_at(folder, seconds_each=0.1), stop):
        seen.append(frame.shows)
        if seen.count("a.jpg") and seen[-1] == "a.jpg" and "b.png" in seen:
            stop.set()
    assert stop.is_set()


def test_an_image_that_cannot_be_read_is_reported_and_passed_over(folder):
    (folder / "aa.png").write_bytes(b"broken")
    reports = []
    frames = list(watch(look_at(folder, seconds_each=0.1, repeat=False), report=reports.append))
    assert {frame.shows for frame in frames} == {"a.jpg", "b.png"}
    assert reports[0] is None
    assert "aa.png: not an image" in reports[1]
    assert reports[2] is None


@pytest.mark.parametrize("repeat", [True, False])
def test_a_folder_without_an_image_that_can_be_read_ends_with_an_error(tmp_path, repeat):
    (tmp_path / "a.png").write_bytes(b"broken")
    with pytest.raises(CameraError, match=r"no image in .* can be read"):
        list(watch(look_at(tmp_path, repeat=repeat)))


def test_a_folder_that_is_missing_or_empty_is_said(tmp_path):
    with pytest.raises(CameraError, match=r"no folder .*set camera\.folder\.path"):
        open_camera(look_at(tmp_path / "none"))
    with pytest.raises(CameraError, match="no images in"):
        open_camera(look_at(tmp_path))


def test_without_picamera2_the_error_says_how_to_get_it():
    with pytest.raises(CameraError, match="apt install python3-picamera2"):
        open_camera(CameraSettings("picamera2"))
