"""A sandbox: a folder in which the commands of the pages are typed, as somebody new would.

It looks like a clone that `make test` has set up. The home is its own, and so is the broker; the simulated
device of the pages runs on, as if in another terminal.
"""

import getpass
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from deploy.broker import find_free_port, find_mosquitto
from shared.idx import TEST_IMAGES, TEST_LABELS, TRAINING_IMAGES, TRAINING_LABELS
from shared.strokes import draw_digit
from tests.conftest import ROOT, wait_until

# The longest that one command may take, however slow the machine.
PATIENCE_S = 180.0

# The device that the pages set up. `keygen` has keys and a folder added to it; the rest is for speed.
DESK = ROOT / "deploy/simulated.toml"
ADDED = {
    "[device]": 'state = "{state}"',
    "[camera]": "frames_per_second = 5.0",
    "[camera.simulated]": "hold_s = 1.5",
}
NETWORK = """
[network]
keys = {keys}
trial_s = 1.0
"""


class Command(NamedTuple):
    """A command of a page: where it stands, as typed, and without the comment behind it."""

    where: str
    typed: str
    text: str


def read_commands(page: Path) -> list[Command]:
    """Read a page's commands: all its lines that are indented by four spaces, but for what is fenced."""
    commands: list[Command] = []
    fenced, begun = False, ""
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        if fenced or not line.startswith("    ") or not line.strip():
            continue
        begun += line.strip()
        if begun.endswith("\\"):
            begun = begun.removesuffix("\\")
            continue
        where = f"{page.relative_to(ROOT)}, line {number}"
        commands.append(Command(where, begun, re.sub(r"(^|\s+)#.*", "", begun)))
        begun = ""
    return commands


class Sandbox:
    """A sandbox that ends all that was started in it."""

    def __init__(self, folder: Path, mnist: Path) -> None:
        self.folder = folder / "inkling"
        self._log = folder / "log"
        self._state = folder / "environment"
        self._pid = folder / "mosquitto.pid"
        self._desk: subprocess.Popen[bytes] | None = None
        self._running: list[subprocess.Popen[bytes]] = []
        home = folder / "home"
        data = home / ".local/share/inkling"
        for made in (self.folder, home / "tmp", data, folder / "desk"):
            made.mkdir(parents=True)
        for name in (TEST_IMAGES, TEST_LABELS, TRAINING_IMAGES, TRAINING_LABELS):
            (data / name).symlink_to(mnist / name)
        (self.folder / "deploy").symlink_to(ROOT / "deploy")
        (self.folder / ".venv").symlink_to(sys.prefix)
        self._take_photographs()
        port = find_free_port()
        programs = self._write_programs(folder / "bin", port)
        self.environment = {
            "HOME": str(home),
            "TMPDIR": str(home / "tmp"),
            "LANG": "C.UTF-8",
            "PATH": f"{programs}:{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin",
            "PYTHONPATH": str(Path(__file__).with_name("elsewhere")),
            "OPENBLAS_NUM_THREADS": "1",
            "SANDBOX_BROKER": str(port),
            "COLUMNS": "200",
        }

    def _take_photographs(self) -> None:
        """Put there what a reader would have: photographs of digits, labelled by their names."""
        (self.folder / "photographs").mkdir()
        for name, digit in {
            "photograph.jpg": 3,
            "another.png": 5,
            "photographs/mine_0.png": 0,
            "photographs/mine_7.png": 7,
        }.items():
            ink = Image.fromarray(np.uint8(255 * draw_digit(digit, np.random.default_rng(digit))))
            frame = Image.new("L", (320, 240), 200)
            frame.paste(30, (80, 40), ink.resize((160, 160)))
            frame.save(self.folder / name)

    def _write_programs(self, folder: Path, port: int) -> Path:
        """Mosquitto's programs, but at the sandbox's port; the broker says who it is, to be ended."""
        configuration = folder.with_name("mosquitto.conf")
        configuration.write_text(f"pid_file {self._pid}\nuser {getpass.getuser()}\n")
        folder.mkdir()
        for name, command in {
            "mosquitto": f'{find_mosquitto()} -c {configuration} "${{@/#1883/{port}}}"',
            "mosquitto_sub": f'{shutil.which("mosquitto_sub")} -p {port} "$@"',
        }.items():
            (folder / name).write_text(f"#!/bin/bash\nexec {command}\n")
            (folder / name).chmod(0o755)
        return folder

    def run(self, command: Command) -> str:
        """Type a command; gives what it printed. What it exports stays exported."""
        script = f"{command.typed}\nstatus=$?\nenv -0 >{shlex.quote(str(self._state))}\nexit $status"
        with self._log.open("w+b") as log:
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE_S,
            )
        said = self._log.read_text()
        assert done.returncode == 0, f"{command.where}: {command.typed}\nstatus {done.returncode}\n{said}"
        variables = self._state.read_text().split("\0")[:-1]
        self.environment = dict(variable.split("=", 1) for variable in variables)
        return said

    def watch(self, command: Command, pattern: str, keys: str = "") -> None:
        """Type a command that goes on, wait until it prints something, and press some keys, or Ctrl-C."""
        keyboard, terminal = pty.openpty()
        process = self._start(command.typed, self._log, terminal)
        try:
            wait_until(
                lambda: re.search(pattern, self._log.read_text()) or process.poll() is not None, PATIENCE_S
            )
            assert process.poll() is None, f"{command.where}: it ended\n{self._log.read_text()}"
            if keys:
                os.write(keyboard, keys.encode())
            else:
                os.killpg(process.pid, signal.SIGINT)
            status = process.wait(PATIENCE_S)
        except AssertionError as error:
            raise AssertionError(f"{command.where}: {command.typed}\n{self._log.read_text()}") from error
        finally:
            os.close(keyboard)
            os.close(terminal)
        said = self._log.read_text()
        assert status in (0, 130), f"{command.where}: status {status}\n{said}"
        assert "Traceback" not in said, f"{command.where}\n{said}"

    def start_desk(self, keys: str = "[]") -> None:
        """Switch the pages' device on, or off and on again; it takes weights from who has these keys."""
        if self._desk is not None:
            self._desk.send_signal(signal.SIGTERM)
            self._desk.wait(PATIENCE_S)
        configuration = self._log.with_name("desk.toml")
        text = DESK.read_text() + NETWORK
        for table, line in ADDED.items():
            text = text.replace(f"\n{table}\n", f"\n{table}\n{line}\n")
        configuration.write_text(text.format(state=self._log.with_name("desk"), keys=keys))
        log = self._log.with_name("desk.log")
        self._desk = self._start(f"inkling-edge run --config {shlex.quote(str(configuration))}", log)
        wait_until(lambda: "connected to" in log.read_text(), PATIENCE_S)

    def _start(self, text: str, log: Path, terminal: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        with log.open("wb") as file:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {text}"],
                cwd=self.folder,
                env=self.environment,
                stdin=terminal,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def close(self) -> None:
        """End all that still runs."""
        for process in self._running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if self._pid.exists():
            broker = int(self._pid.read_text())
            with suppress(ProcessLookupError):
                os.kill(broker, signal.SIGTERM)
            wait_until(lambda: not Path(f"/proc/{broker}").exists())
