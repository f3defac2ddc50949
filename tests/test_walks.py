"""What the pages say of the code is there: the walks' steps, and the files that additions touch."""

import inspect
import re
from importlib import import_module
from itertools import count
from pathlib import Path

import pytest

from edge.config import CameraSettings
from edge.simulated_camera import SimulatedCamera
from shared.digit_finder import FoundDigit, search_frame
from shared.digit_image import normalise, to_inputs
from shared.weights import load_weights
from tests.conftest import ROOT

PAGES = [ROOT / "shared" / "WALKS.md", ROOT / "CONTRIBUTING.md"]
NAME = re.compile(r"`((?:shared|edge|trainer|deploy|tests)(?:\.\w+)+)`")
FILE = re.compile(r"`((?:shared|edge|trainer|deploy|tests)/[\w./-]+)`")


def find(name: str) -> bool:
    """Whether there is a module, or what a module holds, of this name."""
    path = ROOT
    parts = name.split(".")
    while parts and (path / parts[0]).is_dir():
        path /= parts.pop(0)
    module = path.relative_to(ROOT).parts
    if parts and (path / f"{parts[0]}.py").is_file():
        module = (*module, parts.pop(0))
    found: object = import_module(".".join(module))
    for part in parts:
        if inspect.isclass(found) and not hasattr(found, part):
            # What an object has, though not its class: assigned as it is made.
            return part in found.__annotations__ or f"self.{part} = " in inspect.getsource(found)
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_all_that_a_page_names_is_there(page: Path):
    text = page.read_text()
    names, files = NAME.findall(text), FILE.findall(text)
    assert names
    assert [name for name in names if not find(name)] == []
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_what_is_not_there_is_not_found():
    assert not find("shared.reading.read_letter")
    assert not find("edge.deliveries.Deliveries.walking")


def test_a_frame_is_handed_on_as_the_walk_says(no_mnist):
    network = load_weights().network
    camera = SimulatedCamera(CameraSettings(kind="simulated"))
    for frame in camera.perform(count(0, 0.1).__next__, lambda pause_s: None):
        search = search_frame(frame.pixels)
        if isinstance(search.found, FoundDigit):
            break
    image = normalise(search.found.ink)
    inputs = to_inputs(image)
    assert (frame.pixels.dtype, frame.pixels.shape) == ("uint8", (240, 320))
    assert (search.ink.ink.dtype, search.ink.ink.shape) == ("uint8", (120, 160))
    assert (search.found.ink.dtype, search.found.ink.ndim) == ("float32", 2)
    assert (image.dtype, image.shape) == ("float32", (28, 28))
    assert (inputs.dtype, inputs.shape) == ("float32", (784,))
    assert (network.query(inputs).dtype, network.query(inputs).shape) == ("float32", (10,))
