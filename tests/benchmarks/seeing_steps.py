"""Takes frames through the steps of seeing, one by one, with a mark before and after each step.

`seeing_instructions` starts this on the emulated Pi, in a folder that holds `shared` and the frames, and
reads what it prints: a line before each step, and the counter's line at each mark.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from typing import TypeVar

import numpy as np
import scipy

from shared.digit_finder import FoundDigit, find_digit
from shared.digit_image import normalise, to_inputs
from shared.reading import NEEDED_CONFIDENCE, WITNESSES, DigitReader, Reading, read_digit
from shared.weights import load_weights

MARK = 0x494E4B00  # as in deploy/emulated_pi/instruction_counter.c

Result = TypeVar("Result")


def mark() -> None:
    with suppress(OSError):
        os.close(MARK)


def count(scene: str, step: str, work: Callable[..., Result], *arguments: object) -> Result:
    print(f"count\t{scene}\t{step}", flush=True)
    mark()
    result = work(*arguments)
    mark()
    return result


def main() -> None:
    scenes = np.load(sys.argv[1])
    network = load_weights().network
    print(f"numpy {np.__version__} from {np.__path__[0]}")
    print(f"scipy {scipy.__version__} from {scipy.__path__[0]}")
    # What is done for the first time costs more: imports, and buffers that are made once.
    for scene in scenes.files:
        DigitReader(network).read(scenes[scene][0])
    for _ in range(5):
        count("", "nothing", lambda: None)
    for scene in scenes.files:
        for frame in scenes[scene]:
            found = find_digit(frame)
            if isinstance(found, FoundDigit):
                image = count(scene, "normalise", normalise, found.ink)
                count(scene, "query", network.query, to_inputs(image))
                anew = replace(found.surroundings)  # the finder may have asked already
                count(scene, "view", getattr, anew, "view")
                count(scene, "likelihood", getattr, anew, "likelihood")
            for second in (False, True):
                look = partial(read_digit, frame, network, second_look=second)
                count(scene, "second look" if second else "first look", look)
            answer = read_digit(frame, network)
            digit = (
                answer.digit
                if isinstance(answer, Reading) and answer.confidence >= NEEDED_CONFIDENCE
                else None
            )
            print(f"answer\t{scene}\t{digit}", flush=True)
        reader = DigitReader(network)
        for frame in islice(cycle(scenes[scene]), WITNESSES):
            reader.read(frame)
        for frame in scenes[scene]:
            count(scene, "next frame", reader.read, frame)


if __name__ == "__main__":
    main()
