"""Three devices for the README's pictures: daemons with cameras of their own, at a broker for them alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from deploy.broker import find_free_port, start_broker

# Two read, of which one falls silent; the third is in the dark.
CAMERAS = {
    "desk": "kind = 'simulated'\nsimulated = { scenes = 'hard', seed = 12, gap_s = 0.7 }\n",
    "hall": "kind = 'simulated'\nsimulated = { seed = 5, gap_s = 2.0 }\n",
    "kitchen": "kind = 'folder'\nfolder.path = 'dark'\n",
}
READS, FALLS_SILENT, IN_THE_DARK = "desk", "hall", "kitchen"

CONFIGURATION = """\
[device]
name = "{name}"
[mqtt]
port = {port}
[health]
interval_s = 5
[camera]
{camera}
"""


@dataclass
class Devices:
    """The three, while they run.

    Attributes
    ----------
    folder : with their configurations, and for what else is written
    port : their broker's, of 127.0.0.1
    processes : by the devices' names
    """

    folder: Path
    port: int
    processes: dict[str, subprocess.Popen[bytes]]

    def silence(self) -> None:
        """End one as a power cut would: the broker says that it has gone."""
        self.processes[FALLS_SILENT].kill()


@contextmanager
def start_devices() -> Iterator[Devices]:
    """Start the broker and the devices; they are ended afterwards."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), find_free_port()
        (folder / "dark").mkdir()
        Image.fromarray(np.full((240, 320), 6, np.uint8)).save(folder / "dark" / "night.png")
        broker = start_broker(folder, port)
        stack.callback(broker.wait)
        stack.callback(broker.terminate)
        processes = {name: _start_device(folder, port, name) for name in CAMERAS}
        for process in processes.values():
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield Devices(folder, port, processes)


def _start_device(folder: Path, port: int, name: str) -> subprocess.Popen[bytes]:
    configuration = folder / f"{name}.toml"
    configuration.write_text(CONFIGURATION.format(name=name, port=port, camera=CAMERAS[name]))
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "edge", "run", "--config", str(configuration)],
            env={**os.environ, "GPIOZERO_PIN_FACTORY": "mock"},
            stdout=log,
            stderr=log,
        )
