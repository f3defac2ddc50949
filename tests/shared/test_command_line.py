import pytest

from shared.command_line import FAILED, make_visible, run_command
from shared.errors import MissingDataError


def test_what_a_terminal_would_obey_is_written_out():
    assert make_visible("plain, caf\u00e9 \u2014 \u65e5\u672c") == "plain, caf\u00e9 \u2014 \u65e5\u672c"
    assert make_visible("\x1b[2J\n\r\x9b\u202e\udcff") == r"\x1b[2J\n\r\x9b\u202e\udcff"


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
