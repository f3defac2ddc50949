"""The daemon as a process, who hears it, and what commands are given."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from edge.config import MqttSettings
from shared.strokes import draw_digit
from tests.dashboard import Dashboard, Visitor, find_chromium
from tests.device import Device
from tests.end_to_end.collect import Collect
from tests.end_to_end.commands import run_trainer
from tests.subscriber import Subscriber
from trainer.signing import load_key, tell_public_key


@pytest.fixture
def csv(tmp_path, drawn_digits):
    rows = np.column_stack([drawn_digits.labels, drawn_digits.images.reshape(len(drawn_digits), -1)])
    np.savetxt(tmp_path / "digits.csv", rows, fmt="%d", delimiter=",")
    return tmp_path / "digits.csv"


@pytest.fixture
def photograph(tmp_path):
    ink = Image.fromarray(np.uint8(255 * draw_digit(3, np.random.default_rng(0)))).resize((160, 160))
    frame = Image.new("L", (320, 240), 200)
    frame.paste(30, (80, 40), ink)
    frame.save(tmp_path / "three.png")
    return tmp_path / "three.png"


@pytest.fixture
def subscriber(broker):
    subscriber = Subscriber(broker.port)
    yield subscriber
    subscriber.close()


@pytest.fixture
def device():
    """Makes devices; all are closed after the test."""
    devices = []

    def make(port, run="run", state=None, keys=(), **mqtt):
        settings = MqttSettings(host="127.0.0.1", port=port, **mqtt)
        devices.append(Device(settings, run=run, state=state, keys=keys))
        return devices[-1]

    yield make
    for made in devices:
        made.output.close()


@pytest.fixture
def start(tmp_path, no_mnist):
    """Start the daemon with the simulated camera; gives the process. It is ended after the test."""
    processes = []

    def run(
        digits=(),
        *,
        port,
        hold_s=1.2,
        gap_s=0.8,
        health_s=60.0,
        device="",
        scene="",
        mqtt="",
        more="",
        kind="simulated",
        options=(),
    ):
        configuration = tmp_path / "edge.toml"
        configuration.write_text(
            f"[device]\nname = 'bench'\n{device}"
            f"[camera]\nkind = '{kind}'\nframes_per_second = 20.0\n"
            f"[camera.simulated]\ndigits = {list(digits)}\nhold_s = {hold_s}\ngap_s = {gap_s}\n{scene}"
            f"[mqtt]\nhost = '127.0.0.1'\nport = {port}\n{mqtt}"
            f"[health]\ninterval_s = {health_s}\n{more}"
        )
        with (tmp_path / "edge.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "edge", "run", "--config", str(configuration), *options],
                stdout=log,
                stderr=log,
                env={**os.environ, "GPIOZERO_PIN_FACTORY": "mock", "GPIOZERO_MOCK_PIN_CLASS": "mockpwmpin"},
            )
        processes.append(process)
        return process

    yield run
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def collect(broker, tmp_path):
    processes = []

    def begin(*options):
        processes.append(Collect(broker.port, tmp_path, *options))
        return processes[-1]

    yield begin
    for process in processes:
        process.stop(signal.SIGKILL)


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "delivery.key"
    result = run_trainer("keygen", "--signing-key", path, "--json")
    told = json.loads(result.stdout)
    assert path.stat().st_mode & 0o777 == 0o600
    assert told["public_key"] == tell_public_key(load_key(path))
    return path


@pytest.fixture(scope="module")
def browser():
    program = find_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def serve(tmp_path, broker):
    """Start a dashboard; it is ended after the test."""
    dashboards = []

    def start(*options):
        dashboards.append(Dashboard(tmp_path, broker.port, *options))
        return dashboards[-1]

    yield start
    for dashboard in dashboards:
        assert dashboard.stop() == 0
        assert not dashboard.log.read_text()


@pytest.fixture
def visit(browser):
    """Open a page; after the test it must not have complained, nor asked for anything elsewhere."""
    visitors = []

    def go(dashboard, **options):
        visitors.append(Visitor(browser, dashboard.link, **options))
        return visitors[-1]

    yield go
    for visitor in visitors:
        visitor.context.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []
