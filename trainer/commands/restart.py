"""`inkling-trainer restart`: starts a device's daemon anew."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from shared.messages import Availability, RestartRequest
from shared.topics import Topics
from trainer.commands.broker_options import add_broker, read_broker
from trainer.commands.options import Commands
from trainer.commands.progress import messages
from trainer.errors import BadSettingError, BrokerError, NoAnswerError
from trainer.reports import output

if TYPE_CHECKING:
    from trainer.broker import Broker

# A Pi Zero takes a while to start; a start that takes longer than this has failed.
WAIT_S = 60.0


def add_parser(commands: Commands) -> None:
    """Add `restart` to the command line."""
    parser = commands.add_parser(
        "restart",
        help="start a device's daemon anew",
        description="Ask a device's daemon to start anew, and wait until it is back.",
    )
    parser.add_argument("device", metavar="DEVICE", help="the device's name, as 'watch' shows it")
    parser.add_argument(
        "--wait",
        type=float,
        default=WAIT_S,
        metavar="SECONDS",
        help="wait no longer than this; 0 does not wait (default: %(default)g)",
    )
    add_broker(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer restart`."""
    from trainer.broker import Broker

    if not options.wait >= 0:
        raise BadSettingError(f"--wait must be 0 or more, not {options.wait:g}")
    with Broker(read_broker(options)) as broker:
        broker.ask(options.device, RestartRequest())
        begin = time.monotonic()
        if not options.wait:
            output.print(f"{options.device} restarts")
            return 0
        with messages.status(f"{options.device} restarts"):
            wait_for_return(broker, options.device, options.wait)
    output.print(f"{options.device} is back after {time.monotonic() - begin:.0f} s")
    return 0


def wait_for_return(broker: Broker, device: str, timeout_s: float) -> None:
    """Wait until a device has gone and come back.

    Raises
    ------
    NoAnswerError : if it does not come back in time
    BrokerError : if the broker goes away
    """
    from trainer.words import Word

    broker.subscribe(Topics(device).availability)
    until = time.monotonic() + timeout_s
    has_gone = False
    while (left := until - time.monotonic()) > 0:
        for word in broker.hear(min(0.25, left)):
            if (
                not isinstance(word, Word)
                or word.device != device
                or not isinstance(word.message, Availability)
            ):
                continue
            has_gone = has_gone or word.message.state == "offline"
            if has_gone and word.message.state == "online":
                return
        if broker.problem is not None:
            raise BrokerError(broker.problem)
    raise NoAnswerError(
        f"{device} has {'gone and not come back' if has_gone else 'not gone'} within {timeout_s:g} s: see "
        "its log (journalctl -u inkling-edge on it)"
    )
