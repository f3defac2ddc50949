"""What a page can ask that cannot be done."""

from shared.errors import InklingError


class BadRequestError(InklingError, ValueError):
    """A page asks for something that makes no sense."""


class BusyError(InklingError, RuntimeError):
    """What is asked for goes on already."""
