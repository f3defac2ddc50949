"""One frame's answer: find the digit, normalise it, query the network."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared import surroundings
from shared.digit_finder import (
    COMPANY,
    Box,
    FoundDigit,
    NoDigit,
    Search,
    check_frame,
    cut_out_companion,
    search_in_turn,
)
from shared.digit_image import normalise, to_inputs
from shared.feedforward import FeedForward, FloatArray
from shared.ink import Bytes, Sums, sum_blocks

# Below this a digit is not said, unless the configuration asks otherwise.
NEEDED_CONFIDENCE = 0.9


class Trust(NamedTuple):
    """The odds of a frame that leaves network and finder undecided, and the powers to raise theirs to."""

    prior_odds: float
    network: float
    finder: float


# How the network's and the finder's word are put together. `python -m tests.benchmarks.refusals --fit` gives
# prior odds of 0.39 and powers of 0.78 and 0.60. With these instead a sure shape is hardly said where a digit
# is less likely than not, nor a doubtful shape where one is sure; in an empty room that counts for more.
TRUST = Trust(0.25, network=0.8, finder=0.8)
LEAST_DOUBT = 0.01  # neither is ever surer than this

# With less likelihood of the finder's nothing is likely, whatever the network says: one look does not ask it.
HOPELESS = 0.04

# Frames are the same when no block's mean differs by more levels of 255: a sensor's noise stays below.
BLOCK, STILL = 8, 2.5

# From here on it is likely that a digit is there, said or not.
LIKELY = 0.5

# So many frames in a row must have been read alike before what was read is said again without reading.
WITNESSES = 5

# So many pieces of a frame are taken for its digit and read at most, until one is sure.
MOST_READINGS = 2

# What the talk teaches the output nodes to say for "no" and for "yes".
NO, YES = 0.01, 0.99


@dataclass(frozen=True, eq=False)
class Reading:
    """What the network makes of the digit found in one frame.

    Attributes
    ----------
    digit : the output node that speaks loudest, 0 to 9
    confidence : 0 to 1, the chance that the reading is right, see `weigh`
    outputs : float32 (10,), the output layer's signals
    image : float32 (28, 28), what the network saw, 0 = paper, 1 = ink
    box : where in the frame, in pixels
    """

    digit: int
    confidence: float
    outputs: FloatArray
    image: FloatArray
    box: Box


def tell_confidence(outputs: npt.ArrayLike) -> float:
    """How sure the network is: the chance that the loudest node alone is right.

    Each output is taken as the chance that its digit is there, after the targets 0.01 and 0.99 are
    stretched to 0 and 1; so it is high only where one node speaks and all others are silent.

    Parameters
    ----------
    outputs : shape (10,)
    """
    # Of so few numbers arrays would take a Pi Zero longer.
    chances = [min(max((output - NO) / (YES - NO), 0.0), 1.0) for output in np.asarray(outputs).tolist()]
    loudest: float = max(chances)
    chances.remove(loudest)
    for chance in chances:
        loudest *= 1.0 - chance
    return loudest


def tell_confidences(outputs: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Tell how sure the network is of each of many readings: (count, 10) becomes (count,)."""
    chances = np.clip((np.asarray(outputs, dtype=np.float64) - NO) / (YES - NO), 0.0, 1.0)
    loudest = np.eye(chances.shape[1], dtype=np.bool_)[chances.argmax(axis=1)]
    confidences: npt.NDArray[np.float64] = np.where(loudest, chances, 1.0 - chances).prod(axis=1)
    return confidences


def show_confidence(confidence: float) -> str:
    """A confidence in two digits, rounded down: 0.899 is not shown as the 0.90 that it falls short of."""
    hundredths = round(100 * confidence)
    if hundredths / 100 > confidence:
        hundredths -= 1
    return f"{hundredths / 100:.2f}"


def weigh(confidence: float, likelihood: float) -> float:
    """The chance that a reading is right: the network's word, and the finder's that there is a digit at all.

    Two witnesses who look at different things: the network at a shape, the finder at what is around it.
    Their odds are multiplied, each raised to a power, the trust in it; the rest is the odds of a frame in
    which both are undecided.

    Parameters
    ----------
    confidence : the network's, as `tell_confidence` has it
    likelihood : of what is read, 0 to 1, as its surroundings tell
    """
    odds = TRUST.prior_odds
    for chance, power in ((confidence, TRUST.network), (likelihood, TRUST.finder)):
        odds *= math.pow((chance + LEAST_DOUBT) / (1 - chance + LEAST_DOUBT), power)
    return odds / (1 + odds)


def read_digit(frame: Bytes, network: FeedForward, *, second_look: bool | None = None) -> Reading | NoDigit:
    """Read the digit in a grey frame, uint8 (height, width), or tell why there is none; see `find_digit`.

    What the finder holds for the likeliest may be none to the network: a card, a gap, a shadow. Unless one
    look alone is asked for, the next likeliest is read too then; the surer of both readings is the answer.
    One look alone does not read what is hopeless by its surroundings: then there is nothing. Of a digit that
    is beside another one neither is the answer.
    """
    return search_and_read(frame, network, second_look=second_look)[1]


