"""Read plain data (from JSON or TOML) into a frozen dataclass, and say exactly what does not fit."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from shared.errors import InklingError

T = TypeVar("T")

_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text in quotes",
    list: "a list",
    tuple: "a list",
    dict: "a table",
    NoneType: "nothing",
}


class RecordError(InklingError, ValueError):
    """A key is unknown, missing, of the wrong type or out of range; the message names it."""


class Between(NamedTuple):
    """The range of a number, both ends included; written `Annotated[float, Between(0, 1)]`."""

    lowest: float
    highest: float


class Count(NamedTuple):
    """How many entries a list has; written `Annotated[tuple[float, ...], Count(10)]`."""

    entries: int


class OneOf(NamedTuple):
    """The choices for a text; written `Annotated[str, OneOf(("a", "b"))]`, they can be a table's keys."""

    choices: tuple[str, ...]


def read_json(text: str | bytes | bytearray) -> Any:
    """Read JSON that can be written again as JSON: no NaN, no number too large for a float.

    Raises
    ------
    ValueError : if it is not
    RecursionError : if it nests too deep
    """
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_read_float)


def read_record(kind: type[T], content: object, *, allow_unknown: bool = False, key: str = "") -> T:
    """Build a dataclass from a mapping, checking every key and value against its annotations.

    Understands bool, int, float, str, Any, dict, list[X], tuple[X, ...], X | None, Literal,
    `Annotated[X, Between(...)]`, with `Count(...)` or `OneOf(...)`, and nested dataclasses.

    Parameters
    ----------
    kind : the dataclass
    content : what `read_json` or `tomllib.load` gave
    allow_unknown : leave out keys that a dataclass does not have, nested ones too, instead of refusing them
    key : dotted name of the mapping itself, for messages

    Raises
    ------
    RecordError : naming the key and what would be right
    """
    if not isinstance(content, Mapping):
        raise RecordError(f"{key or 'content'} must be a table of keys, not {_describe(content)}")
    hints = get_type_hints(kind, include_extras=True)
    prefix = f"{key}." if key else ""
    if not allow_unknown:
        for name in content:
            if name not in hints:
                raise RecordError(f"{prefix}{name} is not a known key: {_suggest(name, list(hints))}")
    values = {}
    for item in fields(kind):  # type: ignore[arg-type]
        if item.name in content:
            values[item.name] = _read(hints[item.name], content[item.name], prefix + item.name, allow_unknown)
        elif item.default is MISSING and item.default_factory is MISSING:
            raise RecordError(f"{prefix}{item.name} is missing: it must be {_expect(hints[item.name])}")
    return kind(**values)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is Python's, not JSON's")


def _read_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):  # such as 1e999, which JSON allows and which could not be said again
        raise ValueError(f"{text} is too large")
    return number


def _read(hint: Any, value: object, key: str, allow_unknown: bool) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin is Annotated:
        try:
            inner = _read(arguments[0], value, key, allow_unknown)
        except RecordError:
            raise _wrong(hint, value, key) from None
        if inner is not None and not _is_within(inner, arguments[1]):
            raise _wrong(hint, value, key)
        return inner
    if origin in (Union, UnionType):
        # Unions are only ever "X or nothing".
        inner = next(argument for argument in arguments if argument is not NoneType)
        return None if value is None else _read(inner, value, key, allow_unknown)
    if origin is Literal:
        if value not in arguments:
            raise _wrong(hint, value, key)
        return value
    if is_dataclass(hint):
        return read_record(hint, value, allow_unknown=allow_unknown, key=key)  # type: ignore[arg-type]
    if origin in (list, tuple):
        if not isinstance(value, list | tuple):
            raise _wrong(hint, value, key)
        return origin(
            _read(arguments[0], entry, f"{key}[{index}]", allow_unknown) for index, entry in enumerate(value)
        )
    wanted = origin or hint
    if wanted is float and type(value) is int:
        if abs(value) > 2**53:  # no longer exact as a float, and sooner or later too large for one
            raise _wrong(hint, value, key)
        return float(value)
    # bool is an int to Python, but not to a reader.
    if not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool)):
        raise _wrong(hint, value, key)
    return value


def _is_within(value: Any, limits: Between | Count | OneOf) -> bool:
    if isinstance(limits, OneOf):
        return value in limits.choices
    if isinstance(limits, Count):
        return len(value) == limits.entries
    return bool(limits.lowest <= value <= limits.highest)


def _wrong(hint: Any, value: object, key: str) -> RecordError:
    return RecordError(f"{key} must be {_expect(hint)}, not {_describe(value)}")


def _expect(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        limits, inner = arguments[1], _expect(arguments[0])
        if isinstance(limits, OneOf):
            return _list_choices(limits.choices)
        if isinstance(limits, Count):
            return f"{inner}, {limits.entries} entries"
        return f"{inner} between {limits.lowest:g} and {limits.highest:g}"
    if origin in (Union, UnionType):
        return " or ".join(_expect(argument) for argument in arguments)
    if origin is Literal:
        return _list_choices(arguments)
    if origin in (list, tuple):
        return f"a list, each entry {_expect(arguments[0])}"
    return _NAMES.get(origin or hint, "a table of keys")


def _list_choices(choices: Iterable[object]) -> str:
    return "one of " + ", ".join(map(repr, choices))


def _describe(value: object) -> str:
    if type(value) is int and abs(value) > 2**64:
        return "a number of very many digits"
    if isinstance(value, bool | int | float | str):
        text = repr(value)
        return text if len(text) <= 40 else text[:37] + "..."
    return _NAMES.get(type(value), type(value).__name__)


def _suggest(name: object, known: list[str]) -> str:
    import difflib  # only when something is wrong: a Pi's start-up need not pay for it

    close = difflib.get_close_matches(str(name), known, n=1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
