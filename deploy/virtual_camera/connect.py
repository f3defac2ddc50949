"""Connects the real picamera2 to libcamera's virtual camera, and puts the edge's command on top.

    python3 -m deploy.virtual_camera.connect run --config edge.toml       instead of `inkling-edge run ...`

All that picamera2 and libcamera do, they do here as on a Pi, but for this: buffers are plain memory, because
there is no dma-heap; the camera lists its modes, because it has no raw ones; and it keeps time, because
libcamera's runs as fast as it is read. What befalls a camera is told by files in `CAMERAS`, which may come
and go at any time:

    virtual.yaml  the cameras that libcamera finds when it is asked anew; without it there are none
    pulled        if it is there, no frame comes any more
    hung          if it is there, the camera's thread does not come back from the driver
    sensor.json   what automatic exposure and white balance come to, such as {"ExposureTime": 20000,
                  "AnalogueGain": 2.0, "ColourGains": [1.5, 1.8]}; without it the camera has neither
    controls.log  what it was told: the controls that were set, a JSON object a line
"""

from __future__ import annotations

import json
import mmap
import os
import sys
import time
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

# libcamera looks there; see enter.sh.
CAMERAS = Path("/usr/share/libcamera/pipeline/virtual")

# A sensor that is left to itself comes nearer to what it aims at by this share with each frame.
APPROACH = 0.1

# A sensor's exposure is so many of its lines, each of which takes so long.
LINE_US = 29

FRAME_S = 1 / 30


class _NotInstalled(ModuleType):
    """What picamera2 imports and never uses here: previews, raw files, other programs."""

    def __getattr__(self, name: str) -> Any:
        return type(name, (), {"__getattr__": lambda self, name: name})


for _name in ("pidng", "pidng.camdefs", "pidng.core", "prctl", "pykms"):
    sys.modules[_name] = _NotInstalled(_name)
sys.modules["pykms"].PixelFormat = sys.modules["pykms"].PixelFormat()  # type: ignore[attr-defined]

import libcamera  # noqa: E402
from picamera2 import picamera2  # noqa: E402
from picamera2.allocators.allocator import Allocator  # noqa: E402
from picamera2.request import CompletedRequest  # noqa: E402


class MemoryAllocator(Allocator):  # type: ignore[misc]
    """Gives out buffers of plain memory."""

    def __init__(self) -> None:
        super().__init__()
        self.sync = _Access
        self.memory: dict[Any, mmap.mmap] = {}
        self._buffers: dict[Any, list[Any]] = {}
        self._files: list[int] = []

    def allocate(self, libcamera_config: Any, use_case: Any) -> None:
        """Make the buffers of all streams, in place of those that there were."""
        self.close()
        for stream in libcamera_config:
            self._buffers[stream.stream] = [self._make_buffer(stream) for _ in range(stream.buffer_count)]

    def _make_buffer(self, stream: Any) -> Any:
        file = os.memfd_create("frame")
        os.ftruncate(file, stream.frame_size)
        self._files.append(file)
        brightness, colour = libcamera.FrameBuffer.Plane(), libcamera.FrameBuffer.Plane()
        brightness.fd = colour.fd = file
        brightness.offset, brightness.length = 0, stream.stride * stream.size.height
        colour.offset, colour.length = brightness.length, stream.frame_size - brightness.length
        buffer = libcamera.FrameBuffer([brightness, colour])
        self.memory[buffer] = mmap.mmap(file, stream.frame_size)
        return buffer

    def buffers(self, stream: Any) -> list[Any]:
        """A stream's."""
        return self._buffers[stream]

    def close(self) -> None:
        """Let go of them all."""
        self.memory, self._buffers = {}, {}
        while self._files:
            os.close(self._files.pop())


class _Access:
    """How picamera2 reaches a buffer's memory."""

    def __init__(self, allocator: MemoryAllocator, buffer: Any, write: bool) -> None:
        self._memory = allocator.memory[buffer]

    def __enter__(self) -> mmap.mmap:
        return self._memory

    def __exit__(self, *_: object) -> None:
        pass


