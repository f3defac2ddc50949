import hashlib
import io
import json
import zipfile
from base64 import b64encode
from dataclasses import replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from edge.deliveries import MOST_ATTEMPTS, Deliveries
from edge.errors import ConfigurationError
from edge.health import Health
from edge.weights_store import FILE, FOLDER, WeightsStore
from shared.delivery import Order, pack_order
from shared.weights import DEFAULT_WEIGHTS, ModelCard, export_weights, load_weights

OURS, FOREIGN = (
    Ed25519PrivateKey.from_private_bytes(b"1" * 32),
    Ed25519PrivateKey.from_private_bytes(b"2" * 32),
)
# Bookworm's cryptography knows no shorter way.
KEY = b64encode(OURS.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
OWN = load_weights()


def tell_hash(content):
    return hashlib.sha256(content).hexdigest()


def sign(order, weights=b"", key=OURS):
    if weights and not order.sha256:
        order = replace(order, sha256=tell_hash(weights), size=len(weights))
    signed = pack_order(order, weights)
    return key.sign(signed) + signed


def run(weights, serial, device="bench", key=OURS):
    return sign(Order("run", serial, device=device, transaction=f"t{serial}"), weights, key)


def make_weights(tmp_path, note):
    """The default network under another card, so that it is another file."""
    path = tmp_path / f"{note}.npz"
    export_weights(path, OWN.network, ModelCard.describe(OWN.network, {"note": note}, [], {}))
    return path.read_bytes()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return [make_weights(tmp_path_factory.mktemp("weights"), note) for note in "abc"]


class Bench:
    """Deliveries to a device, which can be ended and started again, and whose trials end when it is said."""

    def __init__(self, folder, keys=(KEY,)):
        self.folder, self.keys = folder, keys
        self.start()

    def start(self):
        store = None if self.folder is None else WeightsStore(self.folder)
        self.health = Health()
        self.deliveries = Deliveries(OWN, store, self.keys, "bench", 0.0, 0.1, self.health)

    def take(self, content, *, for_all=False):
        return self.deliveries.take(content, for_all=for_all)

    def pass_trial(self, busy_s=0.01):
        for _ in range(20):
            self.deliveries.observe(busy_s)
        return self.deliveries.judge()

    def fail(self, error):
        """The network that runs raises an error while it reads; tells whether another runs now."""
        return self.deliveries.blame(self.deliveries.running.network, error)

    @property
    def note(self):
        return self.deliveries.running.card.training.get("note", "own")

    @property
    def files(self):
        return sorted(path.name for path in (self.folder / FOLDER).iterdir())


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path / "state")


def deliver(bench, content, **kind):
    assert bench.take(content, **kind) is None
    return bench.pass_trial()


def test_signed_weights_are_tried_kept_and_run_after_a_restart(bench, weights):
    assert bench.take(run(weights[0], 1)) is None
    assert bench.note == "a"
    assert bench.deliveries.judge() is None  # no frame has been read with them
    answer = bench.pass_trial()
    assert (answer.status, answer.transaction) == ("ok", "t1")
    assert answer.data == {"model": bench.deliveries.running.name, "serial": 1}
    bench.start()
    assert bench.note == "a"
    assert bench.files == sorted([f"{tell_hash(weights[0])}.npz", FILE])


def test_only_what_runs_and_what_ran_before_is_kept(bench, weights):
    for serial, content in enumerate(weights, 1):
        deliver(bench, run(content, serial))
    assert bench.files == sorted([*(f"{tell_hash(content)}.npz" for content in weights[1:]), FILE])


def test_the_same_delivery_again_is_only_answered(bench, weights):
    deliver(bench, run(weights[0], 1))
    answer = bench.take(run(weights[0], 1))
    assert answer.status == "ok"
    bench.start()
    assert bench.take(run(weights[0], 1)).status == "ok"


def test_going_back_runs_what_ran_before_and_back_again(bench, weights, caplog):
    caplog.set_level("INFO", "edge.deliveries")
    deliver(bench, run(weights[0], 1))
    deliver(bench, run(weights[1], 2))
    for serial, note in ((3, "a"), (4, "b")):
        answer = bench.take(sign(Order("back", serial, device="bench")))
        assert answer.status == "ok"
        assert bench.note == note
        assert caplog.messages[-1] == f"weights: rolled back as was asked, {answer.data['model']} run again"
    bench.start()
    assert bench.note == "b"


def test_going_back_from_the_first_delivery_runs_the_configurations_weights(bench, weights):
    deliver(bench, run(weights[0], 1))
    bench.take(sign(Order("back", 2, device="bench")))
    assert bench.note == "own"
    bench.start()
    assert bench.note == "own"


