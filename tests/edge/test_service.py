import socket

import pytest

from edge.clock import tell_time
from edge.health import Health, measure_memory_mb
from edge.service import notify


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_what_it_is_told(tmp_path, monkeypatch, abstract):
    name = f"@inkling-test-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + name[1:] if abstract else name)
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        notify("READY=1")
        assert systemd.recv(100) == b"READY=1"


def test_without_systemd_nothing_is_told(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")


def test_problems_come_and_go_by_part():
    heard = []
    health = Health(heard.append)
    health.report("camera", "no picture")
    health.report("camera", "no picture")
    health.report("broker", "gone")
    assert health.problems == ("camera: no picture", "broker: gone")
    assert health.state_of("camera") == "no picture"
    health.report("camera", None)
    health.report("camera", None)
    assert health.problems == ("broker: gone",)
    assert health.state_of("camera") == "ok"
    assert heard == [["camera"], ["camera", "broker"], ["broker"]]


def test_frames_are_counted_between_two_looks():
    health = Health()
    for _ in range(5):
        health.count_frame(0.02)
    rate, frame_ms = health.take_frame_rate()
    assert rate > 0
    assert frame_ms == pytest.approx(20)
    assert health.take_frame_rate() == (0.0, 0.0)


def test_memory_is_measured():
    assert 10 < measure_memory_mb() < 10_000


def test_time_is_unknown_until_the_clock_is_set(tmp_path):
    timesync = tmp_path / "timesync"
    assert tell_time(timesync) is not None
    timesync.mkdir()
    assert tell_time(timesync) is None
    (timesync / "synchronized").touch()
    assert tell_time(timesync).endswith("+00:00")
