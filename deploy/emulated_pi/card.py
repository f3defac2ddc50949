"""The emulated Pi's SD card: Inkling from its package, ten images to look at, and who may deliver weights."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from shared.strokes import draw_digit
from trainer.signing import load_key, tell_public_key

HERE = Path(__file__).parent
PORT = 18830  # the broker's, on this machine
DIGIT_PINS = range(4, 14)  # for 0 to 9
STATUS_PIN = 21
CONFIGURATION = """\
[camera]
kind = "folder"
folder.path = "/srv/images"
[network]
keys = ["{key}"]
trial_s = 2.0
[mqtt]
host = "10.0.2.2"
port = {port}
[health]
interval_s = 10.0
[leds]
kind = "ten"
pins = {pins}
status_pin = {status_pin}
"""


def make_card(folder: Path, package: Path) -> None:
    """Make it, and all else that switching the Pi on takes.

    Parameters
    ----------
    folder : is made anew; `key` in it signs weights for this Pi
    package : inkling-edge's
    """
    if os.geteuid():
        sys.exit("only root can make the card: run this with sudo")
    print(f"making {folder} (some minutes) ...", flush=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        images, configuration, key = work / "images", work / "edge.toml", work / "key"
        draw_images(images)
        keygen: list[Path | str] = [sys.executable, "-m", "trainer", "keygen", "--signing-key", key]
        subprocess.run(keygen, check=True, stdout=subprocess.DEVNULL)
        configuration.write_text(
            CONFIGURATION.format(
                key=tell_public_key(load_key(key)), port=PORT, pins=list(DIGIT_PINS), status_pin=STATUS_PIN
            )
        )
        make: list[Path | str] = [HERE / "make_image.sh", folder, package, images, configuration]
        subprocess.run([*make, sys.executable], check=True)
        shutil.copy(key, folder / "key")


def draw_images(folder: Path) -> None:
    """Draw ten cards, a digit each."""
    folder.mkdir(parents=True, exist_ok=True)
    for digit in range(10):
        ink = Image.fromarray(np.uint8(255 * draw_digit(digit, np.random.default_rng(0)))).resize((160, 160))
        card = Image.new("L", (320, 240), 200)
        card.paste(30, (80, 40), ink)
        card.save(folder / f"{digit}.png")
