import json
from dataclasses import fields

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.message_page import FOLDER, describe_all, describe_schema
from shared.errors import BadMessageError
from shared.messages import CHANNELS, REQUESTS, CorrectRequest, ResponseMessage, decode, encode

KINDS = [*CHANNELS, *REQUESTS.values(), ResponseMessage]


def test_the_published_page_and_schemas_are_what_the_messages_are():
    published = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert published == describe_all(), "run: python -m deploy.message_page"


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_described(kind):
    schema = describe_schema(kind, strict=False)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert list(schema["properties"]) == [item.name for item in fields(kind)]
    assert all(key["description"] for key in schema["properties"].values())


# Without nulls, which a device takes for keys that are left out, and without 1.0, which for JSON is a whole
# number and for a device is none.
ANYTHING = st.recursive(
    st.booleans()
    | st.integers(-20, 20)
    | st.floats(-2, 12).filter(lambda number: not number.is_integer())
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@st.composite
def draw_requests(draw):
    """A verb, and an object with some of its request's keys and some others."""
    verb = draw(st.sampled_from(sorted(REQUESTS)))
    keys = [item.name for item in fields(REQUESTS[verb])]
    some = st.dictionaries(st.sampled_from(["confidence", "brightness", "hold_s"]), ANYTHING, max_size=2)
    content = draw(st.dictionaries(st.sampled_from([*keys, "other"]), ANYTHING | some, max_size=4))
    return verb, content


@given(draw_requests())
def test_a_device_accepts_just_the_requests_that_their_schema_does(drawn):
    verb, content = drawn
    kind = REQUESTS[verb]
    valid = jsonschema.Draft202012Validator(describe_schema(kind, strict=True)).is_valid(content)
    try:
        decode(kind, json.dumps(content).encode(), allow_unknown=False)
    except BadMessageError:
        accepted = False
    else:
        accepted = True
    assert accepted == valid


def test_a_label_of_null_is_not_left_out():
    assert json.loads(encode(CorrectRequest("x", None))) == {"id": "x", "label": None}
