"""Weights on their way from a laptop to a daemon that reads, over a real Mosquitto."""

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from shared.messages import InfoMessage
from shared.topics import Topics
from shared.weights import ModelCard, export_weights, load_weights
from tests.conftest import wait_until
from tests.end_to_end.commands import order, run_trainer
from tests.subscriber import TOPICS, Subscriber
from trainer.signing import load_key, tell_public_key


@pytest.fixture
def weights(tmp_path):
    """Two weights files, of the default network under other cards."""
    network = load_weights().network
    paths = []
    for note in "ab":
        paths.append(tmp_path / f"{note}.npz")
        export_weights(paths[-1], network, ModelCard.describe(network, {"note": note}, [], {}))
    return paths


@pytest.fixture
def start_reader(start, tmp_path, key):
    """Start a daemon that holds sevens up and trusts the key."""
    state = tmp_path / "state"
    state.mkdir()

    def run(port):
        public = tell_public_key(load_key(key))
        return start(
            [7] * 200,
            hold_s=1.2,
            gap_s=0.4,
            port=port,
            device=f"state = '{state}'\n",
            more=f"[network]\nkeys = ['{public}']\ntrial_s = 1.0\n",
        )

    return run


@pytest.fixture
def tell(broker, key):
    return partial(order, broker.port, key)


def tell_running(subscriber):
    return subscriber.payloads(InfoMessage, TOPICS.info)[-1].weights["sha256"][:12]


def test_delivered_weights_read_after_a_trial_and_after_a_restart_and_can_be_taken_back(
    start_reader, subscriber, broker, tell, weights
):
    process = start_reader(broker.port)
    wait_until(lambda: subscriber.events)
    names = [load_weights(path).name for path in weights]
    own = tell_running(subscriber)
    for path, name in zip(weights, names, strict=True):
        (told,) = tell("deliver", path, "--device", "bench")
        assert (told["device"], told["state"], told["model"]) == ("bench", "done", name)
        assert tell_running(subscriber) == name
        wait_until(lambda name=name: subscriber.events[-1].model == name)
    (told,) = tell("rollback", "--device", "bench")
    assert (told["state"], told["model"]) == ("done", names[0])
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = len(subscriber.events)
    start_reader(broker.port)
    wait_until(lambda: len(subscriber.events) > before)
    assert subscriber.events[-1].model == names[0] != own
    (told,) = tell("deliver", weights[1], "--all", status=1)
    assert told["state"] == "refused"
    assert "runs weights of its own" in told["why"]
    (told,) = tell("deliver", "--follow", "--device", "bench")
    wait_until(lambda: subscriber.events[-1].model == names[1])


def test_a_device_that_is_offline_gets_weights_on_its_return(start_reader, subscriber, broker, tell, weights):
    process = start_reader(broker.port)
    wait_until(lambda: subscriber.availability == ["online"])
    process.send_signal(signal.SIGTERM)
    process.wait()
    (told,) = tell("deliver", weights[0], "--all")
    assert (told["device"], told["state"]) == ("bench", "offline")
    start_reader(broker.port)
    wait_until(lambda: tell_running(subscriber) == load_weights(weights[0]).name)


def test_a_name_that_was_mistyped_leaves_nothing_at_the_broker(
    start_reader, subscriber, broker, key, weights
):
    start_reader(broker.port)
    wait_until(lambda: subscriber.availability == ["online"])
    options = ("--signing-key", key, "--broker", f"127.0.0.1:{broker.port}")
    refused = run_trainer("deliver", weights[0], "--device", "bnech", *options)
    assert refused.returncode == 1
    assert "never heard of on this broker: bnech. It knows bench." in refused.stderr
    assert not any(message.topic == Topics("bnech").weights for message in subscriber.heard)
    assert run_trainer("deliver", weights[0], "--device", "bnech", "--new", "--wait", 0, *options).returncode
    wait_until(lambda: any(message.topic == Topics("bnech").weights for message in subscriber.heard))


def test_weights_that_nobody_trusts_are_refused_and_that_is_told(
    start_reader, subscriber, broker, weights, tmp_path
):
    start_reader(broker.port)
    wait_until(lambda: subscriber.availability == ["online"])
    other = tmp_path / "other.key"
    run_trainer("keygen", "--signing-key", other)
    result = run_trainer(
        "deliver",
        weights[0],
        "--device",
        "bench",
        "--signing-key",
        other,
        "--broker",
        f"127.0.0.1:{broker.port}",
    )
    assert result.returncode == 1
    assert result.stdout.startswith("bench refuses: not signed by a key in network.keys")
    assert tell_running(subscriber) == load_weights().name


def test_two_laptops_at_once_leave_one_order_and_both_are_told_which(
    start_reader, subscriber, broker, key, weights
):
    start_reader(broker.port)
    wait_until(lambda: subscriber.events)

    def deliver(path):
        return run_trainer(
            *("deliver", path, "--device", "bench", "--signing-key", key),
            *("--broker", f"127.0.0.1:{broker.port}", "--json", "--wait", 30),
        )

    with ThreadPoolExecutor(2) as laptops:
        told = [json.loads(result.stdout)[0] for result in laptops.map(deliver, weights)]
    running = tell_running(subscriber)
    done = [one for one in told if one["state"] == "done"]
    assert done
    assert {one["state"] for one in told} <= {"done", "overtaken", "refused"}
    assert done[-1]["model"] == running or all(one["model"] != running for one in done[:-1])


def test_a_broker_that_restarts_in_the_middle_of_a_delivery(start_reader, remembering_broker, weights, key):
    broker = remembering_broker
    subscriber = Subscriber(broker.port, name="laptop")
    start_reader(broker.port)
    wait_until(lambda: subscriber.events)
    deliver = partial(order, broker.port, key, "deliver", weights[0], "--device", "bench")
    (told,) = deliver(wait_s=0, status=1)
    assert told["state"] in ("sent", "trial")
    broker.stop(signal.SIGKILL)
    time.sleep(1)
    broker.start()
    name = load_weights(weights[0]).name
    wait_until(lambda: tell_running(subscriber) == name)
    (told,) = deliver()
    assert (told["state"], told["model"]) == ("done", name)
    subscriber.close()
