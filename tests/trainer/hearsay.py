"""What devices could say, and what could be said in their name: for property tests."""

import json

from hypothesis import strategies as st

from shared.messages import Availability, EventMessage, HealthMessage, PredictionMessage, encode
from trainer.words import KINDS

EVENT = EventMessage(
    digit=7,
    confidence=0.98,
    outputs=(0.0,) * 10,
    id="one",
    model="0123456789ab",
    seq=1,
    latency_ms=9.0,
    image="",
)
HEALTH = HealthMessage(
    uptime_s=1.0,
    frames_per_s=9.9,
    frame_ms=11.0,
    memory_mb=118.0,
    queued=0,
    dropped=0,
    camera="ok",
    leds="ok",
    problems=(),
)
TRUE = [
    encode(Availability("online")),
    encode(PredictionMessage(7, 0.98)),
    encode(EVENT),
    encode(HEALTH),
]

# What steers a terminal, means something to rich, or turns the direction of writing.
NASTY = st.sampled_from(
    ["\x1b[2J", "\x07", "\r\n", "[red]", "[/]", "\u202e", "\x9b31m", ":smile:", "\ud800", "漢"]
)
TEXT = st.lists(NASTY | st.text(max_size=8), max_size=6).map("".join)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def draw_mutated(draw):
    """A true payload with some of its values replaced, some cut or with some bytes changed."""
    content = json.loads(draw(st.sampled_from(TRUE)))
    for key in draw(st.sets(st.sampled_from(sorted(content)))):
        content[key] = draw(ANYTHING)
    if "problems" in content and draw(st.booleans()):
        content["problems"] = draw(st.lists(TEXT, max_size=12))
    payload = bytearray(json.dumps(content).encode())
    for place in draw(st.lists(st.integers(0, len(payload) - 1), max_size=2)):
        payload[place] = draw(st.integers(0, 255))
    return bytes(payload[: draw(st.integers(0, 2 * len(payload)))])


TOPICS = (
    st.builds(
        "inkling/{}/{}".format,
        st.sampled_from(["desk", "kitchen", "a-device-with-a-name-of-32-chars"]),
        st.sampled_from([*KINDS, "view"]),
    )
    | st.builds("inkling/{}/{}".format, TEXT, st.sampled_from([*KINDS]))
    | TEXT
)
PAYLOADS = draw_mutated() | st.binary(max_size=60) | ANYTHING.map(lambda value: json.dumps(value).encode())
