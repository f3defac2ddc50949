"""`inkling-trainer keygen`: makes the key with which deliveries are signed."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from trainer.commands.options import Commands
from trainer.reports import output


def add_parser(commands: Commands) -> None:
    """Add `keygen` to the command line."""
    parser = commands.add_parser(
        "keygen",
        help="make the key with which deliveries are signed",
        description="Make a key for signing deliveries, once, and tell what to put into the configuration of "
        "each device that is to trust it. Keep its file to yourself: who has it can deliver.",
    )
    parser.add_argument(
        "--signing-key", type=Path, metavar="FILE", help="default: in the user's configuration"
    )
    parser.add_argument(
        "--show", action="store_true", help="make none, but tell again what devices know the key by"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer keygen`."""
    from trainer.signing import find_key_file, load_key, make_key, tell_public_key

    path = options.signing_key or find_key_file()
    public = tell_public_key(load_key(path) if options.show else make_key(path))
    if options.json:
        print(json.dumps({"file": str(path), "public_key": public}))
        return 0
    if not options.show:
        output.print(f"The key is in {path}.", soft_wrap=True)
    output.print("In the configuration of each device that is to trust it:\n")
    output.print(f'    [network]\n    keys = ["{public}"]', soft_wrap=True)
    return 0
