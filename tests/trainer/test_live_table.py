from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from shared.messages import Availability, PredictionMessage
from tests.trainer.hearsay import EVENT, HEALTH, PAYLOADS, TOPICS
from trainer.live_table import LiveTable, show_duration, show_figure
from trainer.roster import Roster
from trainer.words import Interpreter, Nonsense, Word

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def draw(roster, width=80, height=24, problem=None):
    """Draw the table as a terminal without colours shows it, line by line."""
    console = Console(file=StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    table = LiveTable(
        roster, "localhost:1883", problem, connected=problem is None, now=NOW, hint="no device has spoken yet"
    )
    console.print(table)
    return console.file.getvalue().splitlines()


def note(roster, *messages, device="desk", retained=False, ago_s=0):
    return [
        change
        for message in messages
        for change in roster.note(
            Word(device, "", message, retained=retained, time=NOW - timedelta(seconds=ago_s))
        )
    ]


def find_row(lines, device="desk"):
    return next(line for line in lines if line.startswith(f"{device} "))


def test_a_device_with_all_that_is_known_of_it():
    roster = Roster()
    note(roster, Availability("online"), ago_s=125)
    for seq, digit in enumerate([3, 1, 4, 1, 5], start=1):
        note(roster, replace(EVENT, seq=seq, digit=digit), PredictionMessage(digit, 0.98))
    note(roster, replace(HEALTH, temperature_c=51.25, queued=12, dropped=3))
    row = find_row(draw(roster)).split()
    assert row == [
        "desk",
        "online",
        "2m",
        "5",
        "0.98",
        "31415",
        "5",
        "9.9/s",
        "11ms",
        "118MB",
        "51°C",
        "12",
        "3",
    ]
    assert "1 device, 1 online" in draw(roster)[0]


def test_since_when_is_no_more_than_a_bound_for_what_the_broker_had_kept():
    roster = Roster()
    note(roster, Availability("offline"), retained=True, ago_s=7200)
    assert "offline >2h" in find_row(draw(roster))
    note(roster, Availability("online"), ago_s=3)
    assert "online 3s" in find_row(draw(roster))


def test_what_is_held_up_comes_and_goes():
    roster = Roster()
    assert note(roster, PredictionMessage(7, 0.95), retained=True) == ["desk: 7 (0.95) is held up"]
    assert "7 0.95" in find_row(draw(roster))
    assert note(roster, PredictionMessage(None)) == ["desk: nothing is held up"]
    assert "7 0.95" not in find_row(draw(roster))


def test_an_event_and_its_prediction_are_one_change():
    assert note(Roster(), EVENT, PredictionMessage(7, 0.98, id=EVENT.id)) == ["desk: 7 (0.98)"]


def test_an_event_that_had_to_wait_is_counted_and_not_taken_for_what_is_held_up_now():
    roster = Roster()
    note(roster, Availability("online"), PredictionMessage(None), EVENT)
    assert find_row(draw(roster)).split()[3:6] == ["-", "7", "1"]


def test_a_device_that_is_offline_holds_nothing_up_and_its_problems_are_past():
    roster = Roster()
    note(
        roster,
        Availability("online"),
        PredictionMessage(7, 0.95),
        replace(HEALTH, problems=("camera: gone",)),
    )
    assert any("camera: gone" in line for line in draw(roster))
    assert note(roster, Availability("offline")) == ["desk: offline"]
    assert "0.95" not in find_row(draw(roster))
    assert not any("camera: gone" in line for line in draw(roster))


def test_problems_are_told_when_they_change():
    roster = Roster()
    stalled = replace(HEALTH, problems=("camera: stalled",))
    assert note(roster, HEALTH, stalled, stalled, HEALTH) == [
        "desk: problem: camera: stalled",
        "desk: all is well again",
    ]


def test_when_the_broker_has_gone_nothing_is_claimed_to_be_so_still():
    roster = Roster()
    note(roster, Availability("online"), EVENT)
    roster.forget_states()
    lines = draw(roster, problem="lost localhost:1883: connecting anew")
    assert lines[1] == "lost localhost:1883: connecting anew"
    assert find_row(lines).split()[:5] == ["desk", "-", "-", "7", "1"]
    assert note(roster, Availability("online"), PredictionMessage(7, 0.98, id=EVENT.id)) == [
        "desk: online",
        "desk: 7 (0.98) is held up",
    ]


def test_without_a_device_it_is_said_what_may_be_wrong():
    assert draw(Roster())[-1] == "no device has spoken yet"


def test_more_devices_than_lines_are_counted_and_those_with_problems_shown():
    roster = Roster()
    for number in range(50):
        note(roster, Availability("online"), device=f"desk-{number}")
    note(roster, replace(HEALTH, problems=("camera: stalled",)), device="desk-37")
    lines = draw(roster, height=20)
    assert len(lines) <= 20
    assert find_row(lines, "desk-37")
    shown = sum(line.startswith("desk-") and "camera" not in line for line in lines)
    assert f"and {50 - shown} more: --device NAME shows one alone" in lines
    assert len(draw(roster, height=70)) > 50


def test_nonsense_is_counted_and_the_last_of_it_shown():
    roster = Roster()
    note(roster, Availability("online"))
    assert roster.note(Nonsense("inkling/\x1b[2J/event", "no\ntopic")) == [
        "inkling/\\x1b[2J/event: no\\ntopic"
    ]
    assert draw(roster)[-1].startswith(
        "1 message made no sense, the last on inkling/\\x1b[2J/event: no\\ntopic"
    )


@given(
    st.lists(st.tuples(TOPICS, PAYLOADS), max_size=12),
    st.sampled_from([(80, 24), (60, 12), (100, 30), (130, 8)]),
)
def test_whatever_is_said_the_table_is_printable_and_fits(said, size):
    interpreter, roster = Interpreter(), Roster()
    for topic, payload in said:
        word = interpreter.interpret(topic, payload, retained=False)
        if word is not None:
            assert all(change.isprintable() for change in roster.note(word))
    width, height = size
    lines = draw(roster, width, height)
    assert all(line.isprintable() and cell_len(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-3, "0s"), (59.9, "59s"), (60, "1m"), (7199, "1h"), (90000, "1d"), (9e9, "104166d")],
)
def test_durations_are_shown_to_the_unit_that_matters(seconds, shown):
    assert show_duration(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (3, "3"),
        (9.94, "9.9"),
        (9.96, "10"),
        (118.4, "118"),
        (1004, "1004"),
        (1e300, "1e+300"),
        (-5, "-5e+00"),
    ],
)
def test_figures_are_short_whatever_they_are(number, shown):
    assert show_figure(number) == shown
