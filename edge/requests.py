"""Requests: what the device is asked over MQTT, checked before anything is done, and always answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from edge.allowance import MOST_A_SECOND, Allowance
from edge.errors import RefusedRequestError
from shared.errors import InklingError
from shared.messages import LARGEST_REQUEST, REQUESTS, ResponseMessage, decode, encode
from shared.printable import make_printable
from shared.topics import Topics

log = logging.getLogger(__name__)

# Does what is asked and returns the answer's data, or raises what to do about it.
Act = Callable[[Any], dict[str, Any]]


class Requests:
    """Carries out requests.

    Parameters
    ----------
    topics : the device's own
    acts : what to do for each verb in `shared.messages.REQUESTS`
    clock : monotonic seconds
    """

    def __init__(
        self, topics: Topics, acts: Mapping[str, Act], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._verbs = {topics.request(verb): verb for verb in REQUESTS}
        self._acts = acts
        self._clock, self._warned = clock, float("-inf")
        self._allowance = Allowance(clock)

    def answer(self, topic: str, payload: bytes | bytearray, retained: bool) -> tuple[str, bytes] | None:
        """Carry out a request; returns the verb and the response to publish, or None if there is none.

        One that is retained is ignored: it would be heard again at every start.
        """
        verb = self._verbs.get(topic)
        if verb is None or retained:
            return None
        if not self._allowance.take():
            if self._has_warned():
                return None
            return verb, _refuse(f"at most {MOST_A_SECOND:g} requests a second")
        transaction = None
        try:
            if len(payload) > LARGEST_REQUEST:
                raise RefusedRequestError(f"at most {LARGEST_REQUEST} bytes: this has {len(payload)}")
            # A button may send nothing at all.
            request = decode(REQUESTS[verb], payload or b"{}", allow_unknown=False)
            transaction = request.transaction
            response = encode(ResponseMessage("ok", data=self._acts[verb](request), transaction=transaction))
        except InklingError as error:
            response = _refuse(str(error), transaction)
        return verb, response

    def _has_warned(self) -> bool:
        if self._clock() - self._warned < 1:
            return True
        self._warned = self._clock()
        return False


def _refuse(error: str, transaction: object = None) -> bytes:
    log.warning("a request is refused: %s", make_printable(error))
    return encode(ResponseMessage("error", error=error, transaction=transaction))
