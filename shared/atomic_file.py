"""Write a file so that, whatever happens, either the old one or the whole new one is there."""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from glob import escape
from pathlib import Path

# A temporary file this old is of a process that was killed: none takes so long to write.
STALE_S = 3600.0


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary file beside `path`, bring it to the disk, and rename it.

    What a process that was killed while it wrote `path` left there, an hour ago or more, is removed.

    Raises
    ------
    FileExistsError : if there is something else than a file, such as a device
    OSError : if the disk is full, the folder missing or not writable; nothing is left behind then
    """
    given, path = path, path.resolve()  # a link stays a link, and what it leads to is replaced
    temporary = _name_temporary(path, given)
    _remove_stale(path)
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            # Whoever reads the message knows the file by the name that they gave it.
            error.filename = str(given)
        raise
    # Only the folder's own fsync makes the new name outlive a power cut.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def check_writable(path: Path) -> None:
    """Try whether `write_atomically` can write there, and leave nothing behind; it raises what that would."""
    temporary = _name_temporary(path.resolve(), path)
    try:
        temporary.open("xb").close()
    except OSError as error:
        error.filename = str(path)
        raise
    temporary.unlink()


def _name_temporary(path: Path, given: Path) -> Path:
    """Name a file beside `path` that `path` may be replaced by; its name is never too long."""
    try:
        is_plain = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        is_plain = True
    if not is_plain:
        raise FileExistsError(errno.EEXIST, "not a plain file: it is not overwritten", str(given))
    return path.with_name(f".{path.name[:40]}.{os.urandom(4).hex()}.tmp")


def _remove_stale(path: Path) -> None:
    """Remove temporary files for `path` that nobody writes any more, as far as that can be done."""
    with suppress(OSError):
        for stale in path.parent.glob(f".{escape(path.name[:40])}.{'[0-9a-f]' * 8}.tmp"):
            if time.time() - stale.stat().st_mtime > STALE_S:
                stale.unlink()
