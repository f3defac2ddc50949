"""The Debian package in clean Debians: it installs, runs, upgrades, goes, and is forgotten.

Slow, so that `make test` leaves it out: `make test-deb`.
"""

import re

import pytest

import shared
from deploy.broker import find_free_port
from tests.conftest import wait_until
from tests.deploy.clean_debian import FOREIGN, NATIVE, CleanDebian
from tests.deploy.package import build_package, rebuild
from tests.subscriber import TOPICS, Subscriber

pytestmark = pytest.mark.deb

MODULES = "usr/share/inkling-edge"
CONFIGURATION = "etc/inkling/edge.toml"

BROKER_WAIT_S = 180.0  # for a processor that is emulated


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return build_package(tmp_path_factory.mktemp("package"))


@pytest.fixture(
    params=[(suite, kind) for kind in (NATIVE, FOREIGN) for suite in ("bookworm", "trixie")], ids="-".join
)
def debian(request, tmp_path):
    return CleanDebian(tmp_path / "debian", *request.param)


def install(debian, package):
    return debian.run("apt-get", "install", "--yes", "-qq", debian.copy(package)).stdout


def configure(debian, port):
    """Have it see simulated digits, and tell a broker of this machine."""
    path = debian.folder / CONFIGURATION
    text = path.read_text()
    for before, after in (
        ('kind = "picamera2"', 'kind = "simulated"'),
        ("digits = []", "digits = [3, 1]"),
        ('# name = "desk"', f'name = "{TOPICS.device}"'),
        ('host = "localhost"', 'host = "127.0.0.1"'),
        ("port = 1883", f"port = {port}"),
        ("hold_s = 2.0", "hold_s = 5.0"),  # an emulated processor takes its time
        ("confidence = 0.9", "confidence = 0.5"),
    ):
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    path.write_text(text)


def test_it_installs_runs_upgrades_goes_and_is_forgotten(debian, package, broker, tmp_path):
    before = debian.list_files()

    install(debian, rebuild(package, tmp_path, "0.0.1"))
    assert debian.run("inkling-edge", "--version").stdout.strip() == f"inkling-edge {shared.__version__}"
    groups = debian.run("id", "-Gn", "inkling").stdout.split()
    assert set(groups) >= {"inkling", "video", "gpio"}
    state = debian.folder / "var/lib/inkling"
    assert debian.run("stat", "-c", "%U %a", "/var/lib/inkling").stdout.split() == ["inkling", "700"]
    enabled = "etc/systemd/system/multi-user.target.wants/inkling-edge.service"
    assert (debian.folder / enabled).is_symlink()
    modules = list((debian.folder / MODULES).rglob("*.py"))
    compiled = list((debian.folder / MODULES).rglob("*.pyc"))
    assert len(compiled) == len(modules) > 60

    # What the administrator wrote outlives an upgrade, and is not asked about.
    configure(debian, broker.port)
    configured = (debian.folder / CONFIGURATION).read_text()
    (state / "settings.json").write_text("{}")
    (debian.folder / "etc/inkling/password").write_text("ours")
    install(debian, package)
    assert f"Version: {shared.__version__}\n" in debian.run("dpkg", "-s", "inkling-edge").stdout
    assert (debian.folder / CONFIGURATION).read_text() == configured

    check_reading(debian, broker, tmp_path)

    debian.run("apt-get", "remove", "--yes", "-qq", "inkling-edge")
    assert not (debian.folder / MODULES).exists()
    assert (debian.folder / CONFIGURATION).read_text() == configured
    assert state.exists()
    install(debian, package)
    assert (debian.folder / CONFIGURATION).read_text() == configured

    debian.run("apt-get", "purge", "--yes", "-qq", "inkling-edge")
    assert debian.list_files() - before == set()
    assert before - debian.list_files() == set()


def check_reading(debian, broker, tmp_path):
    """Run the installed daemon as its user, until the simulated camera has held up its two digits."""
    as_service = (
        "env",
        "HOME=/var/lib/inkling",
        "setpriv",
        "--reuid=inkling",
        "--regid=inkling",
        "--init-groups",
        "inkling-edge",
    )
    checked = debian.run(*as_service, "check", check=False).stdout
    assert re.findall("^(.{4}) (.*?):", checked, re.MULTILINE) == [
        ("ok  ", part) for part in ("weights", "camera", "leds", "broker")
    ], checked
    aimed = debian.run(*as_service, "aim").stdout
    assert " 3 (" in aimed
    assert " 1 (" in aimed

    subscriber = Subscriber(broker.port)
    with (tmp_path / "edge.log").open("wb") as log:
        process = debian.start(*as_service, "run", log=log)
        try:
            assert process.wait(BROKER_WAIT_S) == 0, (tmp_path / "edge.log").read_text()
        finally:
            process.kill()
    wait_until(lambda: "offline" in subscriber.availability[1:])
    assert [event.digit for event in subscriber.events] == [3, 1]
    subscriber.close()


def test_it_uses_the_systems_paho_unless_that_is_too_old(debian, package):
    install(debian, package)
    (debian.folder / CONFIGURATION).write_text(
        f"[camera]\nkind = 'simulated'\n[mqtt]\nhost = '127.0.0.1'\nport = {find_free_port()}\n"
    )
    told = debian.run("python3", "-sPv", "/usr/bin/inkling-edge", "check", check=False).stdout
    own, systems = (
        re.search(rf"{folder}/paho/mqtt/.*client", told) for folder in ("vendor", "dist-packages")
    )
    assert "broker: no broker at" in told
    assert bool(own) is (debian.suite == "bookworm")
    assert bool(systems) is (debian.suite == "trixie")
