"""Training: epochs of mini-batches, and the best network that came of them."""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from shared.digit_image import to_inputs
from shared.feedforward import FeedForward, FloatArray
from trainer.averaging import WeightAverage
from trainer.backpropagation import initialise, make_targets
from trainer.batch_normalisation import BatchNormalisation, fold_normalisation
from trainer.checkpoint import Checkpoint, Standing
from trainer.crew import Crew, count_shares
from trainer.datasets import Dataset
from trainer.disturbances import Disturbance, Disturbances
from trainer.dropout import Dropout
from trainer.errors import BadCheckpointError, BadSettingError
from trainer.evaluation import measure_accuracy
from trainer.fields import FieldNetwork
from trainer.losses import LOSSES
from trainer.memory import keep_freed_memory
from trainer.optimisers import OPTIMISERS
from trainer.schedules import SCHEDULES
from trainer.selection import Selection
from trainer.settings import Settings

# How many batches pass between two reports of progress.
REPORT_EVERY = 25

# Batches that are made ready while the network learns from another.
AHEAD = 3

# Pictures that signals' means and variances are measured on, where they were normalised over batches.
MEASURED = 5000

# Of what a student is taught, the share that its teachers say; the rest is what the label says.
TEACHERS_SHARE = 0.8


class Augmentation(Protocol):
    """Makes new pictures, (batch, 28, 28), of those of a batch; `left` is the share of training to come."""

    def __call__(self, images: FloatArray, random: np.random.Generator, left: float) -> FloatArray:
        """Return them, made anew."""
        ...


@dataclass(frozen=True)
class Moment:
    """Where training is, as it goes.

    Attributes
    ----------
    steps : batches learnt from so far
    share : of the training that is done, 0 to 1
    epoch : from 1
    loss : mean loss of this epoch's batches so far
    accuracy : the best on the held-out pictures so far; None in the first epoch, or without any
    learning_rate : of the last step
    cpu_seconds : so far
    epoch_accuracy : on the held-out pictures, if an epoch is just over and there are any
    ends_epoch : whether an epoch is just over
    """

    steps: int
    share: float
    epoch: int
    loss: float
    accuracy: float | None
    learning_rate: float
    cpu_seconds: float
    epoch_accuracy: float | None = None
    ends_epoch: bool = False


@dataclass(frozen=True)
class Outcome:
    """What training gave: the best network, the epochs it took, and what they cost."""

    network: FeedForward
    epochs: float
    accuracy: float | None
    cpu_seconds: float
    stopped: bool


