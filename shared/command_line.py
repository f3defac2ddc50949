"""What every command of the project does the same way: how it ends, and how it says what went wrong."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import IO

from shared.errors import InklingError
from shared.printable import make_printable

# Where a broker's password is, if not in a file.
PASSWORD_VARIABLE = "INKLING_MQTT_PASSWORD"

FAILED = 1
INTERRUPTED = 130


def run_command(name: str, command: Callable[[], int]) -> int:
    """Run a command and turn what a user can cause into one line and an exit status.

    Returns
    -------
    the command's own status; 1 after an `InklingError` or an `OSError` (a full disk, a folder without
    permission), 130 after Ctrl-C
    """
    # None is one that was closed: what is printed to it must not come out elsewhere.
    sys.stdout, sys.stderr = (
        stream or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w") for stream in (sys.stdout, sys.stderr)
    )
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file's name may hold bytes that are no text; it is printed all the same.
            stream.reconfigure(errors="backslashreplace")
    try:
        status = command()
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        _say(f"{name}: interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone.
        discard_output(sys.stdout)
        return FAILED
    except InklingError as error:
        _say(f"{name}: {make_printable(str(error), None)}")
        return FAILED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _say(f"{name}: {make_printable(f'{where}{error.strerror or error}', None)}")
        return FAILED


def discard_output(stream: IO[str]) -> None:
    """Let what is written to a stream that failed go nowhere; Python would complain once more as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say(text: str) -> None:
    try:
        print(text, file=sys.stderr)
    except OSError:
        discard_output(sys.stderr)
