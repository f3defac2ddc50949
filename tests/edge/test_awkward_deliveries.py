"""Deliveries in an awkward order, at an awkward moment, or to a store that others have been at."""

import json

import pytest

import edge.weights_store
from edge.deliveries import MOST_ATTEMPTS
from edge.errors import RefusedRequestError
from edge.weights_store import FILE, FOLDER
from shared.delivery import Order
from tests.edge.test_deliveries import FOREIGN, Bench, deliver, make_weights, run, sign, tell_hash


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return [make_weights(tmp_path_factory.mktemp("weights"), note) for note in "abc"]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path / "state")


def back(serial):
    return sign(Order("back", serial, device="bench"))


def fill_disk(monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge.weights_store.write_atomically", fail)


def test_weights_that_were_too_slow_are_so_when_they_are_delivered_again_at_once(bench, weights):
    for serial in (1, 2, 3):
        assert bench.take(run(weights[0], serial)) is None
        assert "too slow: 200 ms a frame" in bench.pass_trial(busy_s=0.2).error
    bench.take(run(weights[0], 4))
    for _ in range(20):
        bench.deliveries.observe(0.2)
    bench.take(run(weights[1], 5))  # a later order ends the trial before it was judged
    assert "too slow" in bench.pass_trial(busy_s=0.2).error


def test_going_back_during_a_trial_ends_it_and_goes_no_further(bench, weights):
    deliver(bench, run(weights[0], 1))
    deliver(bench, run(weights[1], 2))
    bench.take(run(weights[2], 3))
    assert bench.take(back(4)).status == "ok"
    assert bench.note == "b"
    bench.take(run(weights[2], 5))
    bench.start()  # a power cut, and the order is there when it is back
    assert bench.take(back(6)).status == "ok"
    assert bench.note == "b"
    bench.start()
    assert bench.note == "b"
    assert bench.take(back(7)).status == "ok"
    assert bench.note == "a"


def test_weights_for_all_that_were_taken_back_in_their_trial_are_not_tried_again(bench, weights):
    for_all = run(weights[0], 1, device=None)
    assert bench.take(for_all, for_all=True) is None
    bench.take(back(2))
    assert bench.note == "own"
    assert "refused before: it was taken back" in bench.take(for_all, for_all=True).error
    told = bench.deliveries.describe()
    assert (told["state"], told["all"]["state"], told["all"]["why"]) == (
        "done",
        "refused",
        "it was taken back",
    )


@pytest.mark.parametrize("all_first", [True, False])
def test_an_order_to_one_that_comes_to_nothing_leaves_it_with_what_all_run(bench, weights, all_first):
    for_all = run(weights[0], 1, device=None)
    orders = [(for_all, True), (run(weights[1], 2), False)]
    for content, is_for_all in orders if all_first else orders[::-1]:
        bench.take(content, for_all=is_for_all)
    assert bench.note == "b"
    bench.fail(ValueError())
    assert bench.deliveries.judge().transaction == "t2"
    assert bench.note == "a"
    assert bench.pass_trial().transaction == "t1"
    assert bench.note == "a"


def test_an_order_to_one_that_is_refused_is_told_of_although_it_follows_all(bench, weights):
    deliver(bench, run(weights[0], 1, device=None), for_all=True)
    bench.take(run(weights[1], 2))
    bench.fail(ValueError())
    bench.deliveries.judge()
    told = bench.deliveries.describe()
    assert (told["serial"], told["latest"], told["state"], told["follows"]) == (2, 2, "refused", True)
    deliver(bench, run(weights[2], 3, device=None), for_all=True)
    assert bench.deliveries.describe()["serial"] == 3


def test_the_last_order_of_all_is_told_so_that_none_is_signed_as_an_older_one(bench, weights):
    deliver(bench, run(weights[0], 1, device=None), for_all=True)
    bench.take(back(2))
    told = bench.deliveries.describe()
    assert (told["serial"], told["latest"], told["state"]) == (2, 2, "done")
    assert told["model"] == bench.deliveries.running.name
    bench.take(sign(Order("follow", 3, device="bench")))
    assert bench.deliveries.describe()["latest"] == 3


def test_a_trial_that_ended_with_the_daemon_is_told_as_one_that_waits(bench, weights):
    bench.take(run(weights[0], 1))
    assert bench.deliveries.describe()["state"] == "trial"
    bench.start()
    assert bench.deliveries.describe()["state"] == "waiting"


def test_a_trial_whose_end_cannot_be_kept_is_over_and_told_so(bench, weights, monkeypatch):
    bench.take(run(weights[0], 1))
    fill_disk(monkeypatch)
    assert "cannot be kept" in bench.pass_trial().error
    assert bench.deliveries.describe()["state"] == "waiting"


def test_a_full_disk_is_an_answer_to_who_asks_for_another_trial(bench, weights, monkeypatch):
    bench.take(run(weights[0], 1))
    bench.fail(ValueError())
    bench.deliveries.judge()
    fill_disk(monkeypatch)
    with pytest.raises(RefusedRequestError, match="No space left"):
        bench.deliveries.take_again()


def test_what_nobody_signed_is_not_what_was_delivered_last(bench, weights):
    bench.take(run(weights[0], 1))
    bench.fail(ValueError())
    bench.deliveries.judge()
    bench.take(b"noise", for_all=True)
    assert bench.deliveries.take_again() is None
    assert bench.note == "a"


def test_what_others_put_into_the_store_is_left_alone_and_in_nobodys_way(bench, weights):
    folder = bench.folder / FOLDER
    (folder / "lost+found").mkdir(parents=True)
    (folder / f"{'0' * 64}.npz").mkdir()
    (folder / "README").write_text("mine")
    for name in "1234":  # some come before what is to be removed, in whatever order they are listed
        (folder / f"{name * 64}.npz").mkdir()
    for serial, content in enumerate(weights, 1):
        assert deliver(bench, run(content, serial)).status == "ok"
    assert (folder / "README").read_text() == "mine"
    assert (folder / "lost+found").is_dir()
    assert not (folder / f"{tell_hash(weights[0])}.npz").exists()
    bench.start()
    assert bench.note == "c"


def test_a_damaged_store_is_no_problem_any_more_once_weights_are_kept(bench, weights):
    for serial, content in enumerate(weights[:2], 1):
        deliver(bench, run(content, serial))
    (bench.folder / FOLDER / f"{tell_hash(weights[1])}.npz").write_bytes(b"")
    bench.start()
    assert bench.note == "a"
    assert "cannot be used" in bench.health.state_of("weights")
    deliver(bench, run(weights[2], 3))
    assert bench.health.state_of("weights") == "ok"
    bench.take(back(4))
    assert bench.note == "a"  # and not the damaged ones


def test_a_network_that_ran_before_is_not_held_against_the_one_on_trial(bench, weights):
    before = bench.deliveries.running.network
    bench.take(run(weights[0], 1))
    assert bench.deliveries.blame(before, ValueError())  # another runs now: read again
    assert bench.note == "a"
    assert bench.pass_trial().status == "ok"


def test_a_daemon_that_ends_whenever_it_tries_an_order_to_it_alone_tries_that_no_more(bench, weights):
    for_all, own = run(weights[0], 1, device=None), run(weights[1], 2)
    bench.take(for_all, for_all=True)
    bench.take(own)  # before what is for all was judged
    for _ in range(MOST_ATTEMPTS):
        bench.start()
        bench.take(for_all, for_all=True)
        answer = bench.take(own)
    assert "ended 2 times while it tried them" in answer.error
    assert bench.pass_trial().transaction == "t1"  # that the other came between is not held against it
    assert bench.note == "a"


def test_what_was_delivered_twice_leaves_the_way_back_to_what_ran_before(bench, weights):
    deliver(bench, run(weights[0], 1))
    deliver(bench, run(weights[1], 2))
    deliver(bench, run(weights[1], 3))
    bench.take(back(4))
    assert bench.note == "a"


def test_damaged_weights_are_run_again_when_the_broker_says_them_again(bench, weights):
    for serial, content in enumerate(weights[:2], 1):
        deliver(bench, run(content, serial))
    (bench.folder / FOLDER / f"{tell_hash(weights[1])}.npz").write_bytes(b"")
    bench.start()
    assert bench.note == "a"
    assert bench.deliveries.describe()["state"] == "waiting"  # and not done, for others run
    assert deliver(bench, run(weights[1], 2)).status == "ok"
    bench.start()
    assert (bench.note, bench.health.state_of("weights")) == ("b", "ok")


def test_of_two_orders_of_one_serial_the_second_is_refused_and_not_taken_for_the_first(bench, weights):
    def order(note, transaction):
        return sign(Order("run", 1, device="bench", transaction=transaction), weights["abc".index(note)])

    assert bench.take(order("a", "one")) is None
    for _ in range(2):
        answer = bench.take(order("b", "another"))
        assert "at the same time: deliver it again" in answer.error
        assert answer.transaction == "another"
        bench.pass_trial()
    assert bench.note == "a"
    assert bench.take(order("a", "one")).status == "ok"


def test_a_store_of_a_newer_version_goes_on_running_its_weights(bench, weights):
    deliver(bench, run(weights[0], 1))
    path = bench.folder / FOLDER / FILE
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "of the future": [1]}))
    bench.start()
    assert (bench.note, bench.health.state_of("weights")) == ("a", "ok")


