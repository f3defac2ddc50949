"""The dashboard as a process, and who looks at its page."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import zlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from deploy.broker import find_free_port
from shared.messages import encode_image
from shared.strokes import draw_digit
from tests.conftest import ROOT
from tests.subscriber import Subscriber


class Dashboard:
    """`inkling-trainer dashboard`, with a library of its own.

    Attributes
    ----------
    link : what it printed, to be opened
    """

    def __init__(self, folder: Path, broker_port: int, *options: object) -> None:
        self.library = folder / "library.sqlite"
        self.log = folder / "dashboard.log"
        command = [
            *(sys.executable, "-m", "trainer", "dashboard", "--broker", f"127.0.0.1:{broker_port}"),
            *("--port", find_free_port(), "--library", self.library, *options),
        ]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                list(map(str, command)), stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT
            )
        assert self._process.stdout is not None
        self._output = self._process.stdout
        words = self._output.readline().split()
        assert words, self.log.read_text()
        self.link = words[1]
        self.pid = self._process.pid

    @property
    def host(self) -> str:
        """Its address, with the port."""
        return urlsplit(self.link).netloc

    @property
    def token(self) -> str | None:
        """The token in its link, if it has one."""
        return parse_qs(urlsplit(self.link).query).get("token", [None])[0]

    def ask(
        self, path: str, content: object = None, address: str = "127.0.0.1", **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """Ask as no browser would, with these headers; gives the status, the body and the headers."""
        connection = http.client.HTTPConnection(address, urlsplit(self.link).port, timeout=30)
        body = content if isinstance(content, bytes | None) else json.dumps(content).encode()
        sent = {"Host": self.host, "Origin": f"http://{self.host}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        try:
            connection.request("GET" if content is None else "POST", path, body, sent)
            response = connection.getresponse()
            return response.status, response.read(), {k.lower(): v for k, v in response.getheaders()}
        finally:
            connection.close()

    def ask_json(self, path: str, content: object = None) -> dict:
        """Ask as the page does."""
        return json.loads(self.ask(path, content)[1])

    def stop(self) -> int:
        """Press Ctrl-C; gives the exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            status = self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        finally:
            self._output.close()
        return status


def find_chromium() -> str:
    """Find the browser, or skip the test."""
    pytest.importorskip("playwright", reason="playwright is not installed")
    return (
        os.environ.get("CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("google-chrome")
        or pytest.skip("there is no Chromium: apt-get install chromium")
    )


class Visitor:
    """Somebody who looks at the page, and sees to it that it keeps its manners.

    Attributes
    ----------
    page : Playwright's
    complaints : errors in the console, and what was asked for elsewhere
    """

    def __init__(self, browser, link: str, **options) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.complaints: list[str] = []
        self._here = urlsplit(link).netloc
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._watch)
        self.page.goto(link)

    def _hear(self, message) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _watch(self, request) -> None:
        if urlsplit(request.url).netloc != self._here and not request.url.startswith("blob:"):
            self.complaints.append(f"asked for {request.url}")

    def see(self, selector: str, text: str = "") -> None:
        """Wait until something with this text can be seen."""
        self.page.locator(selector).filter(has_text=text).first.wait_for(state="visible")

    def wait_for_broker(self) -> None:
        """Wait until the page knows that its server listens: what is said before is not heard."""
        self.page.locator("#learn-library:not(:empty)").wait_for(state="attached")
        self.page.locator(".trouble").wait_for(state="detached")

    def go(self, view: str) -> None:
        """Go to another view, as one who clicks would."""
        self.page.click(f"nav a[href='#{view}']")


def say_event(subscriber: Subscriber, device: str, **changes: object) -> None:
    """Say in a device's name that it read a seven."""
    event = {
        "digit": 7,
        "confidence": 0.95,
        "outputs": [0.01] * 7 + [0.99] + [0.01] * 2,
        "id": f"{device} {changes}",
        "model": "0123456789ab",
        "seq": 1,
        "latency_ms": 9.0,
        "image": encode_image(draw_digit(7, np.random.default_rng(zlib.crc32(str(changes).encode())))),
    }
    subscriber.publish(f"inkling/{device}/event", json.dumps(event | changes))
