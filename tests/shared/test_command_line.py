import subprocess
import sys

import pytest

from shared.command_line import FAILED, run_command
from shared.errors import MissingDataError
from tests.conftest import ROOT


@pytest.mark.parametrize(
    "error", [MissingDataError("no \x1b[31mfile"), OSError(2, "no such", "\x1b[31mfile")]
)
def test_an_error_is_one_line_that_changes_no_colours(capsys, error):
    def fail():
        raise error

    assert run_command("inkling", fail) == FAILED
    said = capsys.readouterr().err
    assert said.startswith("inkling: ")
    assert r"\x1b[31mfile" in said
    assert "\x1b" not in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("streams", [">&-", "2>&-", ">&- 2>&-", "2>/dev/full"])
@pytest.mark.parametrize(("body", "status"), [("0", 0), ("open('none')", FAILED)])
def test_streams_that_take_nothing_change_no_status(streams, body, status):
    script = (
        f"import sys; from shared.command_line import run_command; sys.exit(run_command('', lambda: {body}))"
    )
    result = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {streams}', sys.executable, script], capture_output=True, cwd=ROOT
    )
    assert result.returncode == status
    assert result.stdout == b""
    assert b"Traceback" not in result.stderr


def test_what_is_said_to_a_standard_error_that_was_closed_does_not_come_out_elsewhere():
    script = (
        "import sys; from shared.command_line import run_command; "
        "sys.exit(run_command('', lambda: print('an error', file=sys.stderr) or 0))"
    )
    result = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, script], capture_output=True, cwd=ROOT
    )
    assert (result.returncode, result.stdout) == (0, b"")