def test_an_old_order_to_all_said_again_is_not_what_who_follows_again_runs(bench, weights):
    old, new = (run(weights[number], number + 1, device=None) for number in (0, 1))
    deliver(bench, run(weights[2], 3))
    for for_all in (old, new, old):
        assert "of its own" in bench.take(for_all, for_all=True).error
    bench.take(sign(Order("follow", 4, device="bench")))
    assert bench.note == "b"


def test_who_delivers_without_being_trusted_is_told_so_and_nobody_else(bench, weights):
    answer = bench.take(run(weights[0], 1, key=FOREIGN))
    assert "keygen --show" in answer.error
    assert answer.transaction == "t1"


def test_a_trial_without_frames_tells_what_it_waits_for(bench, weights):
    bench.take(run(weights[0], 1))
    assert bench.deliveries.judge() is None
    assert bench.deliveries.is_stuck
    assert "is its camera well?" in bench.deliveries.describe()["why"]
    assert bench.pass_trial().status == "ok"
    assert not bench.deliveries.is_stuck
    assert "why" not in bench.deliveries.describe()


def test_an_order_of_the_same_serial_from_the_other_side_is_another(bench, weights):
    bench.take(run(weights[0], 5, device=None), for_all=True)
    assert bench.take(run(weights[1], 5)) is None
    assert bench.note == "b"
    assert bench.pass_trial().status == "ok"