class Sensor:
    """Exposure and white balance, which libcamera's virtual camera lacks."""

    CONTROLS = ("ExposureTime", "AnalogueGain", "ColourGains", "AeEnable", "AwbEnable")

    def __init__(self) -> None:
        self._now: dict[str, Any] = {}
        self._by_hand: dict[str, Any] = {}

    @staticmethod
    def aims() -> dict[str, Any]:
        """What it would come to by itself; empty where the camera has no such thing."""
        try:
            aims: dict[str, Any] = json.loads((CAMERAS / "sensor.json").read_text())
        except FileNotFoundError:
            return {}
        return aims

    def set(self, controls: dict[str, Any]) -> None:
        """Take what is set by hand."""
        self._by_hand |= controls
        with (CAMERAS / "controls.log").open("a") as log:
            log.write(json.dumps(controls) + "\n")

    def read(self) -> dict[str, Any]:
        """Go on by a frame, and tell where it is."""
        for name, aim in self.aims().items():
            automatic = self._by_hand.get("AwbEnable" if name == "ColourGains" else "AeEnable", True)
            held = self._by_hand.get(name)
            if not automatic and held is not None:
                self._now[name] = held // LINE_US * LINE_US if name == "ExposureTime" else held
            elif automatic:
                self._now[name] = _approach(self._now.get(name), aim)
        return self._now


def _approach(value: Any, aim: Any) -> Any:
    if isinstance(aim, list):
        return tuple(map(_approach, value or [None] * len(aim), aim))
    return type(aim)(aim / 4 if value is None else value + (aim - value) * APPROACH)


class VirtualPicamera2(picamera2.Picamera2):  # type: ignore[misc]
    """picamera2's own, over the virtual camera."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.sensor, self.frame_s = Sensor(), FRAME_S
        super().__init__(*arguments, **options)

    def _get_raw_modes(self) -> list[dict[str, Any]]:
        formats = self.camera.generate_configuration([libcamera.StreamRole.Viewfinder]).at(0).formats
        return [
            {"format": str(pixels), "size": (size.width, size.height)}
            for pixels in formats.pixel_formats
            for size in formats.sizes(pixels)
        ]

    def configure_(self, camera_config: Any) -> None:
        """Configure it, and give it the sensor's controls."""
        super().configure_(camera_config)
        if Sensor.aims():
            anything = next(iter(self.camera_ctrl_info.values()))[1]
            for name in Sensor.CONTROLS:
                self.camera_ctrl_info[name] = (getattr(libcamera.controls, name), anything)

    def set_controls(self, controls: Any) -> None:
        """Set them, and tell the sensor."""
        super().set_controls(controls)
        limits = controls.get("FrameDurationLimits")
        self.frame_s = limits[0] / 1e6 if limits else self.frame_s
        self.sensor.set(controls)

    def process_requests(self, display: Any) -> None:
        """Wait for the next frame, if one comes, and do what is asked for."""
        while (CAMERAS / "hung").exists():
            time.sleep(0.1)
        time.sleep(self.frame_s)
        lost: list[Any] = []
        if (CAMERAS / "pulled").exists():
            with self._requestslock:
                lost = self._requests[:]
                self._requests.clear()
        super().process_requests(display)
        with self._requestslock:
            self._requests[:0] = lost


@cache
def connect() -> None:
    """From now on `from picamera2 import Picamera2` gives the one over the virtual camera."""
    picamera2.DmaAllocator = MemoryAllocator
    sys.modules["picamera2"].Picamera2 = VirtualPicamera2  # type: ignore[attr-defined]
    get_metadata = CompletedRequest.get_metadata
    CompletedRequest.get_metadata = lambda self: {**get_metadata(self), **self.picam2.sensor.read()}


if __name__ == "__main__":
    from edge.__main__ import main

    connect()
    sys.exit(main())