def search_and_read(
    frame: Bytes, network: FeedForward, *, second_look: bool | None = None
) -> tuple[Search, Reading | NoDigit]:
    """Read as `read_digit` does; tell as well how what was read had been found."""
    answers: list[tuple[Search, Reading | NoDigit]] = []
    one_look = second_look is not None  # which has no time for more
    for search in islice(search_in_turn(frame, second_look=second_look), 1 if one_look else MOST_READINGS):
        answer: Reading | NoDigit
        if not isinstance(search.found, FoundDigit):
            answer = search.found
        elif one_look and search.found.surroundings.likelihood < HOPELESS:
            answer = NoDigit.NOTHING
        else:
            answer = read_found(search.found, network)
            if _has_company(search, search.found, answer, frame.shape, network):
                return replace(search, found=NoDigit.NOT_ONE), NoDigit.NOT_ONE
        answers.append((search, answer))
        if _tell_chance(answer) >= NEEDED_CONFIDENCE:
            break
    return max(answers, key=lambda each: _tell_chance(each[1]))


def _has_company(
    search: Search, found: FoundDigit, reading: Reading, frame_shape: tuple[int, ...], network: FeedForward
) -> bool:
    """Whether there is another digit beside the one that was found.

    Both are likely by what is around them, or read so: letters are not read, and a finger that shows beside
    the card is neither.
    """
    is_read = reading.confidence >= LIKELY
    if not is_read and found.surroundings.likelihood < COMPANY:
        return False
    companion = cut_out_companion(search, frame_shape)
    if companion is None or companion.surroundings.likelihood < HOPELESS:
        return False
    if found.share_likelihood(companion) >= COMPANY:
        return True
    return is_read and read_found(companion, network).confidence >= LIKELY


def read_found(found: FoundDigit, network: FeedForward) -> Reading:
    """Read a digit that was found."""
    image = normalise(found.ink)
    outputs = network.query(to_inputs(image))
    confidence = weigh(tell_confidence(outputs), found.surroundings.likelihood)
    return Reading(int(np.argmax(outputs)), confidence, outputs, image, found.box)


class DigitReader:
    """Reads frame after frame, and no more once nothing changes and its answers agree.

    What is read of one frame alone may be the noise's doing: an answer is only repeated when the last
    `WITNESSES` frames, each read anew, have given it, and then it is the least sure of theirs. A change is
    told by the means of blocks, in which the sensor's noise goes under and a pencil's line does not, against
    the frame that was read last, so that slow changes add up.

    While there is likely no digit, every other frame is given a second look (see `find_digit`): to look well
    for all that may be one takes twice the time.
    """

    def __init__(self, network: FeedForward) -> None:
        surroundings.prepare()
        self._network = network
        self._seen: Sums | None = None
        self._witnesses: list[Reading | NoDigit] = []
        self._likely: int | None = None
        self._second_look = False
        self._reason = NoDigit.NOTHING

    @property
    def network(self) -> FeedForward:
        """Who reads; another one does not repeat the answers of the one before."""
        return self._network

    @network.setter
    def network(self, network: FeedForward) -> None:
        if network is not self._network:
            self._network, self._witnesses = network, []

    def read(self, frame: Bytes) -> Reading | NoDigit:
        """Read the digit in a grey frame, uint8 (height, width), or tell why there is none."""
        check_frame(frame)
        seen = sum_blocks(frame, BLOCK)
        last = self._seen
        if last is None or last.shape != seen.shape or np.abs(seen - last).max() > STILL * BLOCK**2:
            self._witnesses = []
        if len(self._witnesses) == WITNESSES:
            return self._witnesses[-1] if self._likely is None else min(self._witnesses, key=_tell_chance)
        search, answer = search_and_read(frame, self._network, second_look=self._second_look)
        answer = self._explain(answer)
        # What a second look is not sure of is not stayed with, and no change either.
        enough = NEEDED_CONFIDENCE if self._second_look else LIKELY
        likely = answer.digit if isinstance(answer, Reading) and answer.confidence >= enough else None
        if likely != self._likely:
            self._witnesses = []
        self._witnesses.append(answer)
        self._likely, self._seen = likely, seen
        self._second_look = self._choose_look(search, answer)
        return answer

    def _explain(self, answer: Reading | NoDigit) -> Reading | NoDigit:
        """Where there is likely none, give the look before's reason: each of both misses the other's."""
        before, self._reason = self._reason, answer if isinstance(answer, NoDigit) else NoDigit.NOTHING
        return answer if before is NoDigit.NOTHING or _tell_chance(answer) >= LIKELY else before

    def _choose_look(self, search: Search, answer: Reading | NoDigit) -> bool:
        """Whether to give the next frame a second look."""
        chance = _tell_chance(answer)
        if chance >= NEEDED_CONFIDENCE:
            return search.otherwise  # or another frame's second look would pass over what is sure
        # What a second look is not sure of may be a part of what a first look finds.
        return not self._second_look and chance < LIKELY


def _tell_chance(answer: Reading | NoDigit) -> float:
    return answer.confidence if isinstance(answer, Reading) else 0.0
