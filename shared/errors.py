"""Errors that both halves can meet; each is also the natural builtin, and its message says what to do."""


class InklingError(Exception):
    """Base of every error a user can cause or mend."""


class BadFrameError(InklingError, ValueError):
    """A frame is not a grey picture of bytes."""


class NoInkError(InklingError, ValueError):
    """There is no ink in a picture that should hold a digit."""


class BadPictureError(InklingError, ValueError):
    """A file is not a picture that can be read."""


class WrongShapeError(InklingError, ValueError):
    """Weights, biases and inputs do not fit together."""


class WeightsError(InklingError, ValueError):
    """A weights file cannot be used."""


class MissingWeightsError(WeightsError, FileNotFoundError):
    """There is no weights file at that path."""


class OversizedWeightsError(WeightsError):
    """A weights file is, or unpacks to, more than any network of ours needs."""


class TruncatedWeightsError(WeightsError):
    """A weights file ends too early."""


class ForeignWeightsError(WeightsError):
    """A file is something else than weights exported by this project."""


class TamperedWeightsError(WeightsError):
    """A weights file's content does not match its own hash."""


class NotFiniteWeightsError(WeightsError):
    """A weights file holds a NaN or an infinity."""


class WrongShapeWeightsError(WeightsError, WrongShapeError):
    """The matrices in a weights file do not fit together, or do not fit its model card."""


class BadMessageError(InklingError, ValueError):
    """A message is not what its topic promises."""


class BadTopicError(InklingError, ValueError):
    """A device's name cannot be part of a topic."""


class DataError(InklingError, ValueError):
    """A data set's file cannot be used."""


class MissingDataError(DataError, FileNotFoundError):
    """A data set's file is not where it was looked for."""


class BadDeliveryError(InklingError, ValueError):
    """What was delivered is not whole, or not to be trusted."""
