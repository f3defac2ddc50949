"""`inkling-trainer collect`, while a test goes on."""

import json
import signal
import subprocess
import sys
import threading

from tests.conftest import ROOT


class Collect:
    """`inkling-trainer collect --json` as a process."""

    def __init__(self, port, folder, *options):
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "trainer", "collect", "--json", "--broker", f"127.0.0.1:{port}"),
                *("--library", str(folder / "library.sqlite"), *options),
            ],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.kept = []
        self._reader = threading.Thread(target=self._follow)
        self._reader.start()

    def _follow(self):
        self.kept.extend(map(json.loads, iter(self._process.stdout.readline, "")))

    def stop(self, number=signal.SIGINT):
        """End it, if it was not ended before; returns the exit status."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        status = self._process.wait(timeout=60)
        self._reader.join()
        self._process.stdout.close()
        return status
