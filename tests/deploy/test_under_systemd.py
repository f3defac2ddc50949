"""The service under a real systemd, in its sandbox: a clean Debian that is started, with the package in it.

Slow, so that `make test` leaves it out: `make test-deb`.
"""

import json

import pytest

from deploy.broker import ANYBODY
from tests.conftest import run_broker, wait_until
from tests.deploy.clean_debian import RunningDebian
from tests.deploy.package import build_package, rebuild
from tests.subscriber import TOPICS, Subscriber, read_retained

pytestmark = pytest.mark.deb

CONFIGURATION = """\
[device]
name = "{device}"
[camera]
kind = "{camera}"
[mqtt]
host = "127.0.0.1"
port = {port}
"""

RECOVERY_S = 40.0  # thirty seconds, and some for a busy machine


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return build_package(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def lasting_broker(tmp_path_factory):
    yield from run_broker(tmp_path_factory.mktemp("service") / "broker", ANYBODY)


class Device:
    """A started Debian with the package, told to read from a simulated camera."""

    def __init__(self, debian, port):
        self.debian = debian
        self.port = port

    def configure(self, camera="simulated"):
        text = CONFIGURATION.format(device=TOPICS.device, camera=camera, port=self.port)
        (self.debian.folder / "etc/inkling/edge.toml").write_text(text)

    def control(self, verb):
        return self.debian.run("systemctl", verb, "inkling-edge")

    @property
    def process(self):
        return self.debian.show("MainPID")

    def wait_for_another(self, process):
        """Wait until another process than this one reads."""
        wait_until(
            lambda: self.debian.show("ActiveState") == "active" and self.process not in ("0", process),
            RECOVERY_S,
        )

    def read_log(self):
        return self.debian.read("journalctl", "--unit=inkling-edge", "--output=cat", "--no-pager")


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def device(request, package, lasting_broker, tmp_path_factory):
    debian = RunningDebian(tmp_path_factory.mktemp("service") / request.param, request.param)
    try:
        (debian.folder / "etc/inkling").mkdir()
        device = Device(debian, lasting_broker.port)
        device.configure()
        options = ("--yes", "-qq", "-o", "Dpkg::Options::=--force-confold")
        debian.run("apt-get", "install", *options, debian.copy(package))
        assert debian.show("ActiveState") == "active", device.read_log()  # installed is started
        yield device
    finally:
        debian.switch_off()


@pytest.fixture(autouse=True)
def running(device):
    device.configure()
    device.control("restart")


def test_it_reads_and_says_so(device, lasting_broker):
    wait_until(lambda: device.debian.show("ActiveState") == "active")
    wait_until(lambda: device.debian.show("StatusText") == "reading digits")
    subscriber = Subscriber(lasting_broker.port)
    wait_until(lambda: subscriber.events)
    assert subscriber.availability[-1] == "online"
    subscriber.close()


def test_it_is_in_a_sandbox(device):
    status = (device.debian.folder / "dev/null").exists() and device.debian.read(
        "grep", "-E", "NoNewPrivs|Seccomp:|CapBnd|^Uid", f"/proc/{device.process}/status"
    )
    told = dict(line.split(":\t", 1) for line in status.splitlines())
    assert told["CapBnd"] == "0" * 16
    assert told["NoNewPrivs"] == "1"
    assert told["Seccomp"] == "2"
    assert set(told["Uid"].split()) == {device.debian.read("id", "-u", "inkling")}


def test_it_comes_back_when_it_is_killed(device):
    process = device.process
    device.debian.run("systemctl", "kill", "--signal=KILL", "inkling-edge")
    device.wait_for_another(process)


def test_it_comes_back_when_it_hangs(device):
    process = device.process
    device.debian.run("systemctl", "kill", "--signal=STOP", "inkling-edge")
    device.wait_for_another(process)
    assert "watchdog" in device.read_log().lower()


def test_it_says_goodbye_when_it_is_stopped(device, lasting_broker):
    device.control("stop")
    assert device.debian.show("Result") == "success"
    assert device.debian.show("ActiveState") == "inactive"
    retained = read_retained(lasting_broker.port)
    assert json.loads(retained[TOPICS.availability]) == {"state": "offline"}
    assert json.loads(retained[TOPICS.prediction])["digit"] is None


def test_without_a_camera_it_tries_less_and_less_often_and_a_restart_tries_at_once(device):
    device.configure(camera="picamera2")
    device.debian.run("systemctl", "restart", "inkling-edge", check=False)
    wait_until(lambda: "failed 3 times: waiting 4 s" in device.read_log(), RECOVERY_S)
    assert "failed 2 times: waiting 2 s" in device.read_log()
    assert "picamera2" in device.read_log()
    device.configure()
    device.control("restart")
    assert device.debian.show("ActiveState") == "active"
    assert "waiting 8 s" not in device.read_log()


def test_from_a_read_only_disk_it_starts_and_reads(device, lasting_broker):
    try:
        device.debian.switch_on("--read-only")
        device.debian.run("sh", "-c", "! touch /var/lib/inkling/written && ! touch /var/tmp/written")
        check_reading_without_keeping(device, lasting_broker)
    finally:
        device.debian.switch_on()


def test_with_a_full_disk_it_starts_and_reads(device, lasting_broker):
    full = ("/var/lib/inkling", "/tmp", "/var/tmp")
    for folder in full:
        device.debian.run("mount", "-t", "tmpfs", "-o", "nr_inodes=1", "full", folder)
    device.debian.run("chown", "inkling:inkling", "/var/lib/inkling")
    try:
        device.control("restart")
        check_reading_without_keeping(device, lasting_broker)
    finally:
        for folder in full:
            device.debian.run("umount", folder)


def check_reading_without_keeping(device, broker):
    wait_until(lambda: device.debian.show("ActiveState") == "active")
    subscriber = Subscriber(broker.port)
    wait_until(lambda: subscriber.availability[-1:] == ["online"])
    answer = subscriber.ask("configure", settling={"hold_s": 0.6})
    assert answer.status == "ok"
    assert answer.data["kept"] is False
    wait_until(lambda: subscriber.events)
    subscriber.close()


def test_what_was_changed_over_mqtt_outlives_a_restart(device, lasting_broker):
    subscriber = Subscriber(lasting_broker.port)
    wait_until(lambda: subscriber.availability[-1:] == ["online"])
    assert subscriber.ask("configure", settling={"hold_s": 0.5}).data["kept"] is True
    device.control("restart")
    assert "0.5" in (device.debian.folder / "var/lib/inkling/settings.json").read_text()
    subscriber.close()


def test_an_upgrade_starts_the_new_one_and_a_removal_stops_it(device, package, lasting_broker, tmp_path):
    process = device.process
    newer = rebuild(package, tmp_path, "99.0")
    device.debian.run("apt-get", "install", "--yes", "-qq", device.debian.copy(newer))
    device.wait_for_another(process)
    device.debian.run("apt-get", "purge", "--yes", "-qq", "inkling-edge")
    assert device.debian.read("systemctl", "is-active", "inkling-edge") == "inactive"
    retained = read_retained(lasting_broker.port)
    assert json.loads(retained[TOPICS.availability]) == {"state": "offline"}
    assert not (device.debian.folder / "var/lib/inkling").exists()
