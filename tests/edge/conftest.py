"""What all tests of the edge share."""

import pytest


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Let a query take its time: beside other work an emulated processor may be too slow for a device."""
    monkeypatch.setattr("edge.self_test.SLOWEST_QUERY_S", 10.0)
