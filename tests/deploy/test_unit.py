"""The service's unit, as far as it can be judged without starting it; and how it waits between failures."""

import os
import re
import shutil
import subprocess

import pytest

from edge.daemon import SIGN_OF_LIFE_S
from tests.conftest import ROOT

UNIT = ROOT / "deploy" / "inkling-edge.service"
BACK_OFF = ROOT / "deploy" / "back-off.sh"

MOST_EXPOSED = 1.5


@pytest.fixture
def analyze():
    program = shutil.which("systemd-analyze") or pytest.skip("systemd-analyze is not installed")

    def run(*arguments):
        return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)

    return run


def test_systemd_finds_no_fault_with_the_unit(analyze, tmp_path):
    # What it runs is not installed here.
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"=(-?)/usr/\S+", r"=\1/bin/true", UNIT.read_text()))
    result = analyze("verify", "--man=no", copy)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_service_is_exposed_to_little(analyze):
    result = analyze("security", "--offline=true", "--no-pager", UNIT)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)
    assert float(exposure[1]) <= MOST_EXPOSED


def test_signs_of_life_come_more_often_than_systemd_wants_them():
    watchdog = re.search(r"^WatchdogSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    # And a camera that hangs is found out, and the daemon up again, within 30 seconds.
    assert 2 * SIGN_OF_LIFE_S < float(watchdog[1]) <= 20


class Service:
    """What systemd does with `back-off` around each start; its `sleep` only tells for how long."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "bin").mkdir()
        sleep = folder / "bin" / "sleep"
        sleep.write_text('#!/bin/sh\necho "slept $1"\n')
        sleep.chmod(0o755)
        (folder / "run").mkdir()

    def start(self):
        """How many seconds it waits before it starts."""
        told = self._run().stdout
        return int(told.split("slept ")[1]) if told else 0

    def end(self, result):
        assert self._run(SERVICE_RESULT=result).stdout == ""

    def _run(self, **environment):
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            ["sh", str(BACK_OFF)],
            cwd=self.folder / "run",
            env={"PATH": path, **environment},
            capture_output=True,
            text=True,
            check=True,
        )


def test_a_daemon_that_keeps_failing_is_started_less_and_less_often(tmp_path):
    service = Service(tmp_path)
    waits = []
    for _ in range(9):
        waits.append(service.start())
        service.end("exit-code")
    assert waits == [0, 0, 2, 4, 8, 16, 32, 60, 60]


def test_one_that_is_stopped_or_was_well_for_long_is_started_at_once(tmp_path):
    service = Service(tmp_path)
    for result in ("watchdog", "signal", "exit-code"):
        service.end(result)
    assert service.start() == 4
    failures = tmp_path / "run" / "failures"
    long_ago = failures.stat().st_mtime - 11 * 60
    os.utime(failures, (long_ago, long_ago))
    assert service.start() == 0
    service.end("exit-code")
    assert service.start() == 0
    service.end("exit-code")
    assert service.start() == 2
    service.end("success")
    assert service.start() == 0
