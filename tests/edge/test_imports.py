"""What the daemon imports until it has read its first digit: a Pi Zero starts as quickly as that allows."""

import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT

# Each would take a Pi Zero a tenth of a second or more, or a megabyte, for what it is not there to do.
NOT_NEEDED = {
    "PIL": "only a picture that is asked for, or an image file",
    "cryptography": "only a delivery",
    "decimal": "a statistic that numpy has, too",
    "difflib": "only a mistake in the configuration",
    "gpiozero": "only LEDs",
    "hmac": "eight random digits",
    "importlib.metadata": "only installing",
    "numpy.testing": "only tests",
    "picamera2": "only its camera",
    "scipy.ndimage": "186 million instructions, and 12 MB, of which one compiled module is needed",
    "scipy.special": "a sigmoid that numpy has, too",
    "unittest": "only tests",
}


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    from tests.edge.test_pi_camera import draw_card

    folder = tmp_path_factory.mktemp("imports")
    np.save(folder / "card.npy", np.array(draw_card(7)))
    (folder / "edge.toml").write_text("[device]\nname = 'bench'\n[mqtt]\nport = 1\n")
    program = f"""
import sys
sys.maxsize = 2**31 - 1
import numpy as np  # before version 2 it imports all of itself, whoever needs it
before = set(sys.modules)
import edge.camera
from edge.__main__ import main

class Card:
    def frames(self, stop, report):
        for time in range(20):
            yield edge.camera.Frame(np.load({str(folder / "card.npy")!r}), time / 10)
    def close(self):
        print("imported", *set(sys.modules) - before)

edge.camera.open_camera = lambda settings: Card()
sys.argv[1:] = ["run", "--json", "--config", {str(folder / "edge.toml")!r}]
main()
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True
    )
    *said, line = run.stdout.splitlines()
    assert any('"digit": 7' in each for each in said), run.stdout
    return set(line.split()[1:])


@pytest.mark.parametrize("name", NOT_NEEDED)
def test_what_a_pi_does_not_need_is_not_imported(imported, name):
    assert not {each for each in imported if each == name or each.startswith(f"{name}.")}, NOT_NEEDED[name]


def test_what_it_needs_is(imported):
    assert {"paho.mqtt.client", "edge.link", "shared.reading", "shared.pieces"} <= imported
