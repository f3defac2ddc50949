"""Requests: what the device is asked over MQTT, checked before anything is done, and always answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from edge.errors import RefusedRequestError
from shared.errors import InklingError
from shared.messages import LARGEST_REQUEST, REQUESTS, ResponseMessage, decode, encode
from shared.printable import make_printable
from shared.topics import Topics

log = logging.getLogger(__name__)

# Requests that are carried out in a row, and a second in the long run; who asks more is told so.
MOST_AT_ONCE = 20
MOST_A_SECOND = 5.0

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
        self._clock = clock
        self._allowance, self._counted = float(MOST_AT_ONCE), clock()
        self._warned = float("-inf")

    def answer(self, topic: str, payload: bytes | bytearray, retained: bool) -> tuple[str, bytes] | None:
        """Carry out a request; returns the verb and the response to publish, or None if there is none.

        One that is retained is ignored: it would be heard again at every start.
        """
        verb = self._verbs.get(topic)
        if verb is None or retained:
            return None
        if not self._is_allowed():
            return (
                None
                if self._has_warned()
                else (verb, _refuse(f"at most {MOST_A_SECOND:g} requests a second"))
            )
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

    def _is_allowed(self) -> bool:
        now = self._clock()
        earned = (now - self._counted) * MOST_A_SECOND
        self._allowance, self._counted = min(MOST_AT_ONCE, self._allowance + earned), now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def _has_warned(self) -> bool:
        if self._clock() - self._warned < 1:
            return True
        self._warned = self._clock()
        return False


def _refuse(error: str, transaction: object = None) -> bytes:
    log.warning("a request is refused: %s", make_printable(error))
    return encode(ResponseMessage("error", error=error, transaction=transaction))
