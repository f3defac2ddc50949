"""A crew: threads that find a batch's gradients together, a share each."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import numpy as np

from shared.feedforward import FeedForward, FloatArray
from trainer.backpropagation import NOTHING, find_gradients
from trainer.disturbances import Disturbance

Gradients = tuple[list[FloatArray], list[FloatArray]]

# A step of fewer multiplications than this, or fewer pictures a share, takes longer to share than to do.
WORTH_SHARING, SMALLEST_SHARE = 250e6, 32


def count_shares(threads: int, batch_size: int, links: int) -> int:
    """Tell how many threads are worth their while for so large a batch and network."""
    if 6 * batch_size * links < WORTH_SHARING:
        return 1
    return max(1, min(threads, batch_size // SMALLEST_SHARE))


class Crew:
    """Finds a batch's gradients, on as many threads as there are shares.

    Each thread does its own matrix products. BLAS's threads would wait for each other after every product,
    and where another program takes a core from one of them all turn idly: forty times the CPU time was seen.

    Parameters
    ----------
    network : whose weights are read; they must not change meanwhile
    loss : a name in `trainer.losses.LOSSES`
    shares : how many; more of them sum in another order, which changes the last bits. Dropout and batch
        normalisation go by a share's pictures, so with them it changes more
    """

    def __init__(self, network: FeedForward, loss: str, shares: int) -> None:
        # The same weights; but every thread's signals need a place of their own.
        self._networks = [network.share() for _ in range(shares)]
        self._loss = loss
        self._threads = ThreadPoolExecutor(shares - 1) if shares > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._threads is not None:
            self._threads.shutdown()

    def find(
        self, inputs: FloatArray, targets: FloatArray, disturbances: Sequence[Disturbance] = ()
    ) -> tuple[FloatArray, Gradients]:
        """Find the outputs for a batch and the gradients of its mean loss; see `find_gradients`.

        Parameters
        ----------
        disturbances : one for each share, or none
        """
        if self._threads is None or len(inputs) < len(self._networks):
            return self._find(0, inputs, targets, disturbances)
        parts = [
            slice(part[0], part[-1] + 1)
            for part in np.array_split(np.arange(len(inputs)), len(self._networks))
        ]
        others = [
            self._threads.submit(self._find, index, inputs[part], targets[part], disturbances)
            for index, part in enumerate(parts)
            if index
        ]
        first = self._find(0, inputs[parts[0]], targets[parts[0]], disturbances)
        found = [first, *(other.result() for other in others)]
        outputs = np.concatenate([part_outputs for part_outputs, _ in found])
        sizes = [np.float32(len(part_outputs) / len(inputs)) for part_outputs, _ in found]
        sums = [self._add([gradients[kind] for _, gradients in found], sizes) for kind in (0, 1)]
        return outputs, (sums[0], sums[1])

    def _find(
        self, index: int, inputs: FloatArray, targets: FloatArray, disturbances: Sequence[Disturbance]
    ) -> tuple[FloatArray, Gradients]:
        network, disturbance = self._networks[index], disturbances[index] if disturbances else NOTHING
        disturbance.begin()
        with np.errstate(over="ignore", invalid="ignore"):  # which each thread has of its own
            signals = network.forward(inputs, disturbance)
            return signals[-1], find_gradients(network, signals, targets, self._loss, disturbance)

    @staticmethod
    def _add(gradients: list[list[FloatArray]], sizes: list[np.float32]) -> list[FloatArray]:
        """Add up what the shares' means, by their sizes, make together: in place of the first."""
        for shares in zip(*gradients, strict=True):
            shares[0][...] *= sizes[0]
            for share, size in zip(shares[1:], sizes[1:], strict=True):
                share *= size
                shares[0][...] += share
        return gradients[0]
