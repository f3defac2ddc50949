"""`inkling-trainer deliver` and `rollback`: bring weights to devices, and take them back."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from shared.printable import make_printable
from trainer.commands.broker_options import add_broker, read_broker
from trainer.commands.options import Commands
from trainer.commands.progress import messages
from trainer.errors import BadSettingError
from trainer.reports import output

if TYPE_CHECKING:
    from trainer.delivery import Fleet, Recipient

# A device tries weights for half a minute, unless it is configured otherwise.
WAIT_S = 90.0

SAYING = {
    "sent": "has not answered",
    "offline": "is offline, and gets it when it is back",
    "trial": "still tries it",
    "done": "runs",
    "refused": "refuses",
    "overtaken": "has got a later order",
}


def add_parser(commands: Commands) -> None:
    """Add `deliver` and `rollback` to the command line."""
    deliver = commands.add_parser(
        "deliver",
        help="bring weights to devices",
        description="Sign weights and lay them down at the broker for one device, some, or all. Each checks "
        "them, tries them, and keeps them or goes back to those before; one that is offline gets them on its "
        "return.",
    )
    deliver.add_argument("weights", type=Path, nargs="?", metavar="WEIGHTS", help="the weights file")
    deliver.add_argument(
        "--all", action="store_true", help="to all devices but those with weights of their own"
    )
    deliver.add_argument(
        "--follow",
        action="store_true",
        help="no weights: the devices go back to what is delivered to all",
    )
    rollback = commands.add_parser(
        "rollback",
        help="have devices run the weights before again",
        description="Have devices run the weights again that they ran before. Once more, and they change "
        "back.",
    )
    for parser, command in ((deliver, run_deliver), (rollback, run_rollback)):
        parser.add_argument(
            "--device", action="append", default=[], metavar="NAME", help="to this one; may be given again"
        )
        parser.add_argument(
            "--new",
            action="store_true",
            help="the broker has not heard of the device yet: leave it there until it comes",
        )
        parser.add_argument(
            "--signing-key", type=Path, metavar="FILE", help="that 'keygen' made (default: the user's)"
        )
        parser.add_argument(
            "--wait",
            type=float,
            default=WAIT_S,
            metavar="SECONDS",
            help="for answers, at most; 0 does not wait (default: %(default)g)",
        )
        parser.add_argument("--json", action="store_true", help="print what came of it as JSON")
        add_broker(parser)
        parser.set_defaults(command=command)


def run_deliver(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer deliver`."""
    from shared.weights import load_weights

    if bool(options.device) == options.all:
        raise BadSettingError("to whom? Give --device NAME, or --all")
    if options.follow:
        if options.weights is not None or options.all:
            raise BadSettingError(
                "--follow is for devices with weights of their own, and takes no weights file"
            )
        return _carry_out(options, "follow", b"")
    if options.weights is None:
        raise BadSettingError("which weights? Name a weights file")
    load_weights(options.weights)  # what no device would take is not sent
    return _carry_out(options, "run", options.weights.read_bytes())


def run_rollback(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer rollback`."""
    if not options.device:
        raise BadSettingError("which device? Give --device NAME")
    return _carry_out(options, "back", b"")


def _carry_out(options: argparse.Namespace, act: Literal["run", "back", "follow"], weights: bytes) -> int:
    from trainer.broker import Broker
    from trainer.delivery import Fleet
    from trainer.signing import find_key_file, load_key

    if not options.wait >= 0:
        raise BadSettingError(f"--wait must be 0 or more, not {options.wait:g}")
    key = load_key(options.signing_key or find_key_file())
    with Broker(read_broker(options)) as broker:
        fleet = Fleet(broker)
        with messages.status("looking for devices"):
            fleet.meet()
        if not options.new:
            _recognise(fleet, options.device)
        fleet.deliver(act, options.device, key, weights)
        with messages.status("delivered; waiting for answers") as status:
            fleet.wait(options.wait, lambda: status.update(_summarise(fleet.recipients.values())))
    recipients = sorted(fleet.recipients.values(), key=lambda recipient: recipient.device)
    if options.json:
        print(json.dumps([vars(recipient) for recipient in recipients]))
    else:
        for recipient in recipients:
            output.print(_tell(recipient, follows=act == "follow"), soft_wrap=True)
        if not recipients:
            output.print("no device has ever spoken here; those that come will get it")
    return int(any(recipient.state not in ("done", "offline") for recipient in recipients))


def _recognise(fleet: Fleet, devices: Sequence[str]) -> None:
    strangers = ", ".join(make_printable(device) for device in devices if device not in fleet.recipients)
    if strangers:
        known = ", ".join(make_printable(device) for device in sorted(fleet.recipients)) or "nobody yet"
        raise BadSettingError(
            f"never heard of on this broker: {strangers}. It knows {known}. "
            "--new leaves it there for whoever comes"
        )


def _tell(recipient: Recipient, *, follows: bool = False) -> str:
    text = f"{recipient.device} {SAYING[recipient.state]}"
    if recipient.state == "done" and follows:  # it may yet have to try what is delivered to all
        return f"{recipient.device} does as all devices do again"
    if recipient.state == "sent" and not recipient.serial:
        text += "; one without network.keys in its configuration hears of no delivery"
    if recipient.state == "done":
        text += f" {make_printable(recipient.model)}"
    return f"{text}: {make_printable(recipient.why)}" if recipient.why else text


def _summarise(recipients: Iterable[Recipient]) -> str:
    counts: dict[str, int] = {}
    for recipient in recipients:
        counts[recipient.state] = counts.get(recipient.state, 0) + 1
    return ", ".join(f"{count} {state}" for state, count in counts.items())
