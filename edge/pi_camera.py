"""The Pi's own camera, through picamera2."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Iterator
from threading import Event
from typing import Any

import numpy as np

from edge.camera import Frame, Report
from edge.config import CameraSettings
from edge.errors import CameraError
from edge.exposure import Exposure

log = logging.getLogger(__name__)

# A capture that takes longer has died: plain capture_array() would wait for ever.
CAPTURE_TIMEOUT_S = 2.0

# How often a dead camera is opened anew before the service gives up and lets systemd start it again.
REOPENINGS = 3
REOPENING_PAUSE_S = 1.0

NO_CAMERA = (
    "no camera, or another program has it: stop that ('sudo systemctl stop inkling-edge'), or check its "
    "ribbon cable at both ends and try 'rpicam-hello --list-cameras'; without one, set camera.kind "
    "to 'folder' or 'simulated'"
)


class PiCamera:
    """Takes the Y plane of the 'lores' stream, which is grey already and costs nothing.

    It is opened with the first frame that is asked for, and a few times more if that fails: a camera may be
    late, or come back. One configuration is used all the time, because switching modes can hang a Zero W.

    Raises
    ------
    CameraError : if picamera2 is not installed
    """

    def __init__(self, settings: CameraSettings) -> None:
        self._settings = settings
        self._camera: Any = None
        self._exposure = Exposure(())
        self._pause_s = 0.0
        import_picamera2()

    def frames(self, stop: Event, report: Report) -> Iterator[Frame]:
        """Yield frames at the configured rate; `Camera` has the rest."""
        failures = 0
        while not stop.is_set():
            try:
                pixels = self._capture()
            except (TimeoutError, RuntimeError, OSError) as error:
                failures += 1
                report(f"{str(error) or 'no picture in time'}: opening it anew")
                if failures > REOPENINGS:
                    if isinstance(error, CameraError):
                        raise
                    raise CameraError(
                        f"the camera gave no picture in {failures} tries: check its cable"
                    ) from error
            else:
                failures = 0
                report(None)
                yield Frame(pixels, time.monotonic())
                if self._pause_s:
                    stop.wait(self._pause_s)
                continue
            # libcamera only looks for cameras anew when nothing refers to the old one any more: neither the
            # error, which is why this comes after it, nor picamera2's objects each other.
            self.close()
            gc.collect()
            stop.wait(REOPENING_PAUSE_S)

    def _capture(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        if self._camera is None:
            self._open()
        if self._exposure.is_held:
            planes = self._camera.capture_array("lores", wait=CAPTURE_TIMEOUT_S)
        else:
            (planes,), metadata = self._camera.capture_arrays(["lores"], wait=CAPTURE_TIMEOUT_S)
            if controls := self._exposure.observe(metadata):
                self._camera.set_controls(controls)
        # YUV420 comes as one tall array, the Y plane on top; rows may be padded on the right.
        return np.ascontiguousarray(planes[: self._settings.height, : self._settings.width])

    def close(self) -> None:
        """Stop the camera, in the order that works for a dead one too."""
        camera, self._camera = self._camera, None
        if camera is None:
            return
        for step in (camera.cancel_all_and_flush, camera.stop, camera.close):
            try:
                step()
            except Exception:  # whatever a dying camera raises must not keep us from opening it anew
                log.exception("camera: while closing")

    def _open(self) -> None:
        size = (self._settings.width, self._settings.height)
        try:
            self._camera = import_picamera2()()
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": size},
                    lores={"size": size, "format": "YUV420"},
                    buffer_count=2,
                )
            )
            controls = self._camera.camera_controls
            self._exposure = Exposure(tuple(controls))
            self._keep_rate(*controls.get("FrameDurationLimits", (0, 0))[:2])
            self._camera.start()
        except (IndexError, RuntimeError, OSError) as error:
            self.close()
            raise CameraError(f"{NO_CAMERA} ({error})") from error

    def _keep_rate(self, shortest_us: int, longest_us: int) -> None:
        """Have the camera keep the rate, or where it cannot, be asked at that rate."""
        frame_us = round(1e6 / self._settings.frames_per_second)
        if shortest_us <= frame_us <= longest_us:
            self._pause_s = 0.0
            self._camera.set_controls({"FrameDurationLimits": (frame_us, frame_us)})
        else:
            self._pause_s = frame_us / 1e6


def import_picamera2() -> Any:
    """Import picamera2's class.

    Raises
    ------
    CameraError : if it is not installed
    """
    try:
        from picamera2 import Picamera2
    except ImportError as error:
        raise CameraError(
            "picamera2 is not installed: 'sudo apt install python3-picamera2', or set camera.kind to "
            "'folder' or 'simulated'"
        ) from error
    return Picamera2
