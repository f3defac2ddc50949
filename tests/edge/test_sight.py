import pytest

from edge.health import Health
from edge.sight import LASTING_S, Sight
from shared.digit_finder import NoDigit

INTERVAL_S = 0.1


def observe(readings):
    """Give the readings to sight, a frame each; return what health says after each."""
    health = Health()
    sight = Sight(health)
    states = []
    for number, reading in enumerate(readings):
        sight.observe(reading, 50 + number * INTERVAL_S)
        states.append(health.state_of("sight"))
    return states


@pytest.mark.parametrize("reason", [NoDigit.TOO_DARK, NoDigit.BLOWN_OUT, NoDigit.BLURRED])
def test_what_keeps_the_camera_from_seeing_is_a_problem_once_it_lasts(reason):
    states = observe([reason] * 40)
    lasting = round(LASTING_S / INTERVAL_S)
    assert set(states[: lasting - 1]) == {"ok"}
    assert states[-1].startswith(reason)


def test_a_moment_in_the_dark_is_no_problem():
    assert set(observe(([NoDigit.TOO_DARK] * 20 + [NoDigit.NOTHING]) * 5)) == {"ok"}


def test_a_moment_of_light_does_not_end_the_problem_but_lasting_light_does():
    states = observe(
        [NoDigit.TOO_DARK] * 40 + [NoDigit.NOTHING] * 10 + [NoDigit.TOO_DARK] * 5 + [NoDigit.NOTHING] * 40
    )
    assert set(states[40:60]) == {states[39]}
    assert states[-1] == "ok"


@pytest.mark.parametrize("reason", [NoDigit.NOTHING, NoDigit.NOT_ONE])
def test_no_digit_is_no_problem(reason):
    assert set(observe([reason] * 40)) == {"ok"}
