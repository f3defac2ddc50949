"""The Pi's camera: the real picamera2 and libcamera, over libcamera's virtual camera."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.daemon import SIGN_OF_LIFE_S
from shared.messages import HealthMessage
from shared.strokes import draw_digit
from tests.conftest import ROOT, wait_until
from tests.subscriber import TOPICS, Subscriber

DEPLOY = ROOT / "deploy" / "virtual_camera"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
CAMERA_ROOT = CACHE / "inkling" / "virtual_camera"

# For what a slow machine may take its time for, of which the daemon's own time-outs are several seconds.
PATIENCE_S = 120.0

ANY_RATE, ONLY_30 = (1, 60), (30, 30)

DARK_ROOM = {"ExposureTime": 30000, "AnalogueGain": 4.0, "ColourGains": [1.5, 2.0]}


class VirtualCamera:
    """A camera that is plugged in and pulled, and programs that look through it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.shared = folder / "cameras", folder / "shared"
        self.folder.mkdir()
        self.shared.mkdir()
        self._processes: list[subprocess.Popen[bytes]] = []
        self.log = folder / "camera.log"

    def show(self, picture: Image.Image) -> None:
        """Put a picture before it; a camera that is open already does not see it."""
        picture.save(self.folder / "picture.jpg", quality=98)

    def plug_in(self, rates=ANY_RATE) -> None:
        (self.folder / "virtual.yaml").write_text(
            "%YAML 1.1\n---\nvirtual:\n  model: virtual\n  supported_formats:\n"
            f"  - {{width: 320, height: 240, frame_rates: {list(rates)}}}\n"
            "  frames: {path: /usr/share/libcamera/pipeline/virtual/picture.jpg}\n"
        )
        (self.folder / "pulled").unlink(missing_ok=True)

    def pull(self) -> None:
        """The cable comes off: no frame comes any more, and no camera is found."""
        (self.folder / "pulled").touch()
        (self.folder / "virtual.yaml").unlink()

    def hang(self) -> None:
        """The camera's driver does not come back."""
        (self.folder / "hung").touch()

    def settle_at(self, **aims) -> None:
        """Give it automatic exposure and white balance, and what they come to."""
        (self.folder / "new.json").write_text(json.dumps(aims))
        (self.folder / "new.json").rename(self.folder / "sensor.json")

    @property
    def controls(self):
        """What it was told, but for its rate, and at what rate to go."""
        log = self.folder / "controls.log"
        told = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        rates = [
            controls.pop("FrameDurationLimits") for controls in told if "FrameDurationLimits" in controls
        ]
        return [controls for controls in told if controls], rates

    def run(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Run Python where this is the camera."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [DEPLOY / "enter.sh", CAMERA_ROOT, self.folder, self.shared, *arguments],
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def take_pictures(self, count: int, **settings):
        """Take some frames; returns them."""
        process = self.run("-m", "tests.edge.take_pictures", json.dumps(settings), str(count))
        assert process.wait(PATIENCE_S) == 0, self.log.read_text()
        return [np.load(self.shared / f"{number}.npy") for number in range(count)]

    def start_daemon(self, port: int) -> subprocess.Popen[bytes]:
        (self.shared / "edge.toml").write_text(
            f"[device]\nname = 'bench'\n[mqtt]\nhost = '127.0.0.1'\nport = {port}\n"
        )
        return self.run("-m", "deploy.virtual_camera.connect", "run", "--config", "/mnt/edge.toml")

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def camera_root():
    """Skips where there is no root, or where this machine lets nobody change into it."""
    if not CAMERA_ROOT.exists():
        pytest.skip("no virtual camera: deploy/virtual_camera/setup.sh makes one")
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    attempt = subprocess.run([*namespace, "chroot", "/", "true"], stderr=subprocess.PIPE, text=True)
    if attempt.returncode:
        pytest.skip(f"neither root nor user namespaces for the virtual camera: {attempt.stderr.strip()}")


@pytest.fixture
def camera(camera_root, tmp_path):
    camera = VirtualCamera(tmp_path)
    yield camera
    camera.end()


@pytest.fixture
def subscriber(broker):
    subscriber = Subscriber(broker.port)
    yield subscriber
    subscriber.close()


def draw_card(digit: int) -> Image.Image:
    ink = Image.fromarray(np.uint8(255 * draw_digit(digit, np.random.default_rng(0)))).resize((160, 160))
    card = Image.new("L", (320, 240), 200)
    card.paste(30, (80, 40), ink)
    return card


def find_problem(subscriber):
    """What the device last said of its camera."""
    return next((health.camera for health in subscriber.payloads(HealthMessage, TOPICS.health)[::-1]), "ok")


@pytest.mark.parametrize("rates", [ANY_RATE, ONLY_30])
def test_frames_are_what_is_before_the_camera_at_the_rate_that_it_can_keep(camera, rates):
    rows, columns = np.mgrid[:240, :320]
    picture = np.uint8(rows * 0.4 + columns * 0.4 + 20)
    camera.show(Image.fromarray(picture))
    camera.plug_in(rates)
    frames = camera.take_pictures(5, frames_per_second=20.0)
    for frame in frames:
        assert frame.shape == (240, 320)
        assert frame.dtype == np.uint8
        assert np.abs(frame - picture.astype(float)).mean() < 1
    assert camera.controls[1] == ([[50000, 50000]] if rates == ANY_RATE else [])


def test_exposure_and_white_balance_are_held_once_they_have_settled(camera):
    camera.show(draw_card(7))
    camera.plug_in()
    camera.settle_at(**DARK_ROOM)
    camera.take_pictures(90, frames_per_second=60.0)
    ((held,), _) = camera.controls
    assert held.pop("AeEnable") is held.pop("AwbEnable") is False
    assert held.keys() == DARK_ROOM.keys()
    for name, aim in DARK_ROOM.items():
        assert held[name] == pytest.approx(aim, rel=0.03)


def test_a_camera_without_exposure_is_told_nothing_of_it(camera):
    camera.show(draw_card(7))
    camera.plug_in()
    camera.take_pictures(20, frames_per_second=60.0)
    controls, _ = camera.controls
    assert controls == []


def test_a_camera_with_white_balance_alone_holds_that(camera):
    camera.show(draw_card(7))
    camera.plug_in()
    camera.settle_at(ColourGains=[1.5, 2.0])
    camera.take_pictures(90, frames_per_second=60.0)
    ((held,), _) = camera.controls
    assert held["ColourGains"] == pytest.approx([1.5, 2.0], rel=0.03)


def test_a_digit_before_the_camera_is_said_and_a_stop_ends_cleanly(camera, broker, subscriber):
    camera.show(draw_card(7))
    camera.plug_in()
    daemon = camera.start_daemon(broker.port)
    wait_until(lambda: subscriber.events, PATIENCE_S)
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(PATIENCE_S) == 0, camera.log.read_text()
    assert [event.digit for event in subscriber.events] == [7]
    wait_until(lambda: subscriber.availability == ["online", "offline"])


def test_without_a_camera_at_the_start_it_says_what_to_do_and_ends(camera, broker, subscriber):
    daemon = camera.start_daemon(broker.port)
    assert daemon.wait(PATIENCE_S) == 1
    assert "no camera" in camera.log.read_text().splitlines()[-1]
    wait_until(lambda: subscriber.availability[-1:] == ["offline"])
    assert "rpicam-hello" in find_problem(subscriber)


def test_a_camera_that_is_pulled_and_plugged_in_again_goes_on_and_both_are_told(camera, broker, subscriber):
    camera.show(draw_card(7))
    camera.plug_in()
    daemon = camera.start_daemon(broker.port)
    wait_until(lambda: subscriber.events, PATIENCE_S)
    camera.pull()
    wait_until(lambda: find_problem(subscriber) != "ok", PATIENCE_S)
    assert "opening it anew" in find_problem(subscriber)
    camera.show(draw_card(3))
    camera.plug_in()
    wait_until(lambda: [event.digit for event in subscriber.events] == [7, 3], PATIENCE_S)
    wait_until(lambda: find_problem(subscriber) == "ok", PATIENCE_S)
    assert daemon.poll() is None
    assert subscriber.availability == ["online"]


@pytest.mark.parametrize("found", [True, False])
def test_a_camera_that_stays_dead_is_given_up_and_that_is_told(camera, broker, subscriber, found):
    camera.show(draw_card(7))
    camera.plug_in()
    daemon = camera.start_daemon(broker.port)
    wait_until(lambda: subscriber.events, PATIENCE_S)
    camera.pull()
    if found:  # its cable is fine, it only gives no pictures
        camera.plug_in()
        (camera.folder / "pulled").touch()
    assert daemon.wait(PATIENCE_S) == 1
    said = "gave no picture in 4 tries" if found else "no camera"
    assert said in camera.log.read_text().splitlines()[-1]
    wait_until(lambda: subscriber.availability[-1:] == ["offline"])
    assert said in find_problem(subscriber)
    assert "opening it anew" not in find_problem(subscriber)


def test_a_camera_that_hangs_does_not_silence_the_device_and_systemd_misses_its_sign_of_life(
    camera, broker, subscriber, monkeypatch
):
    name = f"inkling-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        camera.show(draw_card(7))
        camera.plug_in()
        daemon = camera.start_daemon(broker.port)
        wait_until(lambda: subscriber.events, PATIENCE_S)
        camera.hang()
        wait_until(lambda: find_problem(subscriber) != "ok", PATIENCE_S)
        systemd.setblocking(False)
        while True:
            try:
                systemd.recv(500)
            except BlockingIOError:
                break
        # The link still answers, although the camera's thread will never come back ...
        assert subscriber.ask("configure", health={"interval_s": 30.0}).status == "ok"
        assert subscriber.availability == ["online"]
        assert daemon.poll() is None
        # ... and whoever waits for a sign of life waits in vain.
        systemd.settimeout(SIGN_OF_LIFE_S + 3)
        with pytest.raises(TimeoutError):
            systemd.recv(500)
