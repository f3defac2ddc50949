from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.records import Between, RecordError, read_record


@dataclass(frozen=True)
class Inner:
    depth: Annotated[int, Between(0, 9)] = 3


@dataclass(frozen=True)
class Record:
    name: str
    share: Annotated[float, Between(0, 1)] = 0.5
    count: int = 1
    on: bool = False
    kind: Literal["a", "b"] = "a"
    numbers: tuple[int, ...] = ()
    maybe: Annotated[int | None, Between(0, 9)] = None
    inner: Inner = field(default_factory=Inner)
    anything: dict[str, Any] = field(default_factory=dict)


def test_a_full_mapping_becomes_a_record():
    content = {
        "name": "x", "share": 1, "count": 2, "on": True, "kind": "b", "numbers": [1, 2], "maybe": 4,
        "inner": {"depth": 0}, "anything": {"k": [1, "2"]},
    }  # fmt: skip
    assert read_record(Record, content) == Record(
        "x", 1.0, 2, True, "b", (1, 2), 4, Inner(0), {"k": [1, "2"]}
    )


def test_what_is_left_out_has_its_default():
    assert read_record(Record, {"name": "x"}) == Record("x")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "content must be a table of keys, not a list"),
        ({}, "name is missing: it must be text in quotes"),
        ({"name": 3}, "name must be text in quotes, not 3"),
        ({"name": "x", "share": 1.5}, "share must be a number between 0 and 1, not 1.5"),
        ({"name": "x", "share": float("nan")}, "share must be a number between 0 and 1, not nan"),
        ({"name": "x", "count": True}, "count must be a whole number, not True"),
        ({"name": "x", "count": 1.0}, r"count must be a whole number, not 1\.0"),
        ({"name": "x", "on": 1}, "on must be true or false, not 1"),
        ({"name": "x", "kind": "c"}, "kind must be one of 'a', 'b', not 'c'"),
        ({"name": "x", "kind": ["a"]}, "kind must be one of 'a', 'b', not a list"),
        ({"name": "x", "numbers": [1, "2"]}, r"numbers\[1\] must be a whole number, not '2'"),
        ({"name": "x", "numbers": "12"}, "numbers must be a list, each entry a whole number, not '12'"),
        ({"name": "x", "maybe": 10}, "maybe must be a whole number or nothing between 0 and 9, not 10"),
        ({"name": "x", "inner": {"depth": -1}}, "inner.depth must be .* between 0 and 9, not -1"),
        ({"name": "x", "inner": 3}, "inner must be a table of keys, not 3"),
        ({"name": "x", "inner": {"depht": 1}}, "inner.depht is not a known key: did you mean depth?"),
        ({"name": "x", "zzz": 1}, "zzz is not a known key: known here: name, share"),
    ],
)
def test_what_does_not_fit_is_named(content, said):
    with pytest.raises(RecordError, match=said):
        read_record(Record, content)


def test_unknown_keys_can_be_left_out():
    assert read_record(Record, {"name": "x", "zzz": 1}, allow_unknown=True) == Record("x")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(
    ["name", "share", "count", "on", "kind", "numbers", "maybe", "inner", "anything", "zzz"]
)


@given(content=st.dictionaries(keys, json_values) | json_values)
def test_whatever_comes_gives_a_record_or_a_record_error(content):
    try:
        record = read_record(Record, content)
    except RecordError:
        return
    assert 0 <= record.share <= 1
    assert record.kind in ("a", "b")
