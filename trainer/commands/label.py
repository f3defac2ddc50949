"""`inkling-trainer label`: says what collected digits truly are."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.commands.library_options import add_library, open_library
from trainer.commands.options import Commands, check_output
from trainer.errors import BadSettingError
from trainer.reports import output

if TYPE_CHECKING:
    from trainer.library import Library
    from trainer.own_digits import OwnDigit

DESCRIPTION = """\
Walk through the digits that nobody has labelled yet, those of which the network was least sure first: a
picture each, and a key that says what it is (0 to 9, n no digit, s skip, u undo, q quit). What is said is
kept at once."""


def add_parser(commands: Commands) -> None:
    """Add `label` to the command line."""
    parser = commands.add_parser(
        "label",
        help="say what collected digits truly are",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--device", metavar="NAME", help="only what this one read")
    parser.add_argument(
        "--all", action="store_true", help="those with a label, too: first those that were read as another"
    )
    parser.add_argument(
        "--below",
        type=float,
        default=1.0,
        metavar="CONFIDENCE",
        help="only those that were read with at most this confidence (default: %(default)g, all)",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--set",
        nargs="+",
        metavar="NUMBER=DIGIT",
        help="say it at once, such as 12=7; 12=none for no digit, 12= takes a label back; an event's id "
        "is as good as a number",
    )
    how.add_argument("--sheet", type=Path, metavar="FILE", help="draw them all with their numbers (.png)")
    how.add_argument("--list", action="store_true", help="print them")
    parser.add_argument("--json", action="store_true", help="with --list: as JSON, one object a line")
    add_library(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer label`."""
    if options.json and not options.list:
        raise BadSettingError("--json goes with --list")
    if not 0 <= options.below <= 1:
        raise BadSettingError(f"--below must be 0 to 1, not {options.below:g}")
    if options.sheet is not None:
        if options.sheet.suffix.lower() != ".png":
            raise BadSettingError(f"--sheet {options.sheet} must end in .png")
        check_output(options.sheet)
    with open_library(options) as library:
        if options.set:
            labels = read_labels(options.set, library, options.device)
            library.label(labels, "label")
            output.print(f"{len(labels)} labelled")
            return 0
        digits = [
            digit
            for digit in library.take_all(options.device)
            if (options.all or digit.label is None) and digit.confidence <= options.below
        ]
        digits.sort(key=lambda digit: -digit.doubt)
        if options.list:
            _list(digits, as_json=options.json)
        elif not digits:
            _tell_nothing(library)
        elif options.sheet is not None:
            _draw(digits, options.sheet)
        else:
            _walk(library, digits)
    return 0


def read_labels(texts: Sequence[str], library: Library, device: str | None) -> list[tuple[int, int | None]]:
    """Read labels such as "12=7"; an event's id is looked up in the library.

    Raises
    ------
    BadSettingError : if one is none, or of a digit that is not there
    """
    from trainer.own_digits import NOTHING

    labels: list[tuple[int, int | None]] = []
    for text in texts:
        which, equals, what = text.partition("=")
        is_digit = len(what) == 1 and what in "0123456789"
        if not equals or not (is_digit or what in ("none", "")):
            raise BadSettingError(f"{text!r} is no label: use NUMBER=DIGIT, such as 12=7 or 12=none")
        number = (
            int(which)
            if which.isascii() and which.isdigit() and len(which) < 10
            else library.find(which, device)
        )
        if number is None:
            raise BadSettingError(
                f"{which!r} is no digit's number, and no event's id that is in the library once"
            )
        labels.append((number, int(what) if is_digit else NOTHING if what else None))
    return labels


def _tell_nothing(library: Library) -> None:
    digits, labelled = library.count()
    output.print(
        f"nothing to label: of {digits:,} digits in {library.path} {labelled:,} have a label"
        + (
            "; --all walks through those, too"
            if labelled
            else ": 'collect' gets them from devices, 'add-photos' from photographs"
        ),
        soft_wrap=True,
    )


def _walk(library: Library, digits: Sequence[OwnDigit]) -> None:
    from trainer.labelling import label_one_by_one, read_keys

    with read_keys() as read_key:
        labelled = label_one_by_one(library, digits, read_key, output)
    total, known = library.count()
    output.print(f"{labelled} labelled now; {known:,} of {total:,} digits have a label")


def _draw(digits: Sequence[OwnDigit], path: Path) -> None:
    from trainer.digit_sheet import MOST_ON_A_SHEET, draw_sheet

    draw_sheet(digits, path)
    left = len(digits) - MOST_ON_A_SHEET
    output.print(
        f"{min(len(digits), MOST_ON_A_SHEET):,} digits drawn to {path}"
        + (f"; {left:,} less doubtful ones are left out" if left > 0 else "")
    )


def _list(digits: Sequence[OwnDigit], *, as_json: bool) -> None:
    from rich.table import Table

    from shared.printable import make_printable
    from shared.reading import show_confidence

    if as_json:
        for digit in digits:
            print(json.dumps(describe_digit(digit)))
        return
    table = Table("number", "device", "time", "read as", "confidence", "label", "from")
    for digit in digits:
        table.add_row(
            str(digit.number),
            make_printable(digit.device),
            f"{digit.time.astimezone():%d %b %H:%M}",
            str(digit.digit),
            show_confidence(digit.confidence),
            "" if digit.label is None else digit.meaning,
            digit.label_source or "",
        )
    output.print(table)


def describe_digit(digit: OwnDigit) -> dict[str, object]:
    """All that is known of a digit but its picture, as JSON has it; a label of -1 is no digit."""
    at = digit.labelled_at
    return {
        "number": digit.number,
        "device": digit.device,
        "id": digit.id,
        "time": digit.time.isoformat(),
        "digit": digit.digit,
        "confidence": digit.confidence,
        "outputs": list(digit.outputs),
        "model": digit.model,
        "label": digit.label,
        "label_source": digit.label_source,
        "labelled_at": None if at is None else at.isoformat(),
    }
