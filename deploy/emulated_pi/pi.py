"""An emulated Pi Zero, QEMU's raspi0: its power, its serial console, and the levels of its pins.

Its time is its own: a billion instructions are two seconds, whatever this machine does meanwhile.
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

# Real seconds that a slow and busy machine may take for a boot, and for what is asked of the Pi.
PATIENCE_S, ANSWER_S = 900.0, 120.0

PROMPT = re.compile(rb"root@pizero:[^\n]*# ")

# The BCM2835's register of the levels of pins 0 to 31 ("BCM2835 ARM Peripherals", 6.1, GPLEV0).
LEVELS = 0x20200034


class PiError(Exception):
    """The emulated Pi does not do what a Pi does."""


class Pi:
    """An emulated Pi that is switched on.

    Parameters
    ----------
    folder : what make_image.sh has made
    log : all that the console says is added to it
    card : an image of one, to write to; without it what is written to the folder's is forgotten
    """

    def __init__(self, folder: Path, log: Path, card: Path | None = None) -> None:
        self._log = log.open("ab")
        self._heard = b""
        self._monitor_folder = tempfile.TemporaryDirectory()
        monitor = f"{self._monitor_folder.name}/monitor"
        drive = f"file={card or folder / 'card.img'},if=sd,format=raw,snapshot={'off' if card else 'on'}"
        self._process = subprocess.Popen(
            [
                *("qemu-system-arm", "-M", "raspi0", "-kernel", folder / "vmlinuz"),
                *("-initrd", folder / "initrd.gz", "-dtb", folder / "zero.dtb"),
                *("-append", "console=ttyAMA0,115200 root=/dev/mmcblk0 rw quiet net.ifnames=0"),
                *("-drive", drive, "-icount", "shift=1"),
                *("-netdev", "user,id=net", "-device", "usb-net,netdev=net"),
                *("-display", "none", "-no-reboot", "-serial", "stdio"),
                *("-qmp", f"unix:{monitor},server=on,wait=off"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._monitor = _connect(monitor)
        self._command("qmp_capabilities")

    def listen(self, seconds: float) -> None:
        """Take what the console says."""
        assert self._process.stdout is not None
        if select.select([self._process.stdout], [], [], seconds)[0]:
            said = os.read(self._process.stdout.fileno(), 65536)
            if not said:
                raise PiError(f"it has ended: {self._heard[-2000:].decode(errors='replace')}")
            self._heard += said
            self._log.write(said)
            self._log.flush()

    def expect(self, wanted: re.Pattern[bytes], seconds: float) -> re.Match[bytes] | None:
        """Wait until the console says it."""
        until = time.monotonic() + seconds
        while (found := wanted.search(self._heard)) is None:
            if time.monotonic() > until:
                return None
            self.listen(0.2)
        self._heard = self._heard[found.end() :]
        return found

    def ask(self, command: str, seconds: float = ANSWER_S) -> str:
        """Run a command in its shell; returns what that says.

        Raises
        ------
        PiError : if it takes more than so many real seconds
        """
        assert self._process.stdin is not None
        # The echo of the command does not hold the mark as it is printed.
        self._process.stdin.write(f"echo BE''GIN; {command}; echo E''ND\n".encode())
        self._process.stdin.flush()
        found = self.expect(re.compile(rb"BEGIN\r?\n(.*?)\r?\n?END", re.DOTALL), seconds)
        if found is None:
            raise PiError(f"no answer within {seconds:g} real seconds to: {command}")
        return found[1].decode(errors="replace").replace("\r", "").strip()

    def read_pins(self) -> set[int]:
        """Tell which pins are high."""
        told = self._command("human-monitor-command", {"command-line": f"xp /1wx {LEVELS:#x}"})
        levels = int(str(told).split(":")[1], 16)
        return {pin for pin in range(32) if levels >> pin & 1}

    def cut_power(self) -> None:
        """Switch it off, without a word."""
        self._process.kill()
        self._process.wait()
        self._monitor.close()
        self._monitor_folder.cleanup()
        self._log.close()

    def _command(self, name: str, arguments: dict[str, Any] | None = None) -> Any:
        request = {"execute": name, "arguments": arguments or {}}
        self._monitor.sendall(json.dumps(request).encode() + b"\n")
        received = b""
        while True:
            received += self._monitor.recv(65536)
            for line in received.splitlines(keepends=True):
                if line.endswith(b"\n") and "return" in (answer := json.loads(line)):
                    return answer["return"]


def _connect(path: str) -> socket.socket:
    monitor = socket.socket(socket.AF_UNIX)
    monitor.settimeout(60)
    until = time.monotonic() + 60
    while True:
        try:
            monitor.connect(path)
            return monitor
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
