"""The configuration: one TOML file, read once into frozen dataclasses.

What each key means is written in `deploy/edge.toml`, which holds the defaults too.
"""

from __future__ import annotations

import socket
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from edge.camera import CAMERAS
from edge.errors import ConfigurationError
from edge.leds import DISPLAYS
from edge.signature import read_key
from shared.messages import Brightness, Confidence, HealthInterval, HoldTime, ReleaseTime
from shared.reading import NEEDED_CONFIDENCE
from shared.records import Between, OneOf, read_record
from shared.topics import DEVICE_NAME, name_device

DEFAULT_PATH = Path("/etc/inkling/edge.toml")

# The pins of a Raspberry Pi's header, by their Broadcom numbers; 0 and 1 are kept for add-on boards.
Pin = Annotated[int, Between(2, 27)]

# Keys that hold a path.
PATHS = ("path", "state", "weights", "mnist", "password_file", "ca_file", "certificate_file", "key_file")

NAME_RULE = "1 to 32 of a-z, 0-9, _ and -"


@dataclass(frozen=True)
class DeviceSettings:
    """Who this device is."""

    name: str = field(default_factory=lambda: name_device(socket.gethostname()))
    state: str = ""


@dataclass(frozen=True)
class FolderSettings:
    """The folder camera: image files, each shown for a time."""

    path: str = ""
    seconds_each: Annotated[float, Between(0.1, 3600)] = 2.0
    repeat: bool = True


@dataclass(frozen=True)
class SimulatedSettings:
    """The simulated camera: digits that appear on paper, move a little, and go."""

    scenes: Literal["plain", "hard"] = "plain"
    digits: tuple[Annotated[int, Between(0, 9)], ...] = ()
    hold_s: Annotated[float, Between(0.1, 3600)] = 2.0
    gap_s: Annotated[float, Between(0.1, 3600)] = 1.0
    seed: Annotated[int, Between(0, 2**32 - 1)] = 0
    mnist: str = ""


@dataclass(frozen=True)
class CameraSettings:
    """Where frames come from."""

    kind: Annotated[str, OneOf(tuple(CAMERAS))] = "picamera2"
    width: Annotated[int, Between(64, 1920)] = 320
    height: Annotated[int, Between(64, 1080)] = 240
    frames_per_second: Annotated[float, Between(0.5, 60)] = 10.0
    folder: FolderSettings = field(default_factory=FolderSettings)
    simulated: SimulatedSettings = field(default_factory=SimulatedSettings)


@dataclass(frozen=True)
class NetworkSettings:
    """Which network reads, and who may deliver another."""

    weights: str = ""
    keys: tuple[str, ...] = ()
    trial_s: Annotated[float, Between(1, 3600)] = 30.0

    @property
    def path(self) -> Path | None:
        """The weights file; None: the one that ships."""
        return Path(self.weights) if self.weights else None


@dataclass(frozen=True)
class SettlingSettings:
    """When a digit is announced, and when it is withdrawn."""

    confidence: Confidence = NEEDED_CONFIDENCE
    hold_s: HoldTime = 0.3
    release_s: ReleaseTime = 0.6


@dataclass(frozen=True)
class MqttSettings:
    """The broker."""

    enabled: bool = True
    host: str = "localhost"
    port: Annotated[int, Between(1, 65535)] = 1883
    username: str = ""
    password_file: str = ""
    tls: bool = False
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    home_assistant: bool = True
    queued_events: Annotated[int, Between(1, 100_000)] = 1000

    @property
    def where(self) -> str:
        """The broker's address, for people."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class LedSettings:
    """The LEDs and their pins."""

    kind: Annotated[str, OneOf(("none", *DISPLAYS))] = "none"
    pins: tuple[Pin, ...] = ()
    status_pin: Pin | None = None
    active_high: bool = True
    brightness: Brightness = 1.0


@dataclass(frozen=True)
class HealthSettings:
    """How often the device tells how it is."""

    interval_s: HealthInterval = 60.0


@dataclass(frozen=True)
class Configuration:
    """Everything that the configuration file says."""

    device: DeviceSettings = field(default_factory=DeviceSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    settling: SettlingSettings = field(default_factory=SettlingSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    leds: LedSettings = field(default_factory=LedSettings)
    health: HealthSettings = field(default_factory=HealthSettings)


def load_configuration(path: Path) -> Configuration:
    """Read a configuration file; relative paths in it start from its own folder.

    Raises
    ------
    ConfigurationError : naming the file, the key and what would be right
    OSError : if the file cannot be read
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"no configuration at {path}: name yours with --config, or copy deploy/edge.toml there"
        ) from error
    except IsADirectoryError as error:
        raise ConfigurationError(f"{path} is a folder: name the configuration in it") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not TOML: {error}") from error
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not TOML: {error}") from error
    try:
        configuration = read_record(Configuration, _resolve_paths(content, path.parent))
        _check_together(configuration)
    except (RuntimeError, ValueError) as error:  # besides ours, those of a path with "~nobody" or a NUL in it
        raise ConfigurationError(f"{path}: {error}") from error
    return configuration


def _resolve_paths(content: dict[str, object], folder: Path) -> dict[str, object]:
    """Make the paths in the file absolute, wherever the command is run from."""
    resolved = {}
    for key, value in content.items():
        if isinstance(value, dict):
            value = _resolve_paths(value, folder)
        elif key in PATHS and isinstance(value, str) and value:
            if "\0" in value:
                raise ConfigurationError(f"{key} holds a NUL, which no path can")
            value = str(folder / Path(value).expanduser())
        resolved[key] = value
    return resolved


def _check_together(configuration: Configuration) -> None:
    """Check what one key alone cannot tell."""
    if not DEVICE_NAME.fullmatch(configuration.device.name):
        raise ConfigurationError(f"device.name must be {NAME_RULE}, not {configuration.device.name!r}")
    leds = configuration.leds
    needed = 0 if leds.kind == "none" else DISPLAYS[leds.kind].pins_needed
    if len(leds.pins) != needed:
        raise ConfigurationError(f"leds.pins must list {needed} pins for {leds.kind!r}, not {len(leds.pins)}")
    used = [*leds.pins, *([] if leds.status_pin is None else [leds.status_pin])]
    if doubled := [pin for pin, count in Counter(used).items() if count > 1]:
        raise ConfigurationError(
            f"leds.pins and leds.status_pin use pin {doubled[0]} twice: each needs its own"
        )
    for key in configuration.network.keys:
        read_key(key)
    if configuration.camera.kind == "folder" and not configuration.camera.folder.path:
        raise ConfigurationError("camera.folder.path is missing: it must name the folder with the images")
    if configuration.mqtt.enabled and not configuration.mqtt.host:
        raise ConfigurationError("mqtt.host is empty: name the broker, or set mqtt.enabled = false")
    try:
        configuration.mqtt.host.encode("idna")
    except UnicodeError as error:
        raise ConfigurationError(f"mqtt.host {configuration.mqtt.host!r} is no host name: {error}") from error
    if configuration.mqtt.password_file and not configuration.mqtt.username:
        raise ConfigurationError("mqtt.username is missing: a password needs a user name")
    if configuration.mqtt.key_file and not configuration.mqtt.certificate_file:
        raise ConfigurationError("mqtt.certificate_file is missing: a key needs its certificate")
    if configuration.mqtt.certificate_file + configuration.mqtt.ca_file and not configuration.mqtt.tls:
        raise ConfigurationError("mqtt.tls is false: certificates are of no use without it")
