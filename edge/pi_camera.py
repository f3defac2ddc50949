"""The Pi's own camera, through picamera2."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from threading import Event
from typing import Any

import numpy as np

from edge.camera import Frame, Report
from edge.config import CameraSettings
from edge.errors import CameraError

log = logging.getLogger(__name__)

# A capture that takes longer has died: plain capture_array() would wait for ever.
CAPTURE_TIMEOUT_S = 2.0

# How often a dead camera is opened anew before the service gives up and lets systemd start it again.
REOPENINGS = 3
REOPENING_PAUSE_S = 1.0

# Exposure and white balance settle within about a second; then they are held, so that a hand in front of the
# paper does not change its grey.
SETTLING_FRAMES = 15

NO_CAMERA = (
    "no camera, or another program has it: stop that ('sudo systemctl stop inkling-edge'), or check its "
    "ribbon cable at both ends and try 'rpicam-hello --list-cameras'; without one, set camera.kind "
    "to 'folder' or 'simulated'"
)


class PiCamera:
    """Takes the Y plane of the 'lores' stream, which is grey already and costs nothing.

    One camera configuration is used for the life of the process, because switching modes can hang a Zero W.

    Raises
    ------
    CameraError : if picamera2 is not installed, or there is no camera
    """

    def __init__(self, settings: CameraSettings) -> None:
        self._settings = settings
        self._camera: Any = None
        # A camera that cannot keep the rate itself is asked at that rate.
        self._pause_s = 0.0
        self._open()

    def frames(self, stop: Event, report: Report) -> Iterator[Frame]:
        """Yield frames at the configured rate; `Camera` has the rest."""
        failures, taken = 0, 0
        while not stop.is_set():
            try:
                pixels = self._capture()
                taken += 1
                if taken == SETTLING_FRAMES:
                    self._hold_exposure()
            except (TimeoutError, RuntimeError, OSError, CameraError) as error:
                failures += 1
                report(f"{str(error) or 'no picture in time'}: opening it anew")
                self.close()
                if failures > REOPENINGS:
                    raise CameraError(
                        f"the camera gave no picture in {failures} tries: check its cable"
                    ) from error
                if stop.wait(REOPENING_PAUSE_S):
                    return
                taken = 0
                continue
            failures = 0
            report(None)
            yield Frame(pixels, time.monotonic())
            if self._pause_s and stop.wait(self._pause_s):
                return

    def _capture(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        if self._camera is None:
            self._open()
        planes = self._camera.capture_array("lores", wait=CAPTURE_TIMEOUT_S)
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
        try:
            from picamera2 import Picamera2
        except ImportError as error:
            raise CameraError(
                "picamera2 is not installed: 'sudo apt install python3-picamera2', or set camera.kind to "
                "'folder' or 'simulated'"
            ) from error
        size = (self._settings.width, self._settings.height)
        try:
            self._camera = Picamera2()
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": size},
                    lores={"size": size, "format": "YUV420"},
                    controls=self._allowed({"FrameRate": self._settings.frames_per_second}),
                    buffer_count=2,
                )
            )
            self._camera.start()
            rate = self._settings.frames_per_second
            self._pause_s = 0.0 if self._allowed({"FrameRate": rate}) else 1 / rate
        except (IndexError, RuntimeError, OSError) as error:
            self.close()
            raise CameraError(f"{NO_CAMERA} ({error})") from error

    def _allowed(self, controls: dict[str, object]) -> dict[str, object]:
        """Keep the controls that this camera has; setting another raises."""
        return {name: value for name, value in controls.items() if name in self._camera.camera_controls}

    def _hold_exposure(self) -> None:
        metadata = self._camera.capture_metadata(wait=CAPTURE_TIMEOUT_S)
        wanted = self._allowed(
            {
                name: metadata[name]
                for name in ("ExposureTime", "AnalogueGain", "ColourGains")
                if name in metadata
            }
        )
        automatic = self._allowed({"AeEnable": False, "AwbEnable": False})
        if wanted:
            self._camera.set_controls({**automatic, **wanted})
            log.info("camera: held at %s", wanted)
