"""Orders to one and to all in any sequence, by any clock, with power cuts: what is told of them is so."""

import tempfile
from pathlib import Path
from shutil import rmtree
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.delivery import read_delivery
from shared.messages import InfoMessage
from shared.topics import WEIGHTS_FOR_ALL, Topics
from tests.edge.test_deliveries import OURS, Bench, knows_nothing, make_weights
from trainer.delivery import Fleet
from trainer.words import Word

NAME = "bench"
DESK = Topics(NAME)

TO_WHOM = st.sampled_from([(), (NAME,)])
WEIGHTS = st.sampled_from(["a", "b", "c", "knows nothing"])
# What the laptops' clocks say may be no more than a little apart, or just the same.
CLOCK = st.integers(1, 5)


class Shelf:
    """What a broker keeps; nobody speaks over it."""

    def __init__(self):
        self.retained = {}

    def subscribe(self, *topics):
        """Nothing comes."""

    def publish(self, topic, payload, *, retain):
        assert retain
        self.retained[topic] = payload


class Orders(RuleBasedStateMachine):
    """A device, its broker, and everybody who ever gave an order."""

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        self.weights = {note: make_weights(self.folder, note) for note in "abc"}
        self.weights["knows nothing"] = knows_nothing(self.weights["a"])
        self.shelf, self.fleets, self.said = Shelf(), {}, []
        self.done = set()
        self.bench, self.info, self.kept = Bench(self.folder / "state"), None, "own"
        self.is_on, self.is_well = True, True

    def teardown(self):
        if not hasattr(self, "bench"):
            return
        try:
            if self.is_well:
                self.end()
        finally:
            rmtree(self.folder)

    def end(self):
        """Whatever happened, in the end it is known what came of the orders that are at the broker."""
        if not self.is_on:
            self.start(all_first=True)
        for _ in range(4):
            self.pass_trial()
            self.hear(*self.shelf.retained)
        self.what_is_told_is_so()
        for payload in self.shelf.retained.values():
            fleet = self.fleets[read_delivery(payload).order.transaction]
            # What was delivered to all before any device was heard of is nobody's in particular.
            assert all(one.is_settled for one in fleet.recipients.values()), fleet.recipients

    # What may happen.

    @rule(
        act=st.sampled_from(["run", "run", "run", "back", "follow"]), whom=TO_WHOM, note=WEIGHTS, clock=CLOCK
    )
    def give(self, act, whom, note, clock):
        self.publish(self.meet(), act, whom, note, clock)

    @rule(
        whoms=st.tuples(TO_WHOM, TO_WHOM), notes=st.tuples(WEIGHTS, WEIGHTS), clocks=st.tuples(CLOCK, CLOCK)
    )
    def give_two_at_once(self, whoms, notes, clocks):
        fleets = [self.meet() for _ in whoms]
        for fleet, whom, note, clock in zip(fleets, whoms, notes, clocks, strict=True):
            self.publish(fleet, "run", whom, note, clock)

    @rule(which=st.integers(0, 100))
    def say_an_old_order_again(self, which):
        if self.said and self.is_on:
            topic, payload = self.said[which % len(self.said)]
            self.take(topic, payload)

    @precondition(lambda self: self.is_on)
    @rule()
    def cut_the_power(self):
        self.is_on = False

    @precondition(lambda self: not self.is_on)
    @rule(all_first=st.booleans())
    def start(self, all_first):
        self.is_on = True
        self.bench.start()
        assert self.bench.note == self.kept
        self.tell(None)
        topics = [WEIGHTS_FOR_ALL, DESK.weights]
        self.hear(*(topics if all_first else topics[::-1]))

    @precondition(lambda self: self.is_on)
    @rule()
    def lose_the_connection(self):
        self.hear(WEIGHTS_FOR_ALL, DESK.weights)

    @precondition(lambda self: self.is_on)
    @rule()
    def pass_trial(self):
        if (verdict := self.bench.pass_trial()) is not None:
            assert verdict.status == "ok"
            self.kept = self.bench.note
            self.tell(verdict)

    @precondition(lambda self: self.is_on)
    @rule()
    def fail_trial(self):
        if self.bench.deliveries._trial is not None:
            self.bench.fail(ValueError("no"))
            verdict = self.bench.deliveries.judge()
            assert verdict.status == "error"
            self.tell(verdict)

    # What must be so.

    @invariant()
    def what_is_told_is_so(self):
        if not self.is_on:
            return
        self.is_well = False  # until all of this was found to be so
        deliveries = self.bench.deliveries
        told, trial, running = deliveries.describe(), deliveries._trial, deliveries.running
        if trial is not None:
            assert (told["state"], told["serial"], told["model"]) == (
                "trial",
                trial.order.serial,
                running.name,
            )
        else:
            assert self.bench.note == self.kept
            assert told is None or told["state"] != "trial"
            if told is not None and told["state"] == "done":
                assert told["model"] == running.name
        for transaction, fleet in self.fleets.items():
            recipient = fleet.recipients.get(NAME)
            if recipient is not None and recipient.state == "done":
                assert transaction in self.done, recipient
            if trial is not None and trial.order.transaction == transaction and recipient is not None:
                assert recipient.state == "trial", recipient
        self.is_well = True

    # How it happens.

    def meet(self):
        fleet = Fleet(self.shelf)
        if self.info is not None:
            fleet._note(self.info)
        return fleet

    def publish(self, fleet, act, whom, note, clock):
        if not whom:
            act = "run"
        with patch("trainer.delivery._tell_milliseconds", return_value=clock):
            fleet.deliver(act, whom, OURS, self.weights[note] if act == "run" else b"")
        topic = DESK.weights if whom else WEIGHTS_FOR_ALL
        self.fleets[fleet._order.transaction] = fleet
        self.said.append((topic, self.shelf.retained[topic]))
        self.hear(topic)

    def hear(self, *topics):
        for topic in topics:
            if self.is_on and topic in self.shelf.retained:
                self.take(topic, self.shelf.retained[topic])

    def take(self, topic, payload):
        answer = self.bench.take(payload, for_all=topic == WEIGHTS_FOR_ALL)
        if answer is not None and answer.status == "ok":
            assert answer.data["model"] == self.bench.deliveries.running.name
        if self.bench.deliveries._trial is None:
            self.kept = self.bench.note
        self.tell(answer)

    def tell(self, answer):
        """Say to all laptops what the device says: how it is, and after it what it answers."""
        deliveries = self.bench.deliveries
        wanted = deliveries.describe()
        weights = {"sha256": deliveries.running.sha256, **({} if wanted is None else {"wanted": wanted})}
        self.info = Word(NAME, "info", InfoMessage("inkling-pi", weights, {}))
        words = [self.info]
        if answer is not None:
            if answer.status == "ok":
                self.done.add(answer.transaction)
            words.append(Word(NAME, "response/weights", answer))
        for fleet in self.fleets.values():
            for word in words:
                fleet._note(word)


Orders.TestCase.settings = settings(max_examples=15, stateful_step_count=12)
TestOrders = Orders.TestCase
