import pytest

from trainer.schedules import SCHEDULES


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("constant", (1, 1, 1)), ("linear", (1, 0.5, 0)), ("cosine", (1, 0.5, 0))],
)
def test_a_schedule_begins_with_the_whole_step_and_ends_as_it_should(schedule, expected):
    assert [SCHEDULES[schedule](left) for left in (1.0, 0.5, 0.0)] == pytest.approx(expected)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_steps_never_become_longer(schedule):
    lengths = [SCHEDULES[schedule](left / 50) for left in range(50, -1, -1)]
    assert lengths == sorted(lengths, reverse=True)
