"""The demo, with fewer digits."""

import os
import subprocess
import sys

from tests.conftest import ROOT


def test_the_demo_trains_holds_up_digits_and_hears_them_over_mqtt(tmp_path, mnist, broker):
    broker.stop()  # it starts its own; the fixture only tells that there can be one
    result = subprocess.run(
        [sys.executable, "-m", "deploy.demo", "--digits", "5", "--folder", str(tmp_path / "demo")],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        env={**os.environ, "INKLING_DATA": str(mnist)},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1/5  held up" in result.stdout
    assert "of 5 digits read right" in result.stdout
    assert "|_|" in result.stdout
