"""Errors that only a device can meet."""

from shared.errors import InklingError


class ConfigurationError(InklingError, ValueError):
    """The configuration file asks for something that cannot be."""


class CameraError(InklingError, OSError):
    """The camera is missing, or gives no pictures."""


class PinError(InklingError, OSError):
    """The pins of the LEDs cannot be used."""


class BrokerError(InklingError, ConnectionError):
    """The MQTT broker does not answer, or refuses us."""


class BadOptionError(InklingError, ValueError):
    """An option of a command asks for something that cannot be."""


class RefusedRequestError(InklingError, ValueError):
    """A request over MQTT cannot be carried out."""
