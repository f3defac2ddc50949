"""Errors that only a workstation can meet."""

from shared.errors import InklingError


class DownloadError(InklingError, OSError):
    """No source gave a data set's file."""


class BadSettingError(InklingError, ValueError):
    """A setting asks for what cannot be done."""


class MissingFontError(InklingError, FileNotFoundError):
    """A font that letters are drawn with is not installed."""


class BadCheckpointError(InklingError, ValueError):
    """A checkpoint is damaged, or of another training."""


class MissingCheckpointError(InklingError, FileNotFoundError):
    """There is no checkpoint to go on from."""


class BrokerError(InklingError, ConnectionError):
    """There is no broker, or it does not want us."""


class NoAnswerError(InklingError, TimeoutError):
    """A device does not answer."""


class RefusedRequestError(InklingError, ValueError):
    """A device does not do what it was asked, and says why."""


class LibraryError(InklingError, OSError):
    """The library of own digits cannot be read or written."""


class DamagedLibraryError(LibraryError):
    """The library's file is damaged, or something else."""


class ForeignLibraryError(LibraryError):
    """A database is another program's."""


class NewerLibraryError(LibraryError):
    """A library was made by a newer version."""


class UnknownDigitError(InklingError, LookupError):
    """The library has no such digit."""
