"""Home Assistant's discovery message: one message that makes a device with all its entities there.

Source: Home Assistant's documentation, "MQTT Discovery", device discovery payload; checked with 2026.2.3.
"""

from __future__ import annotations

import math
from typing import Any

from edge.machine import Machine
from shared.messages import RestartRequest, ViewRequest, WeightsRequest, encode
from shared.topics import Topics

SOFTWARE = "inkling-pi"

# A button asks for pictures for so long.
VIEW_SECONDS = 10

# The options of the digit's sensor.
NOTHING = "none"
OPTIONS = [*"0123456789", NOTHING]

_DIGIT = f"{{{{ '{NOTHING}' if value_json.digit is none else value_json.digit }}}}"
_CONFIDENCE = "{{ (100 * value_json.confidence) | round(1) if value_json.confidence is number else none }}"

# Everything but the picture, which would fill Home Assistant's data base, and which nothing there can show.
_EVENT = "{{ dict(value_json.items() | rejectattr(0, 'eq', 'image')) | to_json }}"

_PROBLEM = "{{ 'ON' if value_json.problems else 'OFF' }}"
_PROBLEMS = "{{ {'problems': value_json.problems} | to_json }}"

# What was delivered and does not run, because it is being tried or was refused, is an update that waits.
_WEIGHTS = (
    "{% set name = value_json.weights.sha256[:12] %}"
    "{% set wanted = value_json.weights.wanted.model if value_json.weights.wanted is defined else name %}"
    "{{ {'installed_version': name, 'latest_version': wanted} | to_json }}"
)


def describe_device(topics: Topics, machine: Machine, version: str, expire_after_s: float) -> dict[str, Any]:
    """Describe a device to Home Assistant, to be published at `topics.discovery`, retained, as JSON.

    Parameters
    ----------
    topics : the device's own
    machine : the entities' ids are made of its id, so that they are the same under another name
    version : of this software
    expire_after_s : without health for so many seconds, nothing is known of how the device is
    """
    components: dict[str, dict[str, Any]] = {
        "digit": {
            "platform": "sensor",
            "name": "Digit",
            "icon": "mdi:numeric",
            "device_class": "enum",
            "options": OPTIONS,
            "state_topic": topics.prediction,
            "value_template": _DIGIT,
            "json_attributes_topic": topics.prediction,
        },
        "confidence": {
            "platform": "sensor",
            "name": "Confidence",
            "icon": "mdi:percent",
            "unit_of_measurement": "%",
            "state_class": "measurement",
            "suggested_display_precision": 1,
            "state_topic": topics.prediction,
            "value_template": _CONFIDENCE,
        },
        "event": {
            "platform": "event",
            "name": "Digit read",
            "icon": "mdi:numeric-positive-1",
            "event_types": ["digit"],
            "state_topic": topics.event,
            "value_template": _EVENT,
        },
        "view": {
            "platform": "image",
            "name": "View",
            "entity_category": "diagnostic",
            "content_type": "image/jpeg",
            "image_topic": topics.view,
        },
        "look": {
            "platform": "button",
            "name": f"Look for {VIEW_SECONDS} seconds",
            "icon": "mdi:eye",
            "entity_category": "diagnostic",
            "command_topic": topics.request("view"),
            "payload_press": encode(ViewRequest(seconds=VIEW_SECONDS)).decode(),
        },
        "weights": {
            "platform": "update",
            "name": "Weights",
            "title": "Link weights",
            "entity_category": "config",
            "state_topic": topics.info,
            "value_template": _WEIGHTS,
            "command_topic": topics.request("weights"),
            "payload_install": encode(WeightsRequest()).decode(),
        },
        "restart": {
            "platform": "button",
            "name": "Restart",
            "device_class": "restart",
            "entity_category": "config",
            "command_topic": topics.request("restart"),
            "payload_press": encode(RestartRequest()).decode(),
        },
        **_describe_health(topics, math.ceil(expire_after_s)),
    }
    name = topics.device.replace("-", "_")
    for key, component in components.items():
        component["unique_id"] = f"inkling_{machine.id}_{key}"
        component["default_entity_id"] = f"{component['platform']}.inkling_{name}_{key}"
        # Home Assistant takes it at the root too, where it does nothing.
        component["qos"] = 1
    device = {
        "identifiers": [f"inkling_{machine.id}"],
        "name": f"Inkling {topics.device}",
        "model": machine.model,
        "sw_version": version,
    }
    return {
        "device": {key: value for key, value in device.items() if value is not None},
        "origin": {"name": SOFTWARE, "sw_version": version},
        "availability": [{"topic": topics.availability, "value_template": "{{ value_json.state }}"}],
        "components": components,
    }


def _describe_health(topics: Topics, expire_after_s: int) -> dict[str, dict[str, Any]]:
    """Describe the entities that `health` feeds."""
    told = {"state_topic": topics.health, "expire_after": expire_after_s, "entity_category": "diagnostic"}

    def measure(key: str, name: str, **more: Any) -> dict[str, Any]:
        template = f"{{{{ value_json.{key} if value_json.{key} is number else none }}}}"
        figure = {
            "platform": "sensor",
            "name": name,
            "state_class": "measurement",
            "value_template": template,
        }
        return {**figure, **told, **more}

    return {
        "problem": {
            "platform": "binary_sensor",
            "name": "Problem",
            "device_class": "problem",
            "value_template": _PROBLEM,
            "json_attributes_topic": topics.health,
            "json_attributes_template": _PROBLEMS,
            **told,
        },
        "temperature": measure(
            "temperature_c", "Temperature", device_class="temperature", unit_of_measurement="°C"
        ),
        "frame_rate": measure(
            "frames_per_s",
            "Frame rate",
            icon="mdi:camera-burst",
            unit_of_measurement="fps",
            enabled_by_default=False,
        ),
        "memory": measure(
            "memory_mb",
            "Memory",
            device_class="data_size",
            unit_of_measurement="MB",
            enabled_by_default=False,
        ),
        "dropped_events": measure(
            "dropped",
            "Dropped events",
            icon="mdi:email-alert",
            state_class="total_increasing",
            enabled_by_default=False,
        ),
    }
