import pytest

from edge.link import LONGEST_WAIT_S, draw_wait_s


def test_waits_grow_at_first_and_are_drawn_at_random():
    firsts = [draw_wait_s(0) for _ in range(100)]
    assert 0.1 < min(firsts) < max(firsts) <= 0.25
    assert len(set(firsts)) > 50
    assert min(draw_wait_s(3) for _ in range(100)) > max(firsts)


@pytest.mark.parametrize("attempt", [10, 2000, 10**6])
def test_after_an_outage_of_any_length_the_wait_is_bounded(attempt):
    assert LONGEST_WAIT_S / 2 <= draw_wait_s(attempt) <= LONGEST_WAIT_S
