"""Selection: which pictures an epoch learns from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.feedforward import FloatArray


class Selection:
    """Leaves out most of the pictures that were read well when they were last seen.

    After an epoch or two most pictures have little left to teach, and cost as much time as those that have.
    Those read better than the mean picture are learnt from now and then only, so that they are not forgotten.

    Parameters
    ----------
    count : pictures that there are
    skipping : share of the well-read ones that each epoch leaves out, drawn anew, below 1; 0 leaves out none

    Source: Qin et al., "InfoBatch: Lossless Training Speed Up by Unbiased Dynamic Data Pruning" (2024), but
    for its rescaling of what is left: without it networks read no worse.
    """

    def __init__(self, count: int, skipping: float) -> None:
        self._count, self._skipping = count, skipping
        # Squared errors, when each was last seen: none is better than the mean at first.
        self.errors = np.ones(count if skipping else 0, np.float32)

    def draw(self, random: np.random.Generator) -> npt.NDArray[np.intp]:
        """Draw the order in which an epoch learns from pictures: the numbers of those that it takes."""
        order = random.permutation(self._count)
        if not self._skipping:
            return order
        well_read = self.errors[order] < self.errors.mean(dtype=np.float64)
        chosen: npt.NDArray[np.intp] = order[~(well_read & (random.random(len(order)) < self._skipping))]
        return chosen

    def note(self, pictures: npt.NDArray[np.intp], outputs: FloatArray, targets: FloatArray) -> None:
        """Remember how well pictures were read; outputs and targets are (pictures, output nodes)."""
        if self._skipping:
            self.errors[pictures] = ((outputs - targets) ** 2).sum(axis=1)