REFUSED = [
    (lambda w: run(w[0], 1, key=FOREIGN), "not signed by a key"),
    (lambda w: b"\0" * 64 + run(w[0], 1)[64:], "not signed by a key"),
    (lambda w: run(w[0], 1)[:-1], "not those that it promises"),
    (lambda w: run(w[0], 1)[:50], "only its beginning"),
    (lambda w: run(w[0], 1)[:80], "only its beginning"),
    (lambda w: b"", "only its beginning"),
    (lambda w: run(w[0], 1, device="kitchen"), "for kitchen"),
    (lambda w: run(w[0], 1, device=None), "for all devices, and came as if for another"),
    (lambda w: sign(Order("run", 1, device="bench")), "run with 0 bytes"),
    (lambda w: sign(Order("back", 1, device="bench"), w[0]), "back with"),
    (lambda w: sign(Order("run", 1, "0" * 64, len(w[0]), "bench"), w[0]), "not those that it promises"),
]


@pytest.mark.parametrize(("make", "why"), REFUSED)
def test_what_is_not_whole_not_signed_or_not_for_us_is_refused_and_leaves_no_trace(bench, weights, make, why):
    answer = bench.take(make(weights))
    assert answer.status == "error"
    assert why in answer.error
    assert bench.note == "own"
    assert not (bench.folder / FOLDER).exists()


def test_without_a_key_or_a_place_nothing_is_taken(tmp_path, weights):
    answer = Bench(tmp_path / "state", keys=()).take(run(weights[0], 1))
    assert "takes no weights over MQTT: put the key" in answer.error
    assert "nowhere to keep weights" in Bench(None).take(run(weights[0], 1)).error


def test_an_older_delivery_said_again_is_refused(bench, weights):
    deliver(bench, run(weights[0], 5))
    deliver(bench, run(weights[1], 6))
    assert "older than the last order (5 before 6)" in bench.take(run(weights[0], 5)).error
    bench.start()
    assert "older than the last order" in bench.take(run(weights[0], 5)).error
    assert bench.note == "b"


def pack_raw(weights, **arrays):
    """Put other arrays into a weights file, under a hash that fits."""
    from shared.weights import _hash, _pack

    with zipfile.ZipFile(io.BytesIO(weights)) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name != "sha256.npy"}
    members |= {f"{name}.npy": _pack(array) for name, array in arrays.items()}
    members["sha256.npy"] = _pack(np.frombuffer(_hash(members), np.uint8))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def not_a_number(weights):
    return pack_raw(weights, weights_2=np.full((10, 100), np.nan, np.float32))


def wrong_shape(weights):
    return pack_raw(weights, weights_2=np.zeros((10, 200), np.float32))


def knows_nothing(weights):
    return pack_raw(weights, weights_2=np.zeros((10, 100), np.float32), biases_2=np.zeros(10, np.float32))


def bomb(weights):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights_0.npy", bytes(1 << 30))
    return file.getvalue()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (not_a_number, "NaN"),
        (wrong_shape, "promises layers"),
        (knows_nothing, "it reads only"),
        (bomb, "unpacks to more than"),
        (lambda weights: weights[:-100], "damaged"),
        (lambda weights: b"#!/bin/sh", "not an .npz file"),
    ],
)
def test_signed_weights_that_are_none_are_refused_once_and_for_all(bench, weights, make, why):
    deliver(bench, run(weights[1], 1))
    content = run(make(weights[0]), 2)
    assert why in bench.take(content).error
    assert "refused before" in bench.take(content).error
    bench.start()
    assert "refused before" in bench.take(content).error
    assert bench.note == "b"
    assert bench.deliveries.describe()["state"] == "refused"
    assert deliver(bench, run(weights[2], 3)).status == "ok"


def test_weights_that_take_too_long_for_a_digit_are_refused(bench, weights, monkeypatch):
    monkeypatch.setattr("edge.self_test.SLOWEST_QUERY_S", 0.0)
    assert "too slow for this device" in bench.take(run(weights[0], 1)).error
    assert bench.note == "own"


def test_weights_that_fail_in_their_trial_are_rolled_back(bench, weights):
    deliver(bench, run(weights[0], 1))
    bench.take(run(weights[1], 2))
    assert bench.fail(ValueError("no"))
    assert bench.note == "a"  # at once
    answer = bench.deliveries.judge()
    assert answer.error == "rolled back: they fail (ValueError('no'))"
    assert "refused before" in bench.take(run(weights[1], 2)).error
    assert not bench.fail(ValueError("again"))


def test_weights_that_make_frames_slow_are_rolled_back(bench, weights):
    bench.pass_trial(busy_s=0.08)
    bench.take(run(weights[0], 1))
    assert "too slow: 200 ms a frame" in bench.pass_trial(busy_s=0.2).error
    assert bench.note == "own"


def test_a_daemon_that_ends_in_a_trial_begins_it_once_more_and_then_no_more(bench, weights):
    deliver(bench, run(weights[0], 1))
    for _ in range(MOST_ATTEMPTS):
        assert bench.take(run(weights[1], 2)) is None
        bench.start()
        assert bench.note == "a"
    assert "ended 2 times while it tried them" in bench.take(run(weights[1], 2)).error
    assert bench.note == "a"


