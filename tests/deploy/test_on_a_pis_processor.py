"""The edge's and the shared tests on a Pi Zero's processor, against what the Debian package has installed.

Slow, so that `make test` leaves it out: `make test-deb`.
"""

import re
import shutil

import pytest

from tests.conftest import ROOT
from tests.deploy.clean_debian import FOREIGN, CleanDebian
from tests.deploy.package import build_package

pytestmark = pytest.mark.deb

FOLDER = "opt/tests"
MODULES = "/usr/share/inkling-edge"

# Minutes of film, hundreds of scenes, gigabytes that are unpacked: hours on an emulated processor.
LEFT_OUT = (
    "tests/edge/test_sequences.py",
    "tests/edge/test_cameras.py::test_each_hard_digit_is_held_up_in_another_place",
    "tests/shared/test_digit_finder.py::test_a_digit_is_found_in_most_hard_scenes",
    "tests/shared/test_weights.py::test_a_bomb_is_refused_within_bounded_memory",
    "tests/shared/test_weights.py::test_a_network_too_large_to_be_loaded_is_not_exported",
)

PATIENCE_S = 2 * 3600.0


@pytest.fixture(params=["bookworm", "trixie"])
def debian(request, tmp_path, tmp_path_factory):
    debian = CleanDebian(tmp_path / "debian", request.param, FOREIGN)
    package = build_package(tmp_path_factory.mktemp("package"))
    debian.run("apt-get", "install", "--yes", "-qq", debian.copy(package))
    # Not edge and shared: those are the package's.
    for name in ("tests", "trainer", "deploy"):
        shutil.copytree(ROOT / name, debian.folder / FOLDER / name)
    shutil.copy(ROOT / "pyproject.toml", debian.folder / FOLDER)
    return debian


def test_the_edges_and_the_shared_tests_pass(debian):
    python = ("python3", "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    left_out = [f"--deselect={name}" for name in LEFT_OUT]
    done = debian.run(
        # A terminal is what some of them want.
        *("sh", "-c", f'mount -t devpts devpts /dev/pts && cd /{FOLDER} && exec "$@"', "sh"),
        *(*python, *left_out, "tests/edge", "tests/shared"),
        check=False,
        patience_s=PATIENCE_S,
        # The system's paho-mqtt of Bookworm is too old, so that the package has its own.
        PYTHONPATH=f"{MODULES}/vendor:{MODULES}",
    )
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 300, done.stdout
