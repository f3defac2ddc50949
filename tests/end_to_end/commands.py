"""Commands, run as a user types them."""

import json
import os
import subprocess
import sys

from tests.conftest import ROOT

TRAINER, EDGE = "trainer", "edge"


def run(module, *arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**os.environ, "GPIOZERO_PIN_FACTORY": "mock", "COLUMNS": "100", **environment},
    )


def run_trainer(command, *arguments):
    return run(TRAINER, command, *arguments, cwd=ROOT)


def order(port, key, command, *arguments, status=0, wait_s=30):
    """Run a command of the laptop's; gives what it printed as JSON."""
    options = ("--signing-key", key, "--broker", f"127.0.0.1:{port}", "--json", "--wait", wait_s)
    result = run_trainer(command, *arguments, *options)
    assert result.returncode == status, result.stderr
    return json.loads(result.stdout)