def test_an_order_that_a_full_disk_does_not_take_ends_no_trial(bench, weights, monkeypatch):
    bench.take(run(weights[0], 1, device=None), for_all=True)
    with monkeypatch.context() as full:
        fill_disk(full)
        assert "No space left" in bench.take(run(weights[1], 2)).error
        assert "No space left" in bench.take(back(3)).error
    assert bench.note == "a"
    assert bench.pass_trial().transaction == "t1"
    bench.start()
    assert bench.note == "a"


def test_an_order_to_all_that_another_has_followed_is_not_obeyed_when_it_is_said_again(bench, weights):
    deliver(bench, run(weights[0], 1))
    bench.take(run(weights[1], 2, device=None), for_all=True)
    bench.take(run(weights[2], 3, device=None), for_all=True)
    bench.start()
    bench.take(run(weights[1], 2, device=None), for_all=True)
    bench.take(sign(Order("follow", 4, device="bench")))
    assert bench.note == "a"
    assert deliver(bench, run(weights[2], 3, device=None), for_all=True).status == "ok"
    assert bench.note == "c"


def test_weights_that_fail_while_the_disk_is_busy_keeping_them_are_rolled_back(bench, weights, monkeypatch):
    deliver(bench, run(weights[0], 1))
    bench.take(run(weights[1], 2))
    write = edge.weights_store.write_atomically

    def fail_meanwhile(*arguments):
        write(*arguments)
        bench.fail(ValueError("no numbers"))

    with monkeypatch.context() as busy:
        busy.setattr("edge.weights_store.write_atomically", fail_meanwhile)
        answer = bench.pass_trial()
    assert "rolled back: they fail" in answer.error
    assert bench.note == "a"
    bench.start()
    assert bench.note == "a"


def test_what_cannot_be_read_is_answered_with_its_hash(bench):
    answer = bench.take(b"no delivery")
    assert answer.transaction is None
    assert answer.data == {"delivery": tell_hash(b"no delivery")}
