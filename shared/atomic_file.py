"""Write a file so that, whatever happens, either the old one or the whole new one is there."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary file beside `path`, bring it to the disk, and rename it.

    Raises
    ------
    FileExistsError : if there is something else than a file, such as a device
    OSError : if the disk is full, the folder missing or not writable; nothing is left behind then
    """
    given, path = path, path.resolve()  # a link stays a link, and what it leads to is replaced
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "not a plain file: it is not overwritten", str(given))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
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
