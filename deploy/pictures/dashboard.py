"""Take the README's pictures of the dashboard's page anew:  python -m deploy.pictures.dashboard  (a minute).

Wants a broker, Chromium and playwright; and MNIST, or the devices see drawn digits.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from deploy.pictures.devices import FALLS_SILENT, IN_THE_DARK, READS, Devices, start_devices
from shared.atomic_file import write_atomically
from shared.strokes import FORMS, write_strokes

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = Path(__file__).parent

# A digit that is waited for may come late.
WAIT_MS = 300_000

# The README says that the desk reads this one; so many at least are in its list then.
HELD_UP, LISTED = 5, 8

# Of the hidden nodes, the strongest first, this one is looked at.
CHOSEN_NODE = 8

# The drawing's share of the sheet, and the seed of the hand that draws.
SPAN, HAND = 0.7, 7

# The answer is to the whole drawing so long after the pen is lifted; those before it may look alike.
SETTLES_MS = 1_000


def main() -> None:
    """Take all three pictures."""
    with open_browser() as browser, start_devices() as devices, serve_page(devices) as link:
        picture_drawing(browser, link)
        picture_inside(browser, link)
        picture_devices(browser, link, devices)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Open Chromium without a window."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("no Chromium: install Debian's package chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        sys.exit("no playwright: pip install 'inkling-pi[test]'")
    # Chromium has no sandbox for root, and opens nothing but our own page here.
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=["--no-sandbox"]) as browser,
    ):
        yield browser


@contextmanager
def serve_page(devices: Devices) -> Iterator[str]:
    """Run `inkling-trainer dashboard`; gives the link that it prints."""
    library = devices.folder / "library.sqlite"
    command = ["dashboard", "--broker", f"127.0.0.1:{devices.port}", "--port", "0", "--library", str(library)]
    with subprocess.Popen(
        [sys.executable, "-m", "trainer", *command], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[1]
        finally:
            process.kill()


def picture_drawing(browser: Browser, link: str) -> None:
    """Draw an eight on a telephone."""
    page = open_page(browser, f"{link}#draw", (390, 740), "light")
    draw_digit(page, 8)
    take(page, "dashboard-draw.png")


def picture_inside(browser: Browser, link: str) -> None:
    """Draw a three, and look into the network that reads it."""
    page = open_page(browser, f"{link}#draw", (1100, 1479), "dark", scale=9 / 11)
    draw_digit(page, 3)
    page.click("nav a[href='#inside']")
    page.locator("#spoke-answer .answer-digit", has_text="3").wait_for()
    page.locator("#nodes button").nth(CHOSEN_NODE - 1).click()
    take(page, "dashboard-inside.png")


def picture_devices(browser: Browser, link: str, devices: Devices) -> None:
    """See one device read, another gone, and the third in the dark."""
    page = open_page(browser, link, (1200, 720), "light", scale=11 / 12)
    cards = {name: page.locator(".card", has_text=name) for name in (READS, FALLS_SILENT, IN_THE_DARK)}
    cards[READS].click()
    cards[IN_THE_DARK].filter(has_text="too dark").wait_for()
    page.locator(".history li").nth(LISTED - 1).wait_for()
    devices.silence()
    cards[FALLS_SILENT].filter(has_text="offline").wait_for()
    # What is held up must also be the last that was read, or the picture would be of another.
    page.locator(
        f"#device:has(.answer-digit:not(.past):text-is('{HELD_UP}'))"
        f" .history li:first-child .item-digit:text-is('{HELD_UP}')"
    ).wait_for()
    take(page, "dashboard-devices.png")


def open_page(
    browser: Browser,
    link: str,
    size: tuple[int, int],
    colours: Literal["light", "dark"],
    scale: float = 1.0,
) -> Page:
    """Open the page in a window of this size, for one who likes these colours.

    Parameters
    ----------
    scale : pixels of the picture to one of the window's size
    """
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]}, color_scheme=colours, device_scale_factor=scale
    )
    page.set_default_timeout(WAIT_MS)
    page.goto(link)
    return page


def draw_digit(page: Page, digit: int) -> None:
    """Draw a digit on the sheet as a hand would, and wait for the answer."""
    sheet = page.locator("#paper").bounding_box()
    assert sheet is not None
    for line in write_strokes(FORMS[digit][0], np.random.default_rng(HAND), liveliness=0.4):
        points = (sheet["x"], sheet["y"]) + sheet["width"] * (0.5 + SPAN * (line - 0.5))
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points:
            page.mouse.move(*point)
        page.mouse.up()
    page.locator("#drawing-answer .answer-digit", has_text=str(digit)).wait_for()
    page.wait_for_timeout(SETTLES_MS)


def take(page: Page, name: str) -> None:
    """Take a picture of what the window shows, in no more colours than make a small file."""
    page.mouse.move(0, 0)  # a button under it would look otherwise
    content = io.BytesIO()
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(256, kmeans=1, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
    write_atomically(FOLDER / name, content.getvalue())


if __name__ == "__main__":
    main()
