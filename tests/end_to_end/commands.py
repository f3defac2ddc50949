"""Commands, run as a user types them."""

import os
import subprocess
import sys

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
