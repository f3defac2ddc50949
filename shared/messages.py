"""Payloads: everything that a device says and hears over MQTT, in one place.

A payload is one JSON object. Keys without a value are left out, except those that are always there: a
`digit` of null means that nothing is held up. Who hears a device ignores keys that he does not know, because
keys are only ever added; a device refuses a request with such a key, because who misspelt it wants to know.

`deploy/message_page.py` makes the JSON Schemas and the page in `deploy/messages/` of what stands here.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import numpy as np

from shared.digit_image import IMAGE_SIZE
from shared.errors import BadMessageError
from shared.feedforward import FloatArray
from shared.records import Between, Count, RecordError, read_json, read_record

M = TypeVar("M")

Digit = Annotated[int | None, Between(0, 9)]
Confidence = Annotated[float, Between(0, 1)]
Outputs = Annotated[tuple[float, ...], Count(10)]

# What can be changed while a device runs, and within which bounds; seconds, and a share of full brightness.
HoldTime = Annotated[float, Between(0.1, 10)]
ReleaseTime = Annotated[float, Between(0.1, 10)]
HealthInterval = Annotated[float, Between(1, 86400)]
Brightness = Annotated[float, Between(0.01, 1)]

# A request with more bytes is refused unread.
LARGEST_REQUEST = 4096


@dataclass(frozen=True)
class Availability:
    """Whether the device is there; the broker says it for one that it has lost.

    Attributes
    ----------
    state : "online" only after everything else that is retained
    """

    state: Literal["online", "offline"]


@dataclass(frozen=True)
class PredictionMessage:
    """What is held up now.

    Attributes
    ----------
    digit : what it is, or null when nothing is held up
    confidence : the chance that it is right
    outputs : the output layer's ten signals
    id : the same in the event that announced it
    model : the first twelve digits of the weights' hash
    ts : when, RFC 3339 in UTC; absent until the clock is set
    """

    digit: Digit
    confidence: Confidence | None = None
    outputs: Outputs | None = None
    id: str | None = None
    model: str | None = None
    ts: str | None = None


@dataclass(frozen=True)
class EventMessage:
    """One digit was settled; quality of service 1 may repeat it, with the same `id` and `seq`.

    Attributes, beside those of `PredictionMessage`
    ----------
    digit : what it is
    id : of this event, unlike any other's
    seq : counts a device's events since its start, from 1
    event_type : for Home Assistant, which wants one
    latency_ms : from the frame that settled it to the message
    image : the 28x28 picture the network saw, base64 of 784 bytes, row by row, 255 = ink
    """

    digit: Annotated[int, Between(0, 9)]
    confidence: Confidence
    outputs: Outputs
    id: str
    model: str
    seq: int
    latency_ms: float
    image: str
    ts: str | None = None
    event_type: Literal["digit"] = "digit"


@dataclass(frozen=True)
class HealthMessage:
    """How the device is: once a minute, if not configured otherwise, and when a problem comes or goes.

    Attributes
    ----------
    uptime_s : since the daemon started
    frames_per_s : frames looked at
    frame_ms : time spent on one
    memory_mb : resident, in units of 10^6 bytes
    queued : events that wait for the broker
    dropped : events given up since the daemon started
    camera, leds : "ok" or what is wrong
    temperature_c : of the processor, where it can be read
    problems : everything that wants attention, empty when all is well
    """

    uptime_s: float
    frames_per_s: float
    frame_ms: float
    memory_mb: float
    queued: int
    dropped: int
    camera: str
    leds: str
    problems: tuple[str, ...]
    temperature_c: float | None = None


@dataclass(frozen=True)
class InfoMessage:
    """What the device is.

    Attributes
    ----------
    software : such as "inkling-pi 0.1.0"
    weights : hash, layers, metrics, date; can_be_delivered: whether a key may sign others; wanted: what came
        of the last order, and of those to it and to all
    configuration : as it runs, with what was changed over MQTT, without secrets
    """

    software: str
    weights: dict[str, Any]
    configuration: dict[str, Any]


@dataclass(frozen=True)
class ViewRequest:
    """Asks for pictures of what the camera sees.

    Attributes
    ----------
    seconds : for how long; 0 for one picture
    transaction : whatever it is, it comes back with the answer
    """

    seconds: Annotated[float, Between(0, 60)] = 0.0
    transaction: Any = None


@dataclass(frozen=True)
class CorrectRequest:
    """Tells what a digit that was read truly is.

    Attributes
    ----------
    id : of the event
    label : what it is, or null if it was no digit at all
    transaction : whatever it is, it comes back with the answer
    """

    id: str
    label: Digit
    transaction: Any = None


@dataclass(frozen=True)
class SettlingChange:
    """When a digit is announced, and when it is withdrawn.

    Attributes
    ----------
    confidence : how sure a digit must be
    hold_s : for how many seconds it must be read before it is announced
    release_s : how many seconds it must be gone before it is withdrawn
    """

    confidence: Confidence | None = None
    hold_s: HoldTime | None = None
    release_s: ReleaseTime | None = None


@dataclass(frozen=True)
class LedChange:
    """How the LEDs shine.

    Attributes
    ----------
    brightness : a share of full brightness
    """

    brightness: Brightness | None = None


@dataclass(frozen=True)
class HealthChange:
    """How often health is told.

    Attributes
    ----------
    interval_s : seconds between two health messages
    """

    interval_s: HealthInterval | None = None


@dataclass(frozen=True)
class ConfigureRequest:
    """Changes settings while the device runs; it keeps them across restarts.

    Attributes
    ----------
    settling, leds, health : what to change; the rest stays as it is
    reset : go back to the configuration file first
    transaction : whatever it is, it comes back with the answer
    """

    settling: SettlingChange = SettlingChange()
    leds: LedChange = LedChange()
    health: HealthChange = HealthChange()
    reset: bool = False
    transaction: Any = None


@dataclass(frozen=True)
class WeightsRequest:
    """Asks to try the weights that were delivered last once more.

    Attributes
    ----------
    transaction : whatever it is, it comes back with the answer
    """

    transaction: Any = None


@dataclass(frozen=True)
class RestartRequest:
    """Asks the daemon to start anew.

    Attributes
    ----------
    transaction : whatever it is, it comes back with the answer
    """

    transaction: Any = None


@dataclass(frozen=True)
class ResponseMessage:
    """The answer to a request.

    Attributes
    ----------
    status : whether it was done
    data : what came of it, if it was done
    error : what to do about it, if it was not
    transaction : the request's
    """

    status: Literal["ok", "error"]
    data: dict[str, Any] | None = None
    error: str | None = None
    transaction: Any = None


Request = ViewRequest | CorrectRequest | ConfigureRequest | WeightsRequest | RestartRequest

# What may be asked, by the last part of the topic.
REQUESTS: dict[str, type[Request]] = {
    "view": ViewRequest,
    "correct": CorrectRequest,
    "configure": ConfigureRequest,
    "weights": WeightsRequest,
    "restart": RestartRequest,
}


class Channel(NamedTuple):
    """How a kind of message goes out.

    Attributes
    ----------
    topic : below the device's
    retained : whether the broker keeps it
    expires : whether it forgets it, should the device not say it again
    """

    topic: str
    retained: bool
    expires: bool = False


# What a device says of itself. Views are pictures and not listed; answers go where `Topics.response` says.
CHANNELS: dict[type, Channel] = {
    Availability: Channel("availability", retained=True),
    PredictionMessage: Channel("prediction", retained=True, expires=True),
    EventMessage: Channel("event", retained=False),
    HealthMessage: Channel("health", retained=False),
    InfoMessage: Channel("info", retained=True),
}


def encode(message: object) -> bytes:
    """Encode one of this module's messages as its payload."""
    return json.dumps(_keep_values(message), separators=(",", ":"), allow_nan=False).encode()


