"""Deliveries: weights that come over MQTT are checked, tried, and kept or not; what runs always works.

Orders are taken in the link's thread. The daemon's thread looks at `running` before each frame, which is all
that a swap takes, and tells how the trial goes.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np

from edge.errors import RefusedRequestError
from edge.health import Health
from edge.self_test import check_network
from edge.signature import is_signed_by, read_key
from edge.weights_store import Account, Standing, WeightsStore
from shared.delivery import Delivery, Order, read_delivery
from shared.errors import BadDeliveryError, InklingError, WeightsError
from shared.feedforward import FeedForward
from shared.messages import ResponseMessage
from shared.printable import make_printable
from shared.weights import TrainedNetwork, parse_weights

log = logging.getLogger(__name__)

PART = "weights"

# A trial of weights that ended with the daemon, for whatever reason, is begun once more and then no more.
MOST_ATTEMPTS = 2

# A trial is judged by at least so many frames.
FEWEST_FRAMES = 10

OF_ITS_OWN = "this device runs weights of its own: 'inkling-trainer deliver --follow' ends that"

STUCK = "too few frames come to judge them by: is its camera well?"

# How much slower than before frames may be read, if they take longer than the camera's pace allows.
SLOWER = 1.5


class Trial(NamedTuple):
    """Weights that run, and whose fate is open."""

    order: Order
    for_all: bool
    before: TrainedNetwork
    began: float


class Deliveries:
    """Runs delivered weights, or does not.

    Parameters
    ----------
    own : the weights of the configuration
    store : where delivered ones are kept; None: nowhere, and none are taken
    keys : Ed25519 public keys, base64, of who may deliver
    device : this one's name
    trial_s : how long new weights are watched
    pace_s : between two frames
    health : told of weights that cannot be used

    Attributes
    ----------
    running : the network that reads
    """

    def __init__(
        self,
        own: TrainedNetwork,
        store: WeightsStore | None,
        keys: Sequence[str],
        device: str,
        trial_s: float,
        pace_s: float,
        health: Health,
    ) -> None:
        self._own = own
        self._store = store
        self._keys = [read_key(key) for key in keys]
        self._device = device
        self._trial_s = trial_s
        self._pace_s = pace_s
        self._health = health
        self._trial: Trial | None = None
        self._failure: str | None = None
        self._busy_s: list[float] = []
        self._usual_s = pace_s
        self._for_all: Delivery | None = None
        # The last serial that was tried in this life, by whether it was for all.
        self._begun: dict[bool, int] = {}
        self._last: tuple[bytes, bool] | None = None
        self.running = own
        if store is not None:
            self.running = store.load() or own
            health.report(PART, store.problem)

    @property
    def are_taken(self) -> bool:
        """Whether there is a key that may sign them, and a folder to keep them in."""
        return bool(self._keys) and self._store is not None

    # The daemon's thread.

    def observe(self, busy_s: float) -> None:
        """A frame was read with the running weights, in so many seconds."""
        self._busy_s.append(busy_s)
        del self._busy_s[:-1000]

    def blame(self, network: FeedForward, error: Exception) -> bool:
        """Reading with a network raised an error; tells whether another runs now."""
        trial = self._trial
        if trial is not None and network is self.running.network is not trial.before.network:
            self._failure, self.running = f"they fail ({error!r})", trial.before
        return self.running.network is not network

    # The link's thread.

    @property
    def is_stuck(self) -> bool:
        """Whether a trial is over, but for the frames to judge it by."""
        trial = self._trial
        is_over = trial is not None and time.monotonic() - trial.began >= self._trial_s
        return is_over and len(self._busy_s) < FEWEST_FRAMES

    def take(self, content: bytes, *, for_all: bool) -> ResponseMessage | None:
        """Carry out a delivery to this device or to all; returns the answer, None while it is being tried."""
        transaction = None
        try:
            delivery = read_delivery(content)
            # Whoever it is from: of several who deliver, each must know which answer is theirs.
            transaction = delivery.order.transaction
            self._check(delivery)
            self._last = content, for_all
            return self._carry_out(delivery, for_all=for_all)
        except (InklingError, OSError) as error:
            log.warning("weights: a delivery is refused: %s", make_printable(str(error)))
            # Who delivered what cannot be read knows by its hash that it was theirs.
            data = {"delivery": hashlib.sha256(content).hexdigest()} if transaction is None else None
            return ResponseMessage("error", error=str(error), data=data, transaction=transaction)

    def take_again(self) -> ResponseMessage | None:
        """Try what was delivered last once more, however often it was refused.

        Raises
        ------
        RefusedRequestError : if nothing was, or the disk takes nothing
        """
        if self._last is None or self._store is None:
            raise RefusedRequestError("nothing was delivered: use 'inkling-trainer deliver'")
        content, for_all = self._last
        account = self._store.standing.account(for_all=for_all)
        if account.outcome == "refused":
            try:
                self._store.change(self._store.standing.enter(Account(account.serial), for_all=for_all))
            except OSError as error:
                raise RefusedRequestError(f"they cannot be kept ({error})") from error
        return self.take(content, for_all=for_all)

    def judge(self) -> ResponseMessage | None:
        """End the trial if it is time; returns the answer to the order that began it."""
        trial, store = self._trial, self._store
        if trial is None or store is None:
            return None
        frames = self._busy_s[:]
        if self._failure is None:
            if time.monotonic() - trial.began < self._trial_s or len(frames) < FEWEST_FRAMES:
                return None
            if np.median(frames) > max(self._pace_s, SLOWER * self._usual_s):
                self._failure = f"they are too slow: {1000 * np.median(frames):.0f} ms a frame"
        standing = store.standing
        try:
            if self._failure is None:
                account = _account(trial.order, "done", self.running.name)
                kept = replace(
                    standing.enter(account, for_all=trial.for_all),
                    current=standing.trial,
                    trial=None,
                    follows=trial.for_all,
                )
                if standing.trial != standing.current:  # else they were delivered twice
                    kept = replace(kept, previous=standing.current)
                self._keep(kept if trial.for_all else _end_for_all(kept, OF_ITS_OWN))
                self._trial = None
                if self._failure is None:
                    log.info("weights: %s run from now on", self.running.name)
                    return self._answer(trial.order)
                self._trial = trial  # they have failed while the disk was busy
                store.change(standing)
            self._end_trial()
            model = standing.account(for_all=trial.for_all).model
            self._refuse(trial.order, self._failure, model, for_all=trial.for_all)
        except OSError as error:
            self._end_trial()
            self._failure = self._failure or f"they cannot be kept ({error})"
        log.warning("weights: rolled back: %s", self._failure)
        answer = ResponseMessage(
            "error", error=f"rolled back: {self._failure}", transaction=trial.order.transaction
        )
        self._resume(for_all=trial.for_all)
        return answer

    def describe(self) -> dict[str, Any] | None:
        """Tell what is wanted and what came of it, or None if nothing ever was."""
        if self._store is None:
            return None
        standing = self._store.standing
        latest = max(standing.own.serial, standing.all.serial)
        if not latest:
            return None
        last = standing.last == "all"
        account = standing.account(for_all=last)
        is_damaged = account.outcome == "done" and account.model not in (None, self.running.name)
        return {
            **self._describe(account, for_all=last),
            **({"state": "waiting"} if is_damaged else {}),
            "latest": latest,
            "model": account.model or self.running.name,
            "follows": standing.follows,
            "own": self._describe(standing.own, for_all=False),
            "all": self._describe(standing.all, for_all=True),
        }

    def _describe(self, account: Account, *, for_all: bool) -> dict[str, Any]:
        """Tell what came of the last order from one side."""
        state: str = account.outcome
        # A trial may have ended with the daemon, with a full disk, or for an order from the other side.
        if state == "trial" and (self._trial is None or self._trial.for_all != for_all):
            state = "waiting"
        why = STUCK if state == "trial" and self.is_stuck else account.why
        return {
            "serial": account.serial,
            "state": state,
            **({} if why is None else {"why": why}),
            **({} if account.transaction is None else {"transaction": account.transaction}),
        }

    def _check(self, delivery: Delivery) -> None:
        """Check whether anything in it is to be believed."""
        if not self._keys:
            raise BadDeliveryError(
                "this device takes no weights over MQTT: put the key that 'inkling-trainer keygen' prints "
                "into network.keys"
            )
        if self._store is None:
            raise BadDeliveryError("this device has nowhere to keep weights: set device.state to a folder")
        if not any(is_signed_by(delivery, key) for key in self._keys):
            raise BadDeliveryError(
                "not signed by a key in network.keys: put there what 'inkling-trainer keygen --show' prints"
            )

    def _carry_out(self, delivery: Delivery, *, for_all: bool) -> ResponseMessage | None:
        assert self._store is not None
        order, standing = delivery.order, self._store.standing
        if order.device != (None if for_all else self._device):
            raise BadDeliveryError(f"for {order.device or 'all devices'}, and came as if for another")
        if for_all:
            if self._for_all is None or order.serial >= self._for_all.order.serial:
                self._for_all = delivery
            if not standing.follows and order.serial > standing.all.serial:
                # Or an older one could be said again, for when it follows.
                account = replace(_account(order, "refused"), why=OF_ITS_OWN)
                self._store.change(replace(standing, all=account))
            if not standing.follows or (self._trial is not None and not self._trial.for_all):
                raise BadDeliveryError(OF_ITS_OWN)
        account = standing.account(for_all=for_all)
        if order.serial < account.serial:
            raise BadDeliveryError(f"older than the last order ({order.serial} before {account.serial})")
        is_same = order.serial == account.serial and account.outcome != "none"
        if is_same and order.transaction != account.transaction:
            raise BadDeliveryError("another order was given at the same time: deliver it again")
        if order.serial == account.serial and account.outcome == "refused":
            raise BadDeliveryError(f"refused before: {account.why}")
        is_damaged = order.act == "run" and order.sha256 in self._store.damaged
        if order.serial == account.serial and account.outcome == "done" and not is_damaged:
            return self._answer(order)
        trial = self._trial
        if trial is not None and (trial.for_all, trial.order.serial) == (for_all, order.serial):
            return None  # it is being tried
        # What is being tried is not wanted any more, once the disk has taken what is.
        if order.act == "run":
            self._begin_trial(delivery, for_all=for_all)
            return None
        done = standing.enter(_account(order, "done"), for_all=for_all)
        if order.act == "back":
            if standing.trial is not None:  # it never ran for good: what runs now is what ran before
                self._keep(replace(_end_for_all(done, "it was taken back"), trial=None))
                self._end_trial()
            else:
                network = self._store.load_previous() or self._own
                self._keep(replace(done, current=standing.previous, previous=standing.current))
                self.running = network
            log.info("weights: rolled back as was asked, %s run again", self.running.name)
            return self._answer(order)
        # What all devices run is run anew, although it may have been before.
        self._store.change(replace(done, follows=True, all=Account(standing.all.serial), trial=None))
        self._end_trial()
        self._resume(for_all=False)
        return self._answer(order)

    def _begin_trial(self, delivery: Delivery, *, for_all: bool) -> None:
        store, order = self._store, delivery.order
        assert store is not None
        account = store.standing.account(for_all=for_all)
        attempts = account.attempts if account.serial == order.serial else 0
        if self._begun.get(for_all) != order.serial or not attempts:
            attempts += 1
        model = None
        try:
            if attempts > MOST_ATTEMPTS:
                raise BadDeliveryError(f"the daemon ended {MOST_ATTEMPTS} times while it tried them")
            trained = parse_weights(delivery.weights)
            model = trained.name
            check_network(trained.network)
        except (BadDeliveryError, WeightsError) as error:
            self._refuse(order, str(error), model, for_all=for_all)
            self._end_trial()
            self._resume(for_all=for_all)
            raise
        store.keep(order.sha256, delivery.weights)
        account, standing = replace(_account(order, "trial", model), attempts=attempts), store.standing
        other = standing.account(for_all=not for_all)
        if other.outcome == "trial" and self._begun.pop(not for_all, None) == other.serial:
            # This order ends that one's trial, and not the daemon.
            standing = standing.enter(replace(other, attempts=other.attempts - 1), for_all=not for_all)
        store.change(replace(standing.enter(account, for_all=for_all), trial=order.sha256))
        self._end_trial()
        self._begun[for_all] = order.serial
        self._usual_s = float(np.median(self._busy_s)) if self._busy_s else self._usual_s
        self._busy_s, self._failure = [], None
        self._trial = Trial(order, for_all, self.running, time.monotonic())
        self.running = trained
        log.info("weights: %s are tried for %g s", trained.name, self._trial_s)

    def _end_trial(self) -> None:
        """Run again what ran before, if there is a trial; how long its frames took is nothing usual."""
        if self._trial is not None:
            self.running, self._trial, self._busy_s = self._trial.before, None, []

    def _resume(self, *, for_all: bool) -> None:
        """Carry out what all devices are to do, if what kept it waiting was an order to this one in vain."""
        assert self._store is not None
        if not for_all and self._for_all is not None and self._store.standing.follows:
            with suppress(InklingError, OSError):  # it was answered before
                self._carry_out(self._for_all, for_all=True)

    def _keep(self, standing: Standing) -> None:
        """Note what runs from now on."""
        assert self._store is not None
        self._store.change(standing)
        self._health.report(PART, None)

    def _refuse(self, order: Order, why: str, model: str | None, *, for_all: bool) -> None:
        """Note that weights are not run, so that they are not tried again whenever they are heard."""
        assert self._store is not None
        account = replace(_account(order, "refused", model), why=why)
        self._store.change(replace(self._store.standing.enter(account, for_all=for_all), trial=None))

    def _answer(self, order: Order) -> ResponseMessage:
        data = {"model": self.running.name, "serial": order.serial}
        return ResponseMessage("ok", data=data, transaction=order.transaction)


def _account(order: Order, outcome: Literal["trial", "done", "refused"], model: str | None = None) -> Account:
    """Say what came of an order."""
    return Account(order.serial, outcome, model, transaction=order.transaction)


def _end_for_all(standing: Standing, why: str) -> Standing:
    """Note that the weights for all that are being tried are not run, if there are any."""
    if standing.all.outcome != "trial":
        return standing
    return replace(standing, all=replace(standing.all, outcome="refused", why=why))
