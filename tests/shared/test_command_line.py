import pytest

from shared.command_line import FAILED, run_command
from shared.errors import MissingDataError


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