def decode(kind: type[M], payload: bytes | bytearray, *, allow_unknown: bool = True) -> M:
    """Decode a payload as one of this module's messages.

    Raises
    ------
    BadMessageError : if it is not JSON, or a key is missing, of the wrong type or out of range; and, unless
        `allow_unknown`, if there is one that is not known
    """
    try:
        content = read_json(payload)
        return read_record(kind, content, allow_unknown=allow_unknown)
    except RecordError as error:
        raise BadMessageError(f"not a {kind.__name__}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise BadMessageError(f"not a {kind.__name__}: not JSON") from error


def _keep_values(message: Any) -> dict[str, Any]:
    """Keys with their values; one that has none is left out, unless it must be there."""
    kept = {}
    for item in fields(message):
        value = getattr(message, item.name)
        if is_dataclass(value):
            kept[item.name] = _keep_values(value)
        elif value is not None or item.default is MISSING:
            kept[item.name] = value
    return kept


def encode_image(image: FloatArray) -> str:
    """Encode a 28x28 picture, 0.0 to 1.0, as base64 of 784 bytes."""
    return base64.b64encode(np.rint(image * 255).astype(np.uint8).tobytes()).decode()


def decode_image(text: str) -> FloatArray:
    """Decode what `encode_image` made: float32 (28, 28).

    Raises
    ------
    BadMessageError : if it is not base64 of 784 bytes
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadMessageError("an image that is not base64") from error
    if len(content) != IMAGE_SIZE * IMAGE_SIZE:
        raise BadMessageError(f"an image of {len(content)} bytes: it must be {IMAGE_SIZE * IMAGE_SIZE}")
    picture = np.frombuffer(content, dtype=np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE)
    return picture.astype(np.float32) / np.float32(255)
