"""What is in the Debian package."""

import os
import re
import shutil
import subprocess

import pytest

import shared
from edge.cli import build_parser
from edge.config import load_configuration
from tests.conftest import ROOT
from tests.deploy.package import build_package

MODULES = "usr/share/inkling-edge"

DEPENDENCIES = {
    *(
        "python3-cryptography",
        "python3-gpiozero",
        "python3-lgpio",
        "python3-numpy",
        "python3-picamera2",
        "python3-pil",
        "python3-scipy",
    ),
    *("python3:any", "systemd | systemd-standalone-sysusers | systemd-sysusers"),
}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return build_package(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def contents(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("contents")
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder], check=True)
    return folder


@pytest.fixture(scope="module")
def control(contents):
    text = (contents / "DEBIAN" / "control").read_text()
    return dict(re.findall(r"^(\S+): (.*)$", text, re.MULTILINE))


def test_it_is_named_after_the_one_version_there_is(package, control):
    assert package.name == f"inkling-edge_{shared.__version__}_all.deb"
    assert control["Version"] == shared.__version__
    assert control["Architecture"] == "all"


def test_it_needs_nothing_but_what_raspberry_pi_os_has(control):
    needed = {re.sub(r" \(.*\)", "", each) for each in control["Depends"].split(", ")}
    assert needed == DEPENDENCIES


def test_it_holds_the_edge_and_not_the_trainer(contents):
    modules = {path.relative_to(contents / MODULES) for path in (contents / MODULES).rglob("*.py")}
    for half in ("edge", "shared"):
        ours = {path.relative_to(ROOT) for path in (ROOT / half).rglob("*.py")}
        assert {path for path in modules if path.parts[0] == half} == ours
    assert {path.parts[0] for path in modules} == {"edge", "shared", "vendor"}
    for weights in ("shared/default_weights.npz", "shared/surroundings.npz"):
        assert (contents / MODULES / weights).read_bytes() == (ROOT / weights).read_bytes()


def test_the_systems_python_gets_no_modules(contents):
    assert not list(contents.glob("usr/lib/python*"))


def test_the_configuration_is_the_administrators(contents):
    assert (contents / "DEBIAN" / "conffiles").read_text().split() == ["/etc/inkling/edge.toml"]
    load_configuration(contents / "etc" / "inkling" / "edge.toml")


def test_paho_2_comes_along_with_its_licences(contents):
    text = (contents / MODULES / "vendor" / "paho" / "mqtt" / "__init__.py").read_text()
    assert re.search(r'__version__ = "2\.', text)
    licences = contents / "usr/share/doc/inkling-edge"
    assert {path.name for path in (licences / "paho-mqtt").iterdir()} == {"edl-v10", "epl-v20.gz"}
    assert "paho-mqtt" in (licences / "copyright").read_text()


def test_everything_belongs_to_root_and_only_root_may_change_it(package):
    listing = subprocess.run(["dpkg-deb", "--contents", package], check=True, capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        mode, owner = line.split()[:2]
        assert owner == "root/root", line
        assert mode in ("drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"), line


def test_the_manual_tells_of_every_command():
    manual = (ROOT / "deploy/debian/inkling-edge.1").read_text()
    told = re.findall(r"^\.TP\n\.B (\w+)", manual, re.MULTILINE)
    parser = build_parser()
    commands = next(action.choices for action in parser._actions if action.choices)
    assert set(told) == set(commands)


def test_the_same_commit_makes_the_same_package(package, tmp_path):
    again = build_package(tmp_path, umask=0o077, env={**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C"})
    assert again.read_bytes() == package.read_bytes()


def test_lintian_finds_no_fault(package):
    program = shutil.which("lintian") or pytest.skip("lintian is not installed: 'make test-deb' installs it")
    done = subprocess.run([program, "--display-info", "--pedantic", package], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
