"""Topics: where a device speaks and hears over MQTT."""

from __future__ import annotations

import re

from shared.errors import BadTopicError

DEVICE_NAME = re.compile(r"[a-z0-9_-]{1,32}")

# Stands for every device's `Topics.base` to a broker that is asked for topics.
EVERY_DEVICE = "inkling/+"

# Where weights for all devices are delivered; those for one are at its own `Topics.weights`.
WEIGHTS_FOR_ALL = "inkling/weights"

# Where Home Assistant says that it has started.
HOME_ASSISTANT_STATUS = "homeassistant/status"


class Topics:
    """The topics of one device.

    Parameters
    ----------
    device : the device's name, 1 to 32 of a-z, 0-9, _ and -

    Raises
    ------
    BadTopicError : if the name is anything else
    """

    def __init__(self, device: str) -> None:
        if not DEVICE_NAME.fullmatch(device):
            raise BadTopicError(f"{device!r} is no device name: use 1 to 32 of a-z, 0-9, _ and -")
        self.device = device
        self.base = f"inkling/{device}"
        self.availability = f"{self.base}/availability"
        self.prediction = f"{self.base}/prediction"
        self.event = f"{self.base}/event"
        self.health = f"{self.base}/health"
        self.info = f"{self.base}/info"
        self.view = f"{self.base}/view"
        self.weights = f"{self.base}/weights"
        self.discovery = f"homeassistant/device/{device}/config"

    def request(self, verb: str) -> str:
        """Where the device is asked to do something; "+" as the verb for all that it may be asked."""
        return f"{self.base}/request/{verb}"

    def response(self, verb: str) -> str:
        """Where it answers a request."""
        return f"{self.base}/response/{verb}"


def name_device(host: str) -> str:
    """Make a host name fit to be a device's name."""
    return re.sub(r"[^a-z0-9_-]+", "-", host.lower()).strip("-")[:32] or "inkling"
