"""A folder of image files in place of a camera: each is shown for a time, in the order of their names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from edge.camera import Frame, Report
from edge.config import CameraSettings
from edge.errors import CameraError
from shared.errors import BadPictureError
from shared.photograph import SUFFIXES, read_photograph


class FolderCamera:
    """Shows the images in a folder.

    Raises
    ------
    CameraError : if the folder is missing or holds no images
    """

    def __init__(self, settings: CameraSettings) -> None:
        self._settings = settings
        folder = Path(settings.folder.path)
        if not folder.is_dir():
            raise CameraError(f"no folder {folder}: set camera.folder.path to a folder of images")
        self._paths = sorted(
            path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()
        )
        if not self._paths:
            raise CameraError(f"no images in {folder}: put some .jpg or .png files there")

    def frames(self, stop: Event, report: Report) -> Iterator[Frame]:
        """Yield each image over and over for its time, then the next; `Camera` has the rest."""
        from PIL import Image  # a Pi that looks through its camera never needs it

        interval = 1 / self._settings.frames_per_second
        readable = True
        while readable:
            readable = False
            for path in self._paths:
                try:
                    pixels = read_photograph(path, Image.open)
                except BadPictureError as error:
                    report(str(error))
                    continue
                report(None)
                readable = True
                until = time.monotonic() + self._settings.folder.seconds_each
                while (now := time.monotonic()) < until:
                    yield Frame(pixels, now, path.name)
                    if stop.wait(interval):
                        return
            if readable and not self._settings.folder.repeat:
                return
        raise CameraError(f"no image in {self._settings.folder.path} can be read: put others there")

    def close(self) -> None:
        """Nothing to let go of."""
