"""Deliveries: weights that come over MQTT are checked, tried, and kept or not; what runs always works.

Orders are taken in the link's thread. The daemon's thread looks at `running` before each frame, which is all
that a swap takes, and tells how the trial goes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

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
from shared.weights import TrainedNetwork, parse_weights

log = logging.getLogger(__name__)

PART = "weights"

# A trial of weights that ended with the daemon, for whatever reason, is begun once more and then no more.
MOST_ATTEMPTS = 2

# A trial is judged by at least so many frames.
FEWEST_FRAMES = 10

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
        self._last: tuple[bytes, bool] | None = None
        self.running = own
        if store is not None:
            self.running = store.load() or own
            health.report(PART, store.problem)

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

    def take(self, content: bytes, *, for_all: bool) -> ResponseMessage | None:
        """Carry out a delivery to this device or to all; returns the answer, None while it is being tried."""
        transaction = None
        try:
            delivery = self._check(content)
            self._last = content, for_all
            transaction = delivery.order.transaction
            return self._carry_out(delivery, for_all=for_all)
        except (InklingError, OSError) as error:
            log.warning("weights: a delivery is refused: %s", error)
            return ResponseMessage("error", error=str(error), transaction=transaction)

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
                account = Account(trial.order.serial, "done", self.running.name)
                self._keep(
                    replace(
                        standing.enter(account, for_all=trial.for_all),
                        current=standing.trial,
                        previous=standing.current,
                        trial=None,
                        attempts=0,
                        follows=trial.for_all,
                    )
                )
                log.info("weights: %s run from now on", self.running.name)
                self._trial = None
                return self._answer(trial.order)
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
        # Of who follows, the last word to it alone counts while it is open or was refused.
        is_open = standing.own.outcome in ("trial", "refused") and standing.own.serial > standing.all.serial
        account = standing.all if standing.follows and standing.all.serial and not is_open else standing.own
        if not account.serial:
            return None
        return {
            "serial": account.serial,
            "latest": max(standing.own.serial, standing.all.serial),
            # A trial may have ended with the daemon, or with a disk that is full.
            "state": "waiting" if account.outcome == "trial" and self._trial is None else account.outcome,
            "model": account.model or self.running.name,
            "follows": standing.follows,
            **({} if account.why is None else {"why": account.why}),
        }

    def _check(self, content: bytes) -> Delivery:
        """Check all that can be checked before anything in it is believed."""
        if not self._keys:
            raise BadDeliveryError(
                "this device takes no weights over MQTT: put the key that 'inkling-trainer keygen' prints "
                "into network.keys"
            )
        if self._store is None:
            raise BadDeliveryError("this device has nowhere to keep weights: set device.state")
        delivery = read_delivery(content)
        if not any(is_signed_by(delivery, key) for key in self._keys):
            raise BadDeliveryError("not signed by a key in network.keys")
        return delivery

    def _carry_out(self, delivery: Delivery, *, for_all: bool) -> ResponseMessage | None:
        assert self._store is not None
        order, standing = delivery.order, self._store.standing
        if order.device != (None if for_all else self._device):
            raise BadDeliveryError(f"for {order.device or 'all devices'}, and came as if for another")
        if for_all:
            self._for_all = delivery
            if not standing.follows or (self._trial is not None and not self._trial.for_all):
                raise BadDeliveryError(
                    "this device runs weights of its own: 'inkling-trainer deliver --follow' ends that"
                )
        account = standing.account(for_all=for_all)
        if order.serial < account.serial:
            raise BadDeliveryError(f"older than the last order ({order.serial} before {account.serial})")
        if order.serial == account.serial and account.outcome == "refused":
            raise BadDeliveryError(f"refused before: {account.why}")
        if order.serial == account.serial and account.outcome == "done":
            return self._answer(order)
        if self._trial is not None and self._trial.order.serial == order.serial:
            return None  # it is being tried
        self._end_trial()  # what was being tried is not wanted any more
        if order.act == "run":
            self._begin_trial(delivery, for_all=for_all)
            return None
        done = standing.enter(Account(order.serial, "done"), for_all=for_all)
        if order.act == "back":
            if standing.trial is not None:  # it never ran for good: what runs now is what ran before
                if standing.all.outcome == "trial":
                    done = replace(
                        done, all=replace(standing.all, outcome="refused", why="it was taken back")
                    )
                self._keep(replace(done, trial=None, attempts=0))
                return self._answer(order)
            network = self._store.load_previous() or self._own
            self._keep(replace(done, current=standing.previous, previous=standing.current))
            self.running = network
            return self._answer(order)
        # What all devices run is run anew, although it may have been before.
        self._store.change(
            replace(done, follows=True, all=Account(standing.all.serial), trial=None, attempts=0)
        )
        if self._for_all is not None:
            self._carry_out(self._for_all, for_all=True)
        return self._answer(order)

    def _begin_trial(self, delivery: Delivery, *, for_all: bool) -> None:
        store, order = self._store, delivery.order
        assert store is not None
        standing = store.standing
        again = standing.account(for_all=for_all).serial == order.serial and standing.trial == order.sha256
        attempts = standing.attempts + 1 if again else 1
        model = None
        try:
            if attempts > MOST_ATTEMPTS:
                raise BadDeliveryError(f"the daemon ended {MOST_ATTEMPTS} times while it tried them")
            trained = parse_weights(delivery.weights)
            model = trained.name
            check_network(trained.network)
        except (BadDeliveryError, WeightsError) as error:
            self._refuse(order, str(error), model, for_all=for_all)
            self._resume(for_all=for_all)
            raise
        store.keep(order.sha256, delivery.weights)
        standing = standing.enter(Account(order.serial, "trial", model), for_all=for_all)
        store.change(replace(standing, trial=order.sha256, attempts=attempts))
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
        standing = self._store.standing.enter(Account(order.serial, "refused", model, why), for_all=for_all)
        self._store.change(replace(standing, trial=None, attempts=0))

    def _answer(self, order: Order) -> ResponseMessage:
        data = {"model": self.running.name, "serial": order.serial}
        return ResponseMessage("ok", data=data, transaction=order.transaction)
