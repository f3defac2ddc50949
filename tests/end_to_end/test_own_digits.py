"""What a laptop's user types to collect own digits and to say what they are."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from shared.strokes import draw_digit
from tests.conftest import ROOT, wait_until
from tests.end_to_end.commands import TRAINER, run
from trainer.library import Library
from trainer.own_digits import NOTHING, Sight

LIBRARY = ("--library", "library.sqlite")


@pytest.fixture
def filled(tmp_path):
    """A folder with a library of five digits, of which the network was less and less sure."""
    random = np.random.default_rng(0)
    with Library(tmp_path / "library.sqlite") as library:
        library.add(
            Sight(
                *("desk", f"event-{digit}", datetime.now(UTC)),
                np.rint(draw_digit(digit, random) * 255).astype(np.uint8),
                *(digit, 0.95 - digit / 10, (0.1,) * 10, "0123456789ab"),
            )
            for digit in range(5)
        )
    return tmp_path


def read_labels(folder):
    with Library(folder / "library.sqlite") as library:
        return [digit.label for digit in library.take_all()]


def test_what_a_device_reads_and_is_told_is_collected(broker, subscriber, start, collect, tmp_path):
    first = collect()
    start((3, 7, 5), port=broker.port)
    wait_until(lambda: first.kept)
    assert first.stop() == 0
    # While nobody collects, the device goes on and is corrected.
    wait_until(lambda: len(subscriber.events) > len(first.kept) + 1)
    event = subscriber.events[-1]
    assert subscriber.ask("correct", id=event.id, label=9).status == "ok"
    second = collect()
    wait_until(lambda: any(kept["is_correction"] for kept in second.kept))
    assert second.stop() == 0
    listed = run(TRAINER, "label", "--list", "--all", "--json", *LIBRARY, cwd=tmp_path)
    digits = {digit["id"]: digit for digit in map(json.loads, listed.stdout.splitlines())}
    assert {said.id for said in subscriber.events if said.seq <= event.seq} <= set(digits)
    assert (digits[event.id]["label"], digits[event.id]["label_source"]) == (9, "correction")
    assert digits[event.id]["digit"] == event.digit
    assert digits[event.id]["device"] == "bench"


def test_a_second_collector_of_the_same_library_is_refused(broker, collect, tmp_path):
    collect()
    lock = tmp_path / "library.sqlite.collecting"
    wait_until(lock.exists)
    time.sleep(1.0)  # between the file and its lock
    other = run(TRAINER, "collect", "--broker", f"127.0.0.1:{broker.port}", *LIBRARY, cwd=tmp_path)
    assert other.returncode == 1
    assert "another 'collect'" in other.stderr


def test_labels_from_a_script(filled):
    result = run(TRAINER, "label", "--set", "1=8", "event-1=none", "3=3", *LIBRARY, cwd=filled)
    assert (result.returncode, result.stdout) == (0, "3 labelled\n")
    run(TRAINER, "label", "--set", "3=", *LIBRARY, cwd=filled)
    assert read_labels(filled) == [8, NOTHING, None, None, None]
    wrong = run(TRAINER, "label", "--set", "1=1", "2=12", *LIBRARY, cwd=filled)
    assert wrong.returncode == 1
    assert "12=7" in wrong.stderr
    unknown = run(TRAINER, "label", "--set", "1=1", "77=1", *LIBRARY, cwd=filled)
    assert unknown.returncode == 1
    assert "no digit 77" in unknown.stderr
    assert read_labels(filled) == [8, NOTHING, None, None, None]


def test_the_most_doubtful_come_first(filled):
    listed = run(TRAINER, "label", "--list", "--json", "--below", "0.8", *LIBRARY, cwd=filled)
    assert [json.loads(line)["number"] for line in listed.stdout.splitlines()] == [5, 4, 3]
    table = run(TRAINER, "label", "--list", *LIBRARY, cwd=filled)
    assert "desk" in table.stdout


def test_a_sheet_shows_them_all(filled):
    result = run(TRAINER, "label", "--sheet", "sheet.png", *LIBRARY, cwd=filled)
    assert result.stdout == "5 digits drawn to sheet.png\n"
    with Image.open(filled / "sheet.png") as sheet, Library(filled / "library.sqlite") as library:
        first = np.asarray(sheet.convert("L"))[10:94:3, 10:94:3]
        assert (first == 255 - library.take(5).image).all()


class Terminal:
    """A command at a terminal, and somebody who types."""

    def __init__(self, folder, *arguments):
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "trainer", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={
                **os.environ,
                "TERM": "xterm-256color",
                "COLUMNS": "100",
                "LINES": "40",
                "PYTHONPATH": str(ROOT),
            },
        )
        os.close(theirs)
        self.shown = ""

    def wait_for(self, text):
        """Wait until something is shown after what was waited for before."""
        until = time.monotonic() + 30
        while text not in self.shown:
            assert time.monotonic() < until, self.shown
            if select.select([self._ours], [], [], 0.2)[0]:
                self.shown += os.read(self._ours, 65536).decode(errors="replace")
        self.shown = self.shown.partition(text)[2]

    def type(self, keys):
        os.write(self._ours, keys.encode())

    def interrupt(self):
        self._process.send_signal(signal.SIGINT)

    def end(self):
        status = self._process.wait(timeout=60)
        os.close(self._ours)
        return status


def test_somebody_walks_through_them_key_by_key(filled):
    terminal = Terminal(filled, "label", *LIBRARY)
    for shown, keys in (
        ("1 of 5: number 5", "4"),
        ("2 of 5: number 4", "s"),
        ("3 of 5: number 3", "x7"),  # x means nothing
        ("4 of 5: number 2", "u"),
        ("3 of 5: number 3", "n"),
        ("4 of 5: number 2", "q"),
    ):
        terminal.wait_for(shown)
        terminal.wait_for("q quit")
        terminal.type(keys)
    terminal.wait_for("2 labelled now; 2 of 5 digits have a label")
    assert terminal.end() == 0
    assert read_labels(filled) == [None, None, NOTHING, None, 4]


def test_control_c_keeps_what_was_said(filled):
    terminal = Terminal(filled, "label", *LIBRARY)
    terminal.wait_for("q quit")
    terminal.type("4")
    terminal.wait_for("q quit")
    terminal.interrupt()
    terminal.wait_for("interrupted")
    assert terminal.end() == 130
    assert read_labels(filled) == [None, None, None, None, 4]


def test_without_a_terminal_it_says_what_else_there_is(filled):
    result = run(TRAINER, "label", *LIBRARY, cwd=filled)
    assert result.returncode == 1
    assert "--set" in result.stderr


def test_photographs_are_added_with_the_labels_of_their_names_and_folders(tmp_path):
    random = np.random.default_rng(3)
    photographs = tmp_path / "photographs"
    (photographs / "4").mkdir(parents=True)
    for name, digit in (("my_own_7.png", 7), ("4/holiday.png", 4), ("unknown.png", 2)):
        paper = np.full((160, 160), 235, np.uint8)
        ink = np.kron(draw_digit(digit, random), np.ones((4, 4)))
        paper[24:136, 24:136] = np.minimum(paper[24:136, 24:136], 235 - np.rint(ink * 200).astype(np.uint8))
        Image.fromarray(paper).save(photographs / name)
    Image.fromarray(np.full((120, 120), 200, np.uint8)).save(photographs / "empty_5.png")
    (photographs / "broken_1.jpg").write_bytes(b"no picture")
    added = run(TRAINER, "add-photos", "photographs", *LIBRARY, cwd=tmp_path)
    assert added.returncode == 0
    assert "3 added" in added.stdout
    assert "2 of them with a label" in added.stdout
    assert "no digit found in it" in added.stderr
    assert "broken_1.jpg: not an image that can be read" in added.stderr
    with Library(tmp_path / "library.sqlite") as library:
        digits = library.take_all()
        assert sorted((str(digit.label), digit.label_source) for digit in digits) == [
            ("4", "name"),
            ("7", "name"),
            ("None", None),
        ]
        (seven,) = (digit for digit in digits if digit.label == 7)
        library.label([(seven.number, 1)], "label")
    again = run(TRAINER, "add-photos", "photographs", *LIBRARY, cwd=tmp_path)
    assert "0 added" in again.stdout
    assert "3 were there already" in again.stdout
    assert 1 in read_labels(tmp_path)  # what somebody said counts for more than a file's name


def test_a_folder_without_photographs_is_said(tmp_path):
    for folder in (".", "nowhere"):
        result = run(TRAINER, "add-photos", folder, *LIBRARY, cwd=tmp_path)
        assert result.returncode == 1
        assert folder in result.stderr
