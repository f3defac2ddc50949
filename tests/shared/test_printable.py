from hypothesis import given
from hypothesis import strategies as st

from shared.printable import make_printable


def test_what_a_terminal_would_obey_is_written_out():
    assert make_printable("plain, caf\u00e9 \u2014 \u65e5\u672c") == "plain, caf\u00e9 \u2014 \u65e5\u672c"
    assert make_printable("\x1b[2J\n\r\x9b\u202e\udcff") == r"\x1b[2J\n\r\x9b\u202e\udcff"


def test_it_is_no_longer_than_it_may_be():
    assert make_printable("x" * 300, 10) == "xxxxxxxxx\N{HORIZONTAL ELLIPSIS}"
    assert make_printable("x" * 10, 10) == "x" * 10
    assert make_printable("x" * 1000, None) == "x" * 1000


@given(st.text(st.characters()), st.integers(1, 50))
def test_whatever_comes_is_one_short_line(text, longest):
    shown = make_printable(text, longest)
    assert shown.isprintable()
    assert len(shown) <= longest
