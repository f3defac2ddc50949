"""The loop that the project is named for: a digit is misread, corrected, learnt, delivered, and read."""

import json
from functools import partial

import numpy as np

from shared.idx import TEST_IMAGES, TEST_LABELS
from shared.messages import InfoMessage
from shared.weights import load_weights
from tests.conftest import wait_until
from tests.end_to_end.commands import order, run_trainer
from tests.idx_files import write_idx
from tests.subscriber import TOPICS
from tests.writer import write_sevens
from trainer.datasets import load_mnist
from trainer.evaluation import measure_accuracy, query_dataset
from trainer.signing import load_key, tell_public_key

CORRECTIONS = 30


def correct_what_is_misread(subscriber):
    """Hear what the device says of a writer's sevens, and tell it of those that it read as something else."""
    seen, corrected = len(subscriber.events), 0
    while corrected < CORRECTIONS:
        wait_until(lambda seen=seen: len(subscriber.events) > seen)
        event = subscriber.events[seen]
        seen += 1
        if event.digit != 7:
            assert subscriber.ask("correct", id=event.id, label=7).status == "ok"
            corrected += 1


def test_a_writers_sevens_are_corrected_learnt_delivered_and_read(
    broker, subscriber, start, collect, key, mnist, tmp_path
):
    # The sheets that the simulated camera holds up are of those that are misread, for the sake of time; none
    # of them is made from MNIST's tests.
    sevens = write_sevens(load_mnist(mnist, test=False), 1000, seed=5)
    said = query_dataset(load_weights().network, sevens)
    sevens = sevens.take(np.flatnonzero((said.argmax(axis=1) != 7) & (said.max(axis=1) > 0.7)))
    write_idx(tmp_path / TEST_IMAGES, sevens.images)
    write_idx(tmp_path / TEST_LABELS, sevens.labels)
    state = tmp_path / "state"
    state.mkdir()
    public = tell_public_key(load_key(key))
    collector = collect()
    start(
        [7] * 1000,
        hold_s=1.0,
        gap_s=0.3,
        port=broker.port,
        device=f"state = '{state}'\n",
        scene=f"mnist = '{tmp_path}'\n",
        more="[settling]\nconfidence = 0.6\nrelease_s = 0.2\n"
        f"[network]\nkeys = ['{public}']\ntrial_s = 2.0\n",
    )
    wait_until(lambda: collector.kept)  # it may begin later than the device, and miss the first
    correct_what_is_misread(subscriber)
    wait_until(lambda: sum(kept["is_correction"] for kept in collector.kept) == CORRECTIONS)
    assert collector.stop() == 0

    learnt = tmp_path / "new.npz"
    result = run_trainer(
        *("retrain", "--library", tmp_path / "library.sqlite", "-o", learnt, "--data-dir", mnist),
        *("--no-digits", "400", "--json"),  # fewer than usual, since drawing them takes most of the time
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["sha256"] == load_weights(learnt).sha256

    tell = partial(order, broker.port, key)
    (told,) = tell("deliver", learnt, "--device", "bench")
    assert (told["state"], told["model"]) == ("done", load_weights(learnt).name)
    running = subscriber.payloads(InfoMessage, TOPICS.info)[-1].weights["sha256"]
    assert running == load_weights(learnt).sha256

    networks = [load_weights().network, load_weights(learnt).network]
    unseen, tests = (
        write_sevens(load_mnist(mnist, test=True), 1000, seed=6),
        load_mnist(mnist, test=True),
    )
    before, after = (1 - measure_accuracy(network, unseen) for network in networks)
    assert before > 0.5
    assert after <= before / 2
    known, still_known = (measure_accuracy(network, tests) for network in networks)
    assert still_known >= known - 0.001

    # And before the camera: what it reads from now on are sevens.
    name = load_weights(learnt).name
    wait_until(lambda: sum(event.model == name for event in subscriber.events) >= 15)
    read = [event.digit for event in subscriber.events if event.model == name]
    assert read.count(7) > len(read) / 2, read
    print(f"unseen sevens misread {before:.1%}, then {after:.1%}; MNIST {known:.2%}, then {still_known:.2%}")
