"""The machine that this runs on: what tells it from every other, and its model."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass
from pathlib import Path

_DEVICE_TREE = Path("sys/firmware/devicetree/base")

# Nobody's: what some boards have in place of a serial number of their own, and machine-id at the first start.
_SERIAL_NUMBER = re.compile(r"(?!0+$)[0-9a-f]{8,}", re.IGNORECASE)
_MACHINE_ID = re.compile(r"(?!0+$)[0-9a-f]{32}")

# Hexadecimal digits of an id: two among a million machines have the same once in 10^7 tries.
ID_LENGTH = 16


@dataclass(frozen=True)
class Machine:
    """A machine.

    Attributes
    ----------
    id : 16 hexadecimal digits that stay whatever it is called; a hash, so that what it is made of is not
        told to everybody who hears it
    model : such as "Raspberry Pi Zero W Rev 1.1", or None where no device tree tells
    """

    id: str
    model: str | None = None


def identify_machine(root: Path = Path("/")) -> Machine:
    """Tell which machine this is.

    By the Raspberry Pi's serial number, which outlives the SD card; else by systemd's machine-id, else by the
    address of a network card.

    Parameters
    ----------
    root : of the file system
    """
    serial_number = _read(root / _DEVICE_TREE / "serial-number")
    machine_id = _read(root / "etc/machine-id")
    if _SERIAL_NUMBER.fullmatch(serial_number):
        secret = f"serial number {serial_number}"
    elif _MACHINE_ID.fullmatch(machine_id):
        secret = f"machine-id {machine_id}"
    else:
        secret = f"network card {uuid.getnode():012x}"
    # Led by our name, so that it is not another program's hash of the same, as machine-id(5) asks.
    digest = hashlib.sha256(f"inkling {secret}".encode()).hexdigest()
    return Machine(digest[:ID_LENGTH], _read(root / _DEVICE_TREE / "model") or None)


def _read(path: Path) -> str:
    """Read a file's text; it is empty where there is none. The device tree's end with a zero byte."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""
