"""Weights files, as the trainer exports them."""

import pytest

from shared.precision import PRECISIONS
from shared.weights import ModelCard, export_weights


@pytest.fixture
def card(network):
    return ModelCard.describe(
        network,
        training={"epochs": 2},
        data=[{"name": "drawn", "sha256": "00"}],
        metrics={"test": {"accuracy": 0.5}},
    )


@pytest.fixture
def file(tmp_path, network, card):
    path = tmp_path / "weights.npz"
    export_weights(path, network, card)
    return path


@pytest.fixture
def files(tmp_path, network, card):
    """The same network, kept in every precision."""
    paths = {precision: tmp_path / f"{precision}.npz" for precision in PRECISIONS}
    for precision, path in paths.items():
        export_weights(path, network, card, precision)
    return paths
