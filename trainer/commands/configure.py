"""`inkling-trainer configure`: changes a device's settings while it runs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from shared.messages import ConfigureRequest, HealthChange, LedChange, SettlingChange
from shared.printable import make_printable
from shared.records import RecordError, read_record
from trainer.commands.broker_options import add_broker, read_broker
from trainer.commands.options import Commands
from trainer.errors import BadSettingError
from trainer.reports import output, print_content

TABLES = {"settling": SettlingChange, "leds": LedChange, "health": HealthChange}

# Which of the configuration's tables a setting is in.
SETTINGS = {item.name: table for table, kind in TABLES.items() for item in fields(kind)}


def add_parser(commands: Commands) -> None:
    """Add `configure` to the command line."""
    parser = commands.add_parser(
        "configure",
        help="change a device's settings while it runs",
        description="Change settings of a device, which keeps them across restarts: "
        f"{', '.join(SETTINGS)}, as its configuration file explains them. All others need that file.",
    )
    parser.add_argument("device", metavar="DEVICE", help="the device's name, as 'watch' shows it")
    parser.add_argument(
        "settings", nargs="*", metavar="SETTING=VALUE", help="such as confidence=0.8 brightness=0.3"
    )
    parser.add_argument(
        "--reset", action="store_true", help="go back to the device's configuration file first"
    )
    parser.add_argument("--json", action="store_true", help="print the settings as JSON")
    add_broker(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer configure`."""
    from trainer.broker import Broker

    request = read_settings(options.settings, reset=options.reset)
    with Broker(read_broker(options)) as broker:
        data = broker.ask(options.device, request)
    if options.json:
        print(json.dumps(data))
        return 0
    kept = data.pop("kept", None)
    print_content(_flatten(data))
    if kept is False:
        output.print(
            f"{options.device} has nowhere to keep this: it holds until it restarts. "
            "Give it device.state in its configuration."
        )
    return 0


def read_settings(texts: Sequence[str], *, reset: bool) -> ConfigureRequest:
    """Read settings, such as "confidence=0.8", as a request.

    Raises
    ------
    BadSettingError : if one is not known or out of range, or there is none
    """
    if not texts and not reset:
        raise BadSettingError(f"nothing to change: name a setting ({', '.join(SETTINGS)}), or --reset")
    content: dict[str, Any] = {"reset": reset}
    for text in texts:
        key, equals, value = text.partition("=")
        table, _, name = key.rpartition(".")
        if name in SETTINGS and not equals:
            raise BadSettingError(f"{text!r} has no value: use {text}=...")
        if name not in SETTINGS:
            raise BadSettingError(
                f"{text!r} is no setting: use {', '.join(f'{known}=...' for known in SETTINGS)}"
            )
        if table not in ("", SETTINGS[name]):
            raise BadSettingError(f"{text!r} is no setting: {name} is in {SETTINGS[name]}")
        try:
            content.setdefault(SETTINGS[name], {})[name] = float(value)
        except ValueError as error:
            raise BadSettingError(f"{text!r}: {value!r} is no number") from error
    try:
        return read_record(ConfigureRequest, content)
    except RecordError as error:
        raise BadSettingError(str(error)) from error


def _flatten(data: dict[str, Any]) -> dict[str, object]:
    """Settings of all tables in one, fit to be shown whatever the device says."""
    flat: dict[str, object] = {}
    for table, settings in data.items():
        inner = settings if isinstance(settings, dict) else {"": settings}
        for name, value in inner.items():
            flat[make_printable(f"{table}.{name}".rstrip("."), 60)] = make_printable(str(value), 60)
    return flat
