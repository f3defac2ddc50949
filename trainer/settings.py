"""Settings: how to train."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from shared.feedforward import ACTIVATIONS
from shared.weights import INPUT_NODES, LARGEST_FILE, MOST_LAYERS, OUTPUT_NODES
from trainer.errors import BadSettingError
from trainer.losses import LOSSES
from trainer.optimisers import OPTIMISERS
from trainer.schedules import SCHEDULES

# A network that learns for a second an epoch would take a month.
MOST_EPOCHS = 2_500_000


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes
    ----------
    hidden : nodes in each hidden layer
    epochs : passes over the pictures
    learning_rate : the first step's
    batch_size : pictures a step
    seed : the same seed gives the same weights
    biases : whether nodes have a bias; the talk's have none
    batch_normalisation : whether hidden signals are normalised over each batch; it needs biases
    activation : of hidden nodes, a name in `shared.feedforward.ACTIVATIONS`
    loss : a name in `trainer.losses.LOSSES`
    optimiser : a name in `trainer.optimisers.OPTIMISERS`
    schedule : what becomes of the learning rate, a name in `trainer.schedules.SCHEDULES`
    averaging : epochs over which the weights are averaged; 0 takes the last step's
    dropout : share of the hidden nodes that is silent in each step, 0 to 1
    skipping : share of the pictures read better than the mean one that each epoch leaves out, below 1
    patience : epochs without a better reading of the held-out pictures before training ends; 0 goes on

    Raises
    ------
    BadSettingError : if one of them cannot be
    """

    hidden: tuple[int, ...] = (200,)
    epochs: int = 3
    learning_rate: float = 0.4
    batch_size: int = 100
    seed: int = 0
    biases: bool = False
    batch_normalisation: bool = False
    activation: str = "sigmoid"
    loss: str = "cross-entropy"
    optimiser: str = "momentum"
    schedule: str = "linear"
    averaging: float = 0.0
    dropout: float = 0.0
    skipping: float = 0.0
    patience: int = 0

    def __post_init__(self) -> None:
        for name, value in (
            ("number of epochs", self.epochs),
            ("learning rate", self.learning_rate),
            ("batch size", self.batch_size),
            *(("number of hidden nodes", nodes) for nodes in self.hidden),
        ):
            if not 0 < value < float("inf"):
                raise BadSettingError(f"the {name} must be more than 0, not {value}")
        if self.epochs > MOST_EPOCHS:
            raise BadSettingError(f"the number of epochs must be at most {MOST_EPOCHS:,}")
        size = 4 * self.count_weights()
        if len(self.layers) > MOST_LAYERS or size > LARGEST_FILE // 2:
            raise BadSettingError(
                f"a network of {len(self.hidden)} hidden layers and {size >> 20} MiB is more than a Pi Zero "
                f"can carry: take fewer than {MOST_LAYERS - 1} layers and {LARGEST_FILE >> 21} MiB"
            )
        for name, count in (("seed", self.seed), ("patience", self.patience)):
            if count < 0:
                raise BadSettingError(f"the {name} must not be below 0, not {count}")
        if not 0 <= self.averaging < float("inf"):
            raise BadSettingError(f"averaging must be over 0 epochs or more, not {self.averaging:g}")
        if not 0 <= self.dropout < 1:
            raise BadSettingError(f"dropout must be 0 or more and below 1, not {self.dropout:g}")
        if not 0 <= self.skipping < 1:
            raise BadSettingError(f"skipping must be 0 or more and below 1, not {self.skipping:g}")
        if self.batch_normalisation and not self.biases:
            raise BadSettingError(
                "batch normalisation becomes part of the biases in the end: give --biases, too"
            )
        for name, choice, known in (
            ("activation", self.activation, ACTIVATIONS),
            ("loss", self.loss, LOSSES),
            ("optimiser", self.optimiser, OPTIMISERS),
            ("schedule", self.schedule, SCHEDULES),
        ):
            if choice not in known:
                raise BadSettingError(f"unknown {name} {choice!r}; known: {', '.join(known)}")

    @property
    def layers(self) -> tuple[int, ...]:
        """Nodes in each layer, inputs first."""
        return (INPUT_NODES, *self.hidden, OUTPUT_NODES)

    def count_weights(self) -> int:
        """How many link weights the network has, biases not counted."""
        return sum(before * after for before, after in pairwise(self.layers))
