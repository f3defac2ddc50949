"""Write what a device says and hears as JSON Schemas and as a page: both are made of `shared/messages.py`.

    python -m deploy.message_page [FOLDER]

Schemas are of JSON Schema's draft 2020-12.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import shared.messages
from shared.atomic_file import write_atomically
from shared.messages import CHANNELS, REQUESTS, Channel, ResponseMessage
from shared.records import Between, Count

FOLDER = Path(__file__).parent / "messages"

TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object"}

Schema = dict[str, Any]

PAGE = """\
# What a device says and hears

Made of [`shared/messages.py`](../../shared/messages.py) by `python -m deploy.message_page`. Beside this page
lies a JSON Schema for each payload.

`<device>` is the device's name. All is MQTT 5 with quality of service 1, JSON in UTF-8, one object a message.
Keys that have no value are left out, and keys are only ever added: ignore those that you do not know.
Requests that are retained, larger than 4096 bytes or more than five a second are not carried out.

Beside these there are `inkling/<device>/view`, a JPEG for who asked for it, `inkling/<device>/weights` and
`inkling/weights`, retained, where signed weights are delivered to one device and to all
([`shared/delivery.py`](../../shared/delivery.py)), and `homeassistant/device/<device>/config`, retained, with
which Home Assistant finds the device by itself.

| topic | retained | payload |
| --- | --- | --- |
{topics}
"""


def main() -> None:
    """Write the schemas and the page."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in describe_all().items():
        write_atomically(folder / name, content.encode())


def describe_all() -> dict[str, str]:
    """The files to write: their names and contents."""
    kinds = [
        *((channel, kind) for kind, channel in CHANNELS.items()),
        *((Channel(f"request/{verb}", retained=False), kind) for verb, kind in REQUESTS.items()),
        (Channel("response/<verb>", retained=False), ResponseMessage),
    ]
    files, rows, sections = {}, [], []
    for (topic, retained, expires), kind in kinds:
        schema = describe_schema(kind, strict=kind in REQUESTS.values())
        name = topic.replace("/<verb>", "").replace("/", "-")
        whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        files[f"{name}.schema.json"] = json.dumps(whole, indent=2) + "\n"
        kept = "yes" if retained else "no"
        if expires:
            kept += ", until three health messages are missed"
        rows.append(f"| [`inkling/<device>/{topic}`](#{name}) | {kept} | {_say(schema)} |")
        sections.append(f"\n## {name}\n\n{schema['description']}\n\n{_draw_table(schema)}")
    files["README.md"] = PAGE.format(topics="\n".join(rows)) + "".join(sections)
    return files


def describe_schema(kind: type, *, strict: bool) -> Schema:
    """Describe a dataclass of messages as a JSON Schema; a strict one allows no keys but its own."""
    meanings = read_meanings(kind)
    hints = get_type_hints(kind, include_extras=True)
    properties = {}
    for item in fields(kind):
        schema = _describe(hints[item.name], strict, nullable=_is_required(item))
        properties[item.name] = {**schema, "description": meanings[item.name]}
    return {
        "title": kind.__name__,
        "description": _read_summary(kind),
        "type": "object",
        "properties": properties,
        "required": [item.name for item in fields(kind) if _is_required(item)],
        **({"additionalProperties": False} if strict else {}),
    }


def read_meanings(kind: type) -> dict[str, str]:
    """Read what each key means from the class's docstring, and from that of one which it refers to."""
    text = inspect.getdoc(kind) or ""
    meanings: dict[str, str] = {}
    if more := re.search(r"beside those of `(\w+)`", text):
        meanings |= read_meanings(getattr(shared.messages, more[1]))
    for names, meaning in re.findall(r"^([\w, ]+) : (.+(?:\n    .+)*)", text, re.MULTILINE):
        for name in names.split(", "):
            meanings[name] = " ".join(meaning.split())
    return meanings


def _read_summary(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")


def _is_required(item: Field[Any]) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _describe(hint: Any, strict: bool, *, nullable: bool) -> Schema:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return {}
    if origin is Annotated:
        limits: Between | Count = arguments[1]
        inner = _describe(arguments[0], strict, nullable=nullable)
        if isinstance(limits, Count):
            return {**inner, "minItems": limits.entries, "maxItems": limits.entries}
        return {**inner, "minimum": limits.lowest, "maximum": limits.highest}
    if origin in (Union, UnionType):
        inner = _describe(next(kind for kind in arguments if kind is not NoneType), strict, nullable=False)
        # Without a value an optional key is left out; one that must be there is null.
        return {**inner, "type": [inner["type"], "null"]} if nullable else inner
    if origin is Literal:
        return {"enum": list(arguments)}
    if is_dataclass(hint):
        return describe_schema(hint, strict=strict)  # type: ignore[arg-type]
    if origin is tuple:
        return {"type": "array", "items": _describe(arguments[0], strict, nullable=False)}
    return {"type": TYPES[origin or hint]}


def _draw_table(schema: Schema) -> str:
    table = "| key | type | always there | meaning |\n| --- | --- | --- | --- |\n"
    for key, part in _flatten(schema["properties"]):
        there = "yes" if key in schema["required"] else "no"
        table += f"| `{key}` | {_say_type(part)} | {there} | {part['description']} |\n"
    return table


def _flatten(properties: Schema, prefix: str = "") -> list[tuple[str, Schema]]:
    """Keys and their schemas; those of tables in tables have dots in their names."""
    rows: list[tuple[str, Schema]] = []
    for key, part in properties.items():
        rows += (
            _flatten(part["properties"], f"{prefix}{key}.")
            if "properties" in part
            else [(prefix + key, part)]
        )
    return rows


def _say_type(schema: Schema) -> str:
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    kind = schema.get("type", "anything")
    text = " or ".join(kind) if isinstance(kind, list) else kind
    if "minimum" in schema:
        text += f", {schema['minimum']:g} to {schema['maximum']:g}"
    if "items" in schema:
        text += f" of {schema.get('minItems', '')} {schema['items']['type']}s".replace("  ", " ")
    return text


def _say(schema: Schema) -> str:
    return str(schema["description"]).rstrip(".")


if __name__ == "__main__":
    main()
