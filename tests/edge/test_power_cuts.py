"""kill -9 at every system call that changes the disk while weights are delivered."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge.deliveries import Deliveries
from edge.health import Health
from edge.weights_store import WeightsStore
from shared.delivery import Order
from tests.conftest import ROOT
from tests.edge.test_deliveries import KEY, OWN, make_weights, run, sign

STRACE = shutil.which("strace")
CHANGES = ("mkdir", "write", "ftruncate", "fsync", "fdatasync", "rename", "renameat2", "unlink", "unlinkat")
WORKER = Path(__file__).with_name("take_deliveries.py")

pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is not installed: apt-get install strace")


@pytest.fixture
def paths(tmp_path):
    """Three deliveries, one that is refused, and an order to go back."""
    contents = [run(make_weights(tmp_path, note), serial) for serial, note in enumerate("abc", 1)]
    contents += [run(b"no weights", 4), sign(Order("back", 5, device="bench"))]
    paths = [tmp_path / f"delivery-{number}" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def trace(state, paths, *options):
    return subprocess.run(
        [STRACE, "-qq", *options, sys.executable, "-B", str(WORKER), str(state), KEY, *map(str, paths)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        check=False,
    )


def start_again(state):
    health = Health()
    deliveries = Deliveries(OWN, WeightsStore(state), (KEY,), "bench", 0.0, 0.1, health)
    return deliveries.running.card.training.get("note", "own"), health.problems, deliveries


def test_after_a_kill_at_any_change_of_the_disk_whole_weights_run(tmp_path, paths):
    log = tmp_path / "calls"
    assert (
        trace(tmp_path / "whole", paths, "-o", str(log), "-e", f"trace={','.join(CHANGES)}").returncode == 0
    )
    calls = Counter(re.findall(r"^(\w+)\(", log.read_text(), re.MULTILINE))
    points = [(call, number) for call, count in calls.items() for number in range(1, count + 1)]
    assert len(points) >= 50
    assert start_again(tmp_path / "whole")[0] == "b"

    def kill_at(point):
        call, number = point
        state = tmp_path / f"{call}-{number}"
        inject = f"inject={call}:signal=KILL:when={number}"
        assert trace(state, paths, "-e", f"trace={call}", "-e", inject).returncode in (-9, 137)
        note, problems, deliveries = start_again(state)
        # Whatever was there goes on from where it was.
        for path in paths:
            deliveries.take(path.read_bytes(), for_all=False)
            for _ in range(20):
                deliveries.observe(0.01)
            deliveries.judge()
        after = start_again(state)
        left = {path.name for path in (state / "weights").iterdir()}
        shutil.rmtree(state)
        return note, problems, after[0], after[1], len(left)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(kill_at, points))
    assert {problems for _, problems, *_ in outcomes} == {()}
    notes = Counter(note for note, *_ in outcomes)
    assert set(notes) == {"own", "a", "b", "c"}  # each was the last that was whole, at some point
    assert {(note, problems, count) for *_, note, problems, count in outcomes} == {("b", (), 3)}