def train(
    dataset: Dataset,
    settings: Settings,
    *,
    held_out: Dataset | None = None,
    augmentation: Augmentation | None = None,
    report: Callable[[Moment], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    teachers: Sequence[FeedForward] = (),
    teachers_shares: npt.ArrayLike = TEACHERS_SHARE,
    begin: FeedForward | None = None,
    checkpoint: Checkpoint | None = None,
    resume: bool = False,
    threads: int = 1,
) -> Outcome:
    """Train a network on a data set.

    Parameters
    ----------
    held_out : pictures it does not learn from; the network that reads them best is kept, and without
        them the last one
    augmentation : makes new pictures of a batch
    report : is told of progress, often enough for a progress bar
    stop : is asked after every batch whether to end here, with the best network so far
    teachers : networks whose outputs it learns beside the labels (Hinton, Vinyals and Dean, "Distilling the
        Knowledge in a Neural Network", 2015)
    teachers_shares : of what it is taught, the share that they say, 0 to 1; for all pictures, or (count,)
    begin : a network to go on from, of the settings' layers; without one it begins with random weights
    checkpoint : where to keep how far it came
    resume : go on from there; all else must be as it was, and so will be the weights
    threads : to use at most; large networks' weights depend on how many there are, in the last bits of sums,
        and with dropout, batch normalisation or skipping more than that

    Raises
    ------
    BadSettingError : if there is nothing to learn from, or the weights ran away
    MissingCheckpointError, BadCheckpointError : if there is nothing to go on from
    """
    if not len(dataset):
        raise BadSettingError("no pictures left to learn from: hold out fewer")
    keep_freed_memory()
    course = _Course(dataset, settings, held_out, augmentation, teachers, teachers_shares, begin)
    if resume and checkpoint is not None:
        standing = checkpoint.load(course.arrays, course.describe_purpose())
        if not 0 <= standing.epoch <= settings.epochs:
            raise BadCheckpointError(
                f"{checkpoint.path} is damaged: it stands at epoch {standing.epoch} of {settings.epochs}; "
                "train without --resume"
            )
        course.standing = standing
    # Weights that run away are said at the epoch's end, once.
    with threadpool_limits(1, "blas"), np.errstate(over="ignore", invalid="ignore"):
        return course.run(report, stop, checkpoint, threads)


def count_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Batch(NamedTuple):
    """What a network learns from in one step.

    Attributes
    ----------
    pictures : their numbers, (batch,)
    inputs, targets : (batch, input nodes), (batch, output nodes)
    left : the share of training to come, this batch being part of it
    epochs : done with this batch
    batches : in its epoch
    """

    pictures: npt.NDArray[np.intp]
    inputs: FloatArray
    targets: FloatArray
    left: float
    epochs: float
    batches: int


class _Course:
    """A training, from its first step or from a checkpoint to its end."""

    def __init__(
        self,
        dataset: Dataset,
        settings: Settings,
        held_out: Dataset | None,
        augmentation: Augmentation | None,
        teachers: Sequence[FeedForward],
        teachers_shares: npt.ArrayLike,
        begin: FeedForward | None,
    ) -> None:
        self._started = time.process_time()
        self._dataset, self._held_out = dataset, held_out
        self._settings, self._augmentation = settings, augmentation
        self._teachers = [teacher.copy() for teacher in teachers]
        self._targets = make_targets(dataset.labels)
        shares = np.asarray(teachers_shares if teachers else 0, np.float32)
        self._teachers_shares = np.broadcast_to(shares, len(dataset))[:, np.newaxis]
        self._selection = Selection(len(dataset), settings.skipping)
        self._network = (
            initialise(
                settings.layers,
                np.random.default_rng(settings.seed),
                biases=settings.biases,
                activation=settings.activation,
            )
            if begin is None
            else begin.copy()
        )
        common_input = to_inputs(_find_mean(dataset.images))
        self._optimiser = OPTIMISERS[settings.optimiser](
            self._network, common_input, settings.batch_normalisation
        )
        self._average = WeightAverage(self._network) if settings.averaging else None
        self._begun_with = None if begin is None else _hash(begin)
        self._best = None if held_out is None else self._network.copy()
        self.standing = Standing()

    @property
    def arrays(self) -> list[npt.NDArray[Any]]:
        """All that changes as it learns; and teachers with fields, which no file has."""
        networks = (self._network, self._average.network if self._average else None, self._best)
        kept = [network for network in networks if network is not None]
        kept += [teacher for teacher in self._teachers if isinstance(teacher, FieldNetwork)]
        parameters = [array for network in kept for array in network.parameters]
        return [*parameters, *self._optimiser.memory, self._selection.errors]

    def describe_purpose(self) -> dict[str, Any]:
        """What makes this training another than others, as JSON has it."""
        return {
            "settings": {**asdict(self._settings), "hidden": list(self._settings.hidden)},
            "pictures": self._dataset.describe()["sha256"],
            "held-out pictures": None if self._held_out is None else self._held_out.describe()["sha256"],
            "teachers": [
                "fields" if isinstance(teacher, FieldNetwork) else _hash(teacher)
                for teacher in self._teachers
            ],
            "teachers' shares": hashlib.sha256(self._teachers_shares.tobytes()).hexdigest()
            if self._teachers
            else None,
            "network that it began with": self._begun_with,
        }

    def run(
        self,
        report: Callable[[Moment], None],
        stop: Callable[[], bool],
        checkpoint: Checkpoint | None,
        threads: int,
    ) -> Outcome:
        """Go through all epochs that are left."""
        shares = count_shares(threads, self._settings.batch_size, self._network.links)
        with Crew(self._network, self._settings.loss, shares) as crew:
            return self._run(report, stop, checkpoint, crew, shares, look_ahead=threads > 1)

    def _run(
        self,
        report: Callable[[Moment], None],
        stop: Callable[[], bool],
        checkpoint: Checkpoint | None,
        crew: Crew,
        shares: int,
        *,
        look_ahead: bool,
    ) -> Outcome:
        settings, standing = self._settings, self.standing
        before = standing.cpu_seconds
        done, stopped = float(standing.epoch), False
        purpose: dict[str, Any] = {}
        for epoch in range(standing.epoch + 1, settings.epochs + 1):
            if settings.patience and standing.since_best >= settings.patience:
                break
            disturbances = [self._disturb(epoch, share) for share in range(shares)]
            losses: list[float] = []
            batches = self._prepare(epoch)
            for batch in _make_ahead(batches, AHEAD) if look_ahead else batches:
                rate = settings.learning_rate * SCHEDULES[settings.schedule](batch.left)
                outputs, gradients = crew.find(batch.inputs, batch.targets, disturbances)
                self._optimiser.step(*gradients, rate)
                self._selection.note(batch.pictures, outputs, batch.targets)
                standing.steps += 1
                done = batch.epochs
                if self._average is not None:
                    self._average.take(standing.steps, settings.averaging * batch.batches)
                if standing.steps % REPORT_EVERY == 1 or not losses:
                    losses.append(LOSSES[settings.loss].measure(outputs, batch.targets))
                    report(self._tell(done, epoch, losses, rate, before))
                if stopped := stop():
                    break
            accuracy = self._judge(epoch)
            standing.cpu_seconds = before + time.process_time() - self._started
            moment = self._tell(done, epoch, losses, rate, before)
            report(replace(moment, epoch_accuracy=accuracy, ends_epoch=True))
            if stopped:
                break
            if checkpoint is not None and (checkpoint.is_due() or epoch == settings.epochs):
                purpose = purpose or self.describe_purpose()
                checkpoint.save(standing, self.arrays, purpose)
        return Outcome(
            self._best or self._finish(),
            done,
            standing.accuracy,
            before + time.process_time() - self._started,
            stopped,
        )

    def _disturb(self, epoch: int, share: int) -> Disturbance:
        settings = self._settings
        parts: list[Disturbance] = [BatchNormalisation()] if settings.batch_normalisation else []
        if settings.dropout:
            random = np.random.default_rng((settings.seed, epoch, 1 + share))
            parts.append(Dropout(settings.dropout, random))
        return Disturbances(*parts)

    def _finish(self) -> FeedForward:
        """The network as it is to be kept, if training ends with this epoch."""
        network = self._network if self._average is None else self._average.network
        if not self._settings.batch_normalisation:
            return network
        batches = islice(self._prepare(self.standing.epoch), -(-MEASURED // self._settings.batch_size))
        return fold_normalisation(network, np.concatenate([batch.inputs for batch in batches]))

    def _prepare(self, epoch: int) -> Iterator[_Batch]:
        settings, dataset = self._settings, self._dataset
        random = np.random.default_rng((settings.seed, epoch))
        order = self._selection.draw(random)
        batches = -(-len(order) // settings.batch_size)
        for index in range(batches):
            batch = order[index * settings.batch_size : (index + 1) * settings.batch_size]
            left = 1 - (epoch - 1 + index / batches) / settings.epochs
            images = dataset.images[batch] * np.float32(1 / 255)
            if self._augmentation is not None:
                images = self._augmentation(images, random, left)
            inputs, targets = to_inputs(images), self._targets[batch]
            shares = self._teachers_shares[batch]
            targets *= 1 - shares
            for teacher in self._teachers:
                targets += teacher.query(inputs) * (shares / np.float32(len(self._teachers)))
            yield _Batch(batch, inputs, targets, left, epoch - 1 + (index + 1) / batches, batches)

    def _judge(self, epoch: int) -> float | None:
        """See how well the network reads the held-out pictures, and keep it if it is the best."""
        standing = self.standing
        standing.epoch = epoch
        if not all(np.isfinite(matrix).all() for matrix in self._network.weights):
            raise BadSettingError(
                f"the weights ran away in epoch {epoch}: "
                f"try a learning rate below {self._settings.learning_rate}"
            )
        if self._held_out is None or self._best is None:
            return None
        current = self._finish()
        accuracy = measure_accuracy(current, self._held_out)
        standing.since_best += 1
        if standing.accuracy is None or accuracy >= standing.accuracy:
            if standing.accuracy is None or accuracy > standing.accuracy:
                standing.since_best = 0
            standing.accuracy = accuracy
            for best, reached in zip(self._best.parameters, current.parameters, strict=True):
                np.copyto(best, reached)
        return accuracy

    def _tell(self, done: float, epoch: int, losses: list[float], rate: float, before: float) -> Moment:
        return Moment(
            self.standing.steps,
            done / self._settings.epochs,
            epoch,
            float(np.mean(losses)),
            self.standing.accuracy,
            rate,
            before + time.process_time() - self._started,
        )


def _find_mean(images: npt.NDArray[np.uint8]) -> FloatArray:
    """The mean of pictures, (28, 28), 0.0 = paper, 1.0 = ink."""
    # As many as 16 bits can add up at once: a sixth of the time that 64 take.
    sums = [images[start : start + 257].sum(axis=0, dtype=np.uint16) for start in range(0, len(images), 257)]
    mean: FloatArray = (np.array(sums).sum(axis=0, dtype=np.float64) / len(images) / 255).astype(np.float32)
    return mean


def _hash(network: FeedForward) -> str:
    digest = hashlib.sha256()
    for array in network.parameters:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _make_ahead(batches: Iterator[_Batch], count: int) -> Iterator[_Batch]:
    """Make batches ready on another thread, some ahead of those that are asked for."""
    with ThreadPoolExecutor(1) as thread:
        waiting = deque(thread.submit(next, batches, None) for _ in range(count))
        while (batch := waiting.popleft().result()) is not None:
            waiting.append(thread.submit(next, batches, None))
            yield batch
