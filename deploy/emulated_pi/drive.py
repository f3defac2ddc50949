"""Switches an emulated Pi Zero on, with Inkling from its package, and sees whether the right digits arrive.

The Pi (QEMU's raspi0) looks at ten images in a folder; a Mosquitto on this machine hears it. Times are the
Pi's own: a billion instructions are two seconds, whatever this machine does meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import select
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from PIL import Image

from deploy.broker import start_mosquitto
from shared.strokes import draw_digit

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
FOLDER = PROJECT / "build" / "raspi0"
PORT = 18830

# Real seconds that a slow and busy machine may take for a boot, and for what is asked of the Pi.
PATIENCE_S, ANSWER_S = 900.0, 120.0

PROMPT = re.compile(rb"root@pizero:[^\n]*# ")

SHOW = "systemctl show inkling-edge --value"
QUESTIONS = {
    "seconds from power-on until now": "cut -d' ' -f1 /proc/uptime",
    "the service": f"{SHOW} -p ActiveState -p NRestarts -p StatusText | paste -sd' '",
    "started at (microseconds)": f"{SHOW} -p ExecMainStartTimestampMonotonic",
    "ready at (microseconds)": f"{SHOW} -p ActiveEnterTimestampMonotonic",
    "peak memory": f"grep VmHWM /proc/$({SHOW} -p MainPID)/status | tr -s '\\t ' ' '",
    "boot": "systemd-analyze | head -1",
}


# Ends or stops the daemon, and waits until another is ready; says when it did, and when that was.
RECOVER = (
    "old=$({show} -p MainPID); cut -d' ' -f1 /proc/uptime; kill -{signal} $old; "
    'until [ "$(systemctl is-active inkling-edge)" = active ] && [ "$({show} -p MainPID)" != "$old" ]; '
    "do sleep 0.5; done; cut -d' ' -f1 /proc/uptime"
)
LONGEST_RECOVERY_S = 30.0


def draw_images(folder: Path) -> None:
    """Draw ten cards, a digit each."""
    folder.mkdir(parents=True, exist_ok=True)
    for digit in range(10):
        ink = Image.fromarray(np.uint8(255 * draw_digit(digit, np.random.default_rng(0)))).resize((160, 160))
        card = Image.new("L", (320, 240), 200)
        card.paste(30, (80, 40), ink)
        card.save(folder / f"{digit}.png")


class Pi:
    """An emulated Pi that is switched on, and its serial console.

    Parameters
    ----------
    folder : what make_image.sh has made
    log : where all that the console says is written to
    """

    def __init__(self, folder: Path, log: Path) -> None:
        self._log = log.open("wb")
        self._heard = b""
        self._process = subprocess.Popen(
            [
                *("qemu-system-arm", "-M", "raspi0", "-kernel", folder / "vmlinuz"),
                *("-initrd", folder / "initrd.gz", "-dtb", folder / "zero.dtb"),
                *("-append", "console=ttyAMA0,115200 root=/dev/mmcblk0 rw quiet net.ifnames=0"),
                # What is written to the card is forgotten.
                *("-drive", f"file={folder / 'card.img'},if=sd,format=raw,snapshot=on"),
                *("-netdev", "user,id=net", "-device", "usb-net,netdev=net", "-icount", "shift=1"),
                *("-display", "none", "-no-reboot", "-monitor", "none", "-serial", "stdio"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def listen(self, seconds: float) -> None:
        """Take what the console says."""
        assert self._process.stdout is not None
        if select.select([self._process.stdout], [], [], seconds)[0]:
            said = os.read(self._process.stdout.fileno(), 65536)
            if not said:
                sys.exit(f"the emulated Pi has ended: {self._heard[-2000:].decode(errors='replace')}")
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
        """Run a command in its shell; returns what that says within so many real seconds."""
        assert self._process.stdin is not None
        # The echo of the command does not hold the mark as it is printed.
        self._process.stdin.write(f"echo BE''GIN; {command}; echo E''ND\n".encode())
        self._process.stdin.flush()
        found = self.expect(re.compile(rb"BEGIN\r?\n(.*?)\r?\n?END", re.DOTALL), seconds)
        return found[1].decode(errors="replace").replace("\r", "").strip() if found else "no answer"

    def cut_power(self) -> None:
        """Switch it off, without a word."""
        self._process.kill()
        self._process.wait()
        self._log.close()


class Listener:
    """Hears at the broker what the Pi says."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.availability: list[str] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", PORT)
        self._client.subscribe("inkling/#", qos=1)
        self._client.loop_start()

    def _hear(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        if message.topic.endswith("/event"):
            self.events.append(json.loads(message.payload))
        elif message.topic.endswith("/availability"):
            self.availability.append(json.loads(message.payload)["state"])


def main() -> None:
    """Make the card if there is none, switch on, and tell what comes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help=f"of the card, made anew (default: {FOLDER})"
    )
    parser.add_argument("--package", type=Path, help="inkling-edge's; without it the card is used as it is")
    options = parser.parse_args()
    folder: Path = options.folder
    if options.package:
        if os.geteuid():
            sys.exit("only root can make the card: run this with sudo")
        print(f"making {folder} (some minutes) ...", flush=True)
        with tempfile.TemporaryDirectory() as name:
            draw_images(Path(name))
            make: list[Path | str] = [HERE / "make_image.sh", folder, options.package, name, str(PORT)]
            subprocess.run(make, check=True)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        configuration = f"listener {PORT} 127.0.0.1\nallow_anonymous true\n"
        broker = start_mosquitto(Path(name), PORT, configuration)
        listener, pi = Listener(), Pi(folder, folder / "console.log")
        try:
            good = watch(pi, listener, begin)
        finally:
            pi.cut_power()
            broker.terminate()
            broker.wait()
    sys.exit(not good)


def watch(pi: Pi, listener: Listener, begin: float) -> bool:
    """Tell what arrives, and what the Pi says of itself; returns whether all digits were right."""
    until = begin + PATIENCE_S
    told = 0
    while time.monotonic() < until and len(listener.events) < 11:
        pi.listen(0.2)
        while told < len(listener.events):
            event = listener.events[told]
            told += 1
            print(
                f"{event['digit']} (confidence {event['confidence']:.2f}) "
                f"after {time.monotonic() - begin:.0f} real seconds",
                flush=True,
            )
    pi.expect(PROMPT, PATIENCE_S)
    if listener.events and "ts" in listener.events[0]:
        # The Pi has no clock that keeps the time: it counts on from when its card was made.
        clock, uptime = map(float, pi.ask("echo $(date +%s.%N) $(cut -d' ' -f1 /proc/uptime)").split())
        first = datetime.fromisoformat(listener.events[0]["ts"]).timestamp() - (clock - uptime)
        print(f"seconds from power-on to the first digit: {first:.2f}")
    for what, command in QUESTIONS.items():
        print(f"{what}: {pi.ask(command)}", flush=True)
    if not listener.events:
        print(
            pi.ask(
                "journalctl -b --no-pager -u inkling-edge | tail -30; ip addr; systemctl --failed --no-pager"
            )
        )
        return False
    digits = [event["digit"] for event in listener.events]
    right = all(following == (digit + 1) % 10 for digit, following in pairwise(digits))
    print(f"{len(digits)} digits arrived, {'each the next' if right else 'not in order'}: {digits}")
    recovered = [recover(pi, signal) for signal in ("KILL", "STOP")]
    pi.ask("systemctl stop inkling-edge")
    time.sleep(1)
    print(f"availability: {listener.availability}")
    return right and len(digits) > 10 and all(recovered) and listener.availability[-1:] == ["offline"]


def recover(pi: Pi, signal: str) -> bool:
    """Kill the daemon, or have it hang, and see how long it takes systemd to have another one ready."""
    answer = pi.ask(RECOVER.format(show=SHOW, signal=signal), PATIENCE_S)
    try:
        begin, end = map(float, answer.split())
    except ValueError:
        print(f"after kill -{signal}: {answer}")
        return False
    print(f"after kill -{signal} another is ready within {end - begin:.1f} s", flush=True)
    return end - begin <= LONGEST_RECOVERY_S


if __name__ == "__main__":
    main()
