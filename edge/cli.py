"""The command `inkling-edge`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from shared import __version__
from shared.command_line import FAILED

if TYPE_CHECKING:
    from shared.digit_finder import NoDigit
    from shared.reading import Reading

NAME = "inkling-edge"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `inkling-edge`; returns its exit status, or raises what went wrong."""
    options = build_parser().parse_args(arguments)
    return int(options.command(options))


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    from edge.config import DEFAULT_PATH
    from shared.reading import NEEDED_CONFIDENCE

    parser = argparse.ArgumentParser(
        prog=NAME, description="Read the handwritten digits that a camera sees, and say them."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="read what the camera sees, and tell MQTT and the LEDs, until stopped",
        description="Read what the camera sees, and tell MQTT and the LEDs each digit that is held still, "
        "until stopped with Ctrl-C.",
    )
    run.add_argument("--show", action="store_true", help="print what is read and draw the LEDs")
    run.add_argument("--json", action="store_true", help="the same as JSON, one object a line")
    run.set_defaults(command=run_run)

    check = commands.add_parser(
        "check",
        help="try each part and say what is wrong with it",
        description="Try the weights, the camera, the LEDs and the broker of a configuration, and say what "
        "is wrong with each. The exit status is 0 if all is well.",
    )
    check.add_argument("--json", action="store_true", help="print one JSON object a line")
    check.set_defaults(command=run_check)

    aim = commands.add_parser(
        "aim",
        help="tell live how well a digit is framed: its size and place, blur and light, and what is read",
        description="Tell live how well a digit is framed, for who has no broker yet, until Ctrl-C.",
        epilog="size: of the frame's shorter side; right, down: from its middle; blur: of the digit's size; "
        "grey: of 255. The camera can only be used once: first stop the service, "
        "'sudo systemctl stop inkling-edge'.",
    )
    aim.add_argument("--json", action="store_true", help="print one JSON object a line")
    aim.set_defaults(command=run_aim)
    for command in (run, check, aim):
        command.add_argument(
            "--config", type=Path, default=DEFAULT_PATH, metavar="FILE", help=f"default: {DEFAULT_PATH}"
        )

    classify = commands.add_parser(
        "classify",
        help="read the digit in each of some image files",
        description="Read the digit in each of some photographs, a line each: the digit and how sure it is, "
        "or why there is none.",
    )
    # Kept as typed, because a script looks for the paths that it gave.
    classify.add_argument("images", nargs="+", metavar="IMAGE")
    classify.add_argument(
        "--weights", type=Path, metavar="FILE", help="default: the weights that ship with Inkling"
    )
    classify.add_argument(
        "--confidence",
        type=float,
        default=NEEDED_CONFIDENCE,
        metavar="C",
        help=f"say nothing below this, 0 to 1 (default: {NEEDED_CONFIDENCE})",
    )
    classify.add_argument("--json", action="store_true", help="print one JSON object a line")
    classify.set_defaults(command=run_classify)
    return parser


def run_run(options: argparse.Namespace) -> int:
    """Carry out `inkling-edge run`."""
    from edge.config import load_configuration
    from edge.daemon import run_daemon
    from edge.live_settings import LiveSettings
    from shared.weights import load_weights

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    configuration = load_configuration(options.config)
    trained = load_weights(configuration.network.path)
    stop = _stop_on_signals()
    # systemd names the folder that a service may keep things in.
    folder = configuration.device.state or os.environ.get("STATE_DIRECTORY")
    live = LiveSettings(configuration, Path(folder) if folder else None)
    if run_daemon(live, trained, stop, show=options.show, as_json=options.json):
        # In the same process, so that it also works where nothing starts a daemon that has ended.
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    return 0


def _stop_on_signals() -> Event:
    """An event that is set by Ctrl-C, and by SIGTERM."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # From a thread of its own: a handler that interrupts stop.wait() would wait for its lock for ever.
        signal.signal(number, lambda *_: Thread(target=stop.set).start())
    return stop


def run_check(options: argparse.Namespace) -> int:
    """Carry out `inkling-edge check`."""
    from edge.check import check_parts
    from edge.config import load_configuration

    configuration = load_configuration(options.config)
    status = 0
    for finding in check_parts(configuration):
        if not finding.ok:
            status = FAILED
        if options.json:
            print(json.dumps(vars(finding)), flush=True)
        else:
            print(f"{'ok  ' if finding.ok else 'FAIL'} {finding.part}: {finding.text}", flush=True)
    return status


def run_aim(options: argparse.Namespace) -> int:
    """Carry out `inkling-edge aim`."""
    from edge.aim import Screen, aim
    from edge.config import load_configuration
    from shared.weights import load_weights

    configuration = load_configuration(options.config)
    network = load_weights(configuration.network.path).network
    stop = _stop_on_signals()
    with closing(Screen(sys.stdout, as_json=options.json)) as screen:
        aim(configuration, network, stop, screen)
    return 0


def run_classify(options: argparse.Namespace) -> int:
    """Carry out `inkling-edge classify`."""
    from PIL import Image

    from edge.errors import BadOptionError
    from shared.errors import BadPictureError
    from shared.photograph import read_photograph
    from shared.reading import read_digit
    from shared.weights import load_weights

    if not 0 <= options.confidence <= 1:
        raise BadOptionError(f"--confidence must be 0 to 1, not {options.confidence:g}")
    network = load_weights(options.weights).network
    status = 0
    for path in options.images:
        try:
            reading = read_digit(read_photograph(Path(path), Image.open), network)
        except BadPictureError as error:
            print(f"{NAME}: {error}", file=sys.stderr)
            status = FAILED
            continue
        print(_tell_reading(path, reading, options.confidence, as_json=options.json), flush=True)
    return status


def _tell_reading(path: str, reading: Reading | NoDigit, needed: float, *, as_json: bool) -> str:
    from shared.digit_finder import NoDigit
    from shared.reading import LIKELY, show_confidence

    found = None if isinstance(reading, NoDigit) else reading
    said = found is not None and found.confidence >= needed
    if found is None:
        reason = str(reading)
    else:
        reason = "not sure" if found.confidence >= LIKELY else "likely no digit"
    if as_json:
        return json.dumps(
            {
                "path": path,
                "digit": found.digit if found and said else None,
                "confidence": round(found.confidence, 6) if found else 0.0,
                "outputs": [round(float(output), 6) for output in found.outputs] if found else None,
                "box": list(found.box) if found else None,
                "reason": None if said else reason,
            }
        )
    if found is None:
        return f"{path}: {reason}"
    answer = f"{found.digit} (confidence {show_confidence(found.confidence)})"
    return f"{path}: {answer}" if said else f"{path}: {reason}, perhaps {answer}"
