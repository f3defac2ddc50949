"""Cameras: where frames come from. Each kind is a peer of the others, chosen in the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from threading import Event
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from edge.config import CameraSettings


class Frame(NamedTuple):
    """One look.

    Attributes
    ----------
    pixels : uint8 (height, width), grey
    time : monotonic seconds when it was taken
    shows : what the camera knows to be in it (a file's name, a simulated digit), or None
    """

    pixels: npt.NDArray[np.uint8]
    time: float
    shows: str | None = None


# Told what is wrong with the camera, or None when nothing is any more.
Report = Callable[[str | None], None]


class Camera(Protocol):
    """What the daemon needs of a camera."""

    def frames(self, stop: Event, report: Report) -> Iterator[Frame]:
        """Yield frames until `stop` is set, or there are no more; trouble that may pass is reported.

        Raises
        ------
        CameraError : if the camera is dead and cannot be brought back
        """

    def close(self) -> None:
        """Let go of the hardware; may be called twice."""


# The module and the class of each kind. Only the one that is chosen is imported: picamera2 takes seconds.
CAMERAS = {
    "picamera2": ("pi_camera", "PiCamera"),
    "folder": ("folder_camera", "FolderCamera"),
    "simulated": ("simulated_camera", "SimulatedCamera"),
}


def open_camera(settings: CameraSettings) -> Camera:
    """Open the camera that the configuration chooses.

    Raises
    ------
    CameraError : if there is none, saying what to do
    """
    module, name = CAMERAS[settings.kind]
    camera: Camera = getattr(import_module(f"edge.{module}"), name)(settings)
    return camera
