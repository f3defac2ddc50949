"""Own digits: as devices saw them or photographs show them, and what they truly are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from shared.digit_image import IMAGE_SIZE
from trainer.datasets import NO_DIGIT, Dataset

# The label of what is no digit at all.
NOTHING = -1


@dataclass(frozen=True, eq=False)
class Sight:
    """A digit to be kept.

    Attributes
    ----------
    device : who saw it
    id : of the event, or whatever else tells it from all others of this device
    time : when
    image : uint8 (28, 28), 0 = paper, 255 = ink
    digit : what the network read, 0 to 9
    confidence : how sure it was, 0 to 1
    outputs : its ten outputs
    model : which network, the first twelve digits of its hash
    """

    device: str
    id: str
    time: datetime
    image: npt.NDArray[np.uint8]
    digit: int
    confidence: float
    outputs: tuple[float, ...]
    model: str


@dataclass(frozen=True, eq=False)
class OwnDigit(Sight):
    """A digit in the library.

    Attributes, beside those of `Sight`
    ----------
    id : the first that it was called, if it was announced more than once
    number : what the library calls it
    label : what it truly is, 0 to 9, `NOTHING` if it is no digit; None while nobody has said
    label_source : who said so: "correction" over MQTT, "label" command, file or folder "name", the "page"
    labelled_at : when
    """

    number: int
    label: int | None = None
    label_source: str | None = None
    labelled_at: datetime | None = None

    @property
    def meaning(self) -> str:
        """Its label, for people."""
        return {None: "unlabelled", NOTHING: "no digit"}.get(self.label, str(self.label))

    @property
    def doubt(self) -> float:
        """How doubtful it is what it is, 0 to 1: its reading or, if it has a label, that other one."""
        if self.label is None:
            return 1 - self.confidence
        return 0.0 if self.label == self.digit else self.confidence


def make_dataset(digits: Sequence[OwnDigit], name: str = "own digits") -> Dataset:
    """Make a data set of those digits that have a label."""
    labelled = [digit for digit in digits if digit.label is not None]
    images = [digit.image for digit in labelled]
    return Dataset(
        name,
        np.stack(images) if images else np.empty((0, IMAGE_SIZE, IMAGE_SIZE), np.uint8),
        np.array([NO_DIGIT if digit.label == NOTHING else digit.label for digit in labelled], np.uint8),
    )
