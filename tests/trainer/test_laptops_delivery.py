"""What a laptop makes of devices' words about a delivery; devices are whoever answers in their name."""

import json
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.messages import InfoMessage, ResponseMessage, encode
from shared.topics import Topics
from tests.conftest import wait_until
from trainer.broker import Broker
from trainer.broker_settings import BrokerSettings
from trainer.commands.deliver import _tell
from trainer.delivery import Fleet, Recipient

DESK = Topics("desk")
KEY = Ed25519PrivateKey.from_private_bytes(b"1" * 32)


@pytest.fixture
def laptop(broker):
    with Broker(BrokerSettings("127.0.0.1", broker.port)) as laptop:
        yield laptop


def info(**wanted):
    return encode(InfoMessage("inkling-pi", {"sha256": "0" * 64, "wanted": wanted}, {}))


def hear_until(fleet, condition):
    def listen():
        fleet.hear(0.05)
        return condition()

    wait_until(listen)


def lay_down(fleet, *devices):
    """Deliver to these or to all; gives the order."""
    act, weights = ("follow", b"") if devices else ("run", b"weights")
    fleet.deliver(act, devices, KEY, weights)
    return fleet._order


def test_a_device_that_lies_about_serials_does_not_use_up_those_of_all(laptop, speak):
    speak().say(DESK.info, info(serial=2**53 - 1, latest=2**53 - 1, state="done"), retain=True)
    fleet = Fleet(laptop)
    hear_until(fleet, lambda: fleet.recipients)
    assert lay_down(fleet).serial < 1000 * time.time() + 1


def test_an_order_is_later_than_all_that_a_device_knows_of(laptop, speak):
    ahead = round(1000 * time.time()) + 24 * 3600 * 1000
    speak().say(DESK.info, info(serial=1, latest=ahead, state="done"), retain=True)
    fleet = Fleet(laptop)
    hear_until(fleet, lambda: fleet.recipients)
    assert lay_down(fleet, "desk").serial == ahead + 1


def test_an_order_that_was_carried_out_is_so_although_its_answer_was_lost(laptop, speak):
    fleet = Fleet(laptop)
    order = lay_down(fleet, "desk")
    desk = fleet.recipients["desk"]
    speaker = speak()
    own = {"serial": order.serial, "state": "done", "transaction": order.transaction}
    speaker.say(DESK.info, info(serial=1, all={**own, "serial": order.serial + 1}), retain=True)
    speaker.say(DESK.info, info(serial=1, own={**own, "transaction": "another"}), retain=True)
    speaker.say(DESK.info, info(serial=1, own=own), retain=True)
    hear_until(fleet, lambda: desk.is_settled)
    assert desk.state == "done"
    later = {**own, "serial": order.serial + 1, "transaction": "another"}
    speaker.say(DESK.info, info(serial=1, own=later), retain=True)
    hear_until(fleet, lambda: desk.state == "overtaken")


def test_the_answer_to_something_else_is_none_to_an_order(laptop, speak):
    fleet = Fleet(laptop)
    order = lay_down(fleet, "desk")
    desk, speaker = fleet.recipients["desk"], speak()
    answer = DESK.response("weights")
    speaker.say(answer, encode(ResponseMessage("ok", data={"state": "trial"})))
    speaker.say(answer, encode(ResponseMessage("error", error="no", transaction="of another")))
    speaker.say(DESK.info, json.dumps({"software": "", "weights": {"sha256": "1"}, "configuration": {}}))
    hear_until(fleet, lambda: desk.model == "1")
    assert desk.state == "sent"
    speaker.say(answer, encode(ResponseMessage("error", error="not a delivery", data={"delivery": []})))
    speaker.say(DESK.info, info(serial=1, own={"transaction": order.transaction, "state": []}))
    speaker.say(DESK.info, info(serial=1, own={"transaction": order.transaction, "state": "trial"}))
    hear_until(fleet, lambda: desk.state == "trial")
    (ours,) = fleet._laid_down
    speaker.say(answer, encode(ResponseMessage("error", error="not a delivery", data={"delivery": ours})))
    hear_until(fleet, lambda: desk.state == "refused")
    speaker.say(answer, encode(ResponseMessage("ok", data={"model": "2"}, transaction=order.transaction)))
    hear_until(fleet, lambda: desk.state == "done")


def test_a_device_that_takes_no_weights_refuses_them_at_once(laptop, speak):
    told = InfoMessage("inkling-pi", {"sha256": "0" * 64, "can_be_delivered": False}, {})
    speak().say(DESK.info, encode(told), retain=True)
    fleet = Fleet(laptop)
    hear_until(fleet, lambda: fleet.recipients)
    lay_down(fleet, "desk")
    assert fleet.recipients["desk"].state == "refused"
    assert "into its network.keys" in fleet.recipients["desk"].why


def test_a_device_that_never_told_of_a_delivery_may_have_no_keys_and_a_trial_says_what_it_waits_for():
    assert "without network.keys" in _tell(Recipient("desk"))
    assert "without network.keys" not in _tell(Recipient("desk", serial=1))
    assert _tell(Recipient("desk", "trial", "no frames", serial=1)) == "desk still tries it: no frames"