def test_a_later_order_ends_a_trial(bench, weights):
    deliver(bench, run(weights[0], 1))
    bench.take(run(weights[1], 2))
    bench.take(run(weights[2], 3))
    assert bench.note == "c"
    assert bench.pass_trial().transaction == "t3"
    bench.take(sign(Order("back", 4, device="bench")))
    assert bench.note == "a"


def test_weights_for_all_are_run_until_there_are_some_for_this_device_alone(bench, weights):
    assert deliver(bench, run(weights[0], 1, device=None), for_all=True).status == "ok"
    deliver(bench, run(weights[1], 2))
    answer = bench.take(run(weights[2], 3, device=None), for_all=True)
    assert "runs weights of its own" in answer.error
    assert bench.note == "b"
    bench.start()
    bench.take(run(weights[2], 3, device=None), for_all=True)  # as it is retained
    assert bench.note == "b"
    assert bench.take(sign(Order("follow", 4, device="bench"))).status == "ok"
    assert bench.note == "c"
    assert bench.pass_trial().status == "ok"


def test_an_order_to_all_to_follow_is_refused(bench, weights):
    deliver(bench, run(weights[0], 1, device=None), for_all=True)
    answer = bench.take(sign(Order("follow", 2, device=None)), for_all=True)
    assert "names none" in answer.error
    assert bench.note == "a"


def test_who_follows_again_runs_even_what_it_ran_before(bench, weights):
    for_all = run(weights[0], 1, device=None)
    deliver(bench, for_all, for_all=True)
    deliver(bench, run(weights[1], 2))
    bench.start()
    bench.take(sign(Order("follow", 3, device="bench")))
    deliver(bench, for_all, for_all=True)
    assert bench.note == "a"


def test_own_weights_that_fail_leave_a_device_with_what_all_run(bench, weights):
    deliver(bench, run(weights[0], 1, device=None), for_all=True)
    bench.take(run(weights[1], 2))
    bench.fail(ValueError())
    bench.deliveries.judge()
    assert deliver(bench, run(weights[2], 3, device=None), for_all=True).status == "ok"
    assert bench.note == "c"


def test_a_refused_delivery_can_be_tried_again_when_somebody_asks(bench, weights):
    bench.take(run(weights[0], 1))
    bench.fail(ValueError())
    bench.deliveries.judge()
    assert bench.deliveries.take_again() is None
    assert bench.pass_trial().status == "ok"
    assert bench.note == "a"


def test_damaged_weights_on_the_disk_give_way_to_those_before_and_that_is_a_problem(bench, weights):
    deliver(bench, run(weights[0], 1))
    deliver(bench, run(weights[1], 2))
    path = bench.folder / FOLDER / f"{tell_hash(weights[1])}.npz"
    path.write_bytes(path.read_bytes()[:-1])
    bench.start()
    assert bench.note == "a"
    assert "deliver weights again" in bench.health.state_of("weights")
    path.unlink()
    (bench.folder / FOLDER / f"{tell_hash(weights[0])}.npz").unlink()
    bench.start()
    assert bench.note == "own"


@pytest.mark.parametrize("content", [b"", b"{", b'{"follows": "x"}', b'{"current": "\\u0000"}'])
def test_a_damaged_store_is_a_problem_and_no_more(bench, weights, content):
    deliver(bench, run(weights[0], 1))
    (bench.folder / FOLDER / FILE).write_bytes(content)
    bench.start()
    assert bench.note == "own"
    assert "cannot be read" in bench.health.state_of("weights")
    assert deliver(bench, run(weights[0], 1)).status == "ok"


def test_a_disk_that_takes_nothing_keeps_the_old_weights_running(tmp_path, weights, monkeypatch):
    bench = Bench(tmp_path / "state")
    deliver(bench, run(weights[0], 1))

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge.weights_store.write_atomically", fail)
    assert "No space left on device" in bench.take(run(weights[1], 2)).error
    assert bench.note == "a"
    monkeypatch.undo()
    bench.take(run(weights[1], 2))
    monkeypatch.setattr("edge.weights_store.write_atomically", fail)
    assert "cannot be kept" in bench.pass_trial().error
    assert bench.note == "a"


def test_a_key_that_is_none_is_said():
    for key in ("?", "AAAA"):
        with pytest.raises(ConfigurationError, match=r"network\.keys"):
            Bench(None, keys=(key,))


VALID = run(DEFAULT_WEIGHTS.read_bytes(), 1)


@given(position=st.integers(0, len(VALID) * 8 - 1))
def test_one_bit_changed_anywhere_is_refused(tmp_path_factory, position):
    content = bytearray(VALID)
    content[position // 8] ^= 1 << position % 8
    bench = Bench(tmp_path_factory.mktemp("state"))
    assert bench.take(bytes(content)).status == "error"
    assert bench.note == "own"


@given(content=st.binary(max_size=300))
def test_noise_is_refused(tmp_path_factory, content):
    assert (
        json.loads(json.dumps(vars(Bench(tmp_path_factory.mktemp("s")).take(content))))["status"] == "error"
    )
