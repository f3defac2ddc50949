"""`inkling-trainer view`: what a device's camera sees."""

from __future__ import annotations

import argparse
from pathlib import Path

from shared.atomic_file import write_atomically
from trainer.commands.broker_options import add_broker, read_broker
from trainer.commands.options import Commands, check_output
from trainer.commands.progress import messages
from trainer.errors import BadSettingError
from trainer.reports import output

LONGEST_S = 3600.0
FORMATS = (".jpg", ".jpeg")


def add_parser(commands: Commands) -> None:
    """Add `view` to the command line."""
    parser = commands.add_parser(
        "view",
        help="show what a device's camera sees, to aim it",
        description="Ask a device for its camera's picture, with the digit's box where it found one and, "
        "beside it, the 28x28 picture that the network saw. With --seconds the file is replaced as pictures "
        "come, two a second: an image viewer that looks for changes follows.",
    )
    parser.add_argument("device", metavar="DEVICE", help="the device's name, as 'watch' shows it")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("view.jpg"), metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=0.0,
        metavar="N",
        help="go on for so long, or until Ctrl-C (default: one picture)",
    )
    add_broker(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer view`."""
    from trainer.broker import Broker
    from trainer.view import look

    if not 0 <= options.seconds <= LONGEST_S:
        raise BadSettingError(f"--seconds must be 0 to {LONGEST_S:g}, not {options.seconds:g}")
    if options.output.suffix.lower() not in FORMATS:
        raise BadSettingError(f"{options.output} must end in {' or '.join(FORMATS)}")
    check_output(options.output)
    pictures = 0
    try:
        with (
            Broker(read_broker(options)) as broker,
            messages.status(f"waiting for {options.device}") as status,
        ):
            for picture in look(broker, options.device, options.seconds):
                write_atomically(options.output, picture)
                pictures += 1
                status.update(f"{pictures} pictures written to {options.output}; Ctrl-C ends")
    except KeyboardInterrupt:
        if not pictures:  # who has seen enough has not failed
            raise
    several = f", the last of {pictures}," if pictures > 1 else ""
    output.print(f"what {options.device} sees{several} is in {options.output}")
    return 0
