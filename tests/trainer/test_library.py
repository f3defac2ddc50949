"""The library of own digits: what is kept once, what is not lost, and what is said when it cannot be kept."""

import multiprocessing
import resource
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from trainer.datasets import NO_DIGIT
from trainer.errors import (
    DamagedLibraryError,
    ForeignLibraryError,
    LibraryError,
    NewerLibraryError,
    UnknownDigitError,
)
from trainer.library import VERSION, Library
from trainer.own_digits import NOTHING, Sight, make_dataset

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def see(number, device="desk", **changes):
    """A digit unlike any other of another number."""
    image = np.random.default_rng(number).integers(0, 256, (28, 28), np.uint8)
    sight = Sight(device, f"event-{number}", NOON, image, number % 10, 0.5, (0.25,) * 10, "0123456789ab")
    return replace(sight, **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "library.sqlite"


@pytest.fixture
def library(path):
    with Library(path) as opened:
        yield opened


def test_it_gives_back_what_was_kept(library, path):
    sight = see(3, confidence=0.987654321, outputs=tuple(np.linspace(0, 1, 10).tolist()))
    assert library.add([sight]) == 1
    with Library(path) as again:
        (digit,) = again.take_all()
    assert (digit.image == sight.image).all()
    assert (digit.device, digit.id, digit.time) == (sight.device, sight.id, sight.time)
    assert (digit.digit, digit.confidence, digit.outputs) == (sight.digit, sight.confidence, sight.outputs)
    assert (digit.model, digit.label, digit.label_source) == (sight.model, None, None)


def test_an_event_that_comes_twice_is_kept_once(library):
    assert library.add([see(1)]) == 1
    assert library.add([see(1), see(2)]) == 1
    assert [digit.id for digit in library.take_all()] == ["event-1", "event-2"]


def test_a_hold_that_is_announced_again_is_kept_once_and_answers_to_both_ids(library):
    assert library.add([see(1), see(1, id="again")]) == 1
    assert library.find("again") == library.find("event-1") is not None


def test_two_devices_may_call_and_see_things_alike(library):
    assert library.add([see(1), see(1, device="hall")]) == 2
    assert library.find("event-1") is None  # whose?
    assert library.find("event-1", "hall") == 2
    assert [digit.device for digit in library.take_all("hall")] == ["hall"]


def test_labels_say_who_gave_them_and_become_a_data_set(library):
    library.add([see(number) for number in range(4)])
    library.label([(1, 7), (3, NOTHING), (4, 0)], "label")
    library.label([(4, None)], "label")
    first = library.take(1)
    assert (first.label, first.label_source) == (7, "label")
    assert first.labelled_at is not None
    dataset = make_dataset(library.take_all())
    assert dataset.labels.tolist() == [7, NO_DIGIT]
    assert (dataset.images[1] == see(2).image).all()
    assert library.count() == (4, 2)


def test_what_is_undone_is_as_it_was(library):
    library.add([see(1)])
    library.label([(1, 4)], "correction")
    before = library.take(1)
    library.label([(1, 5)], "label")
    library.restore(before)
    after = library.take(1)
    assert (after.label, after.label_source, after.labelled_at) == (4, "correction", before.labelled_at)


def test_all_labels_or_none(library):
    library.add([see(1)])
    with pytest.raises(UnknownDigitError, match="no digit 99"):
        library.label([(1, 4), (99, 5)], "label")
    assert library.take(1).label is None


def test_what_is_read_unsurely_or_labelled_otherwise_is_doubtful(library):
    library.add([see(1, confidence=0.9), see(2, confidence=0.6), see(3, confidence=0.99)])
    library.label([(3, 8)], "label")  # read as 3, and surely
    doubts = [round(digit.doubt, 6) for digit in library.take_all()]
    assert doubts == [0.1, 0.4, 0.99]


def test_an_empty_data_set_is_no_trouble(library):
    assert len(make_dataset(library.take_all())) == 0


def _fill(path, device, count):
    with Library(path) as library:
        for number in range(count):
            library.add([see(number, device=device)])


def test_two_processes_fill_it_at_once_and_nothing_is_lost(path):
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_fill, args=(path, device, 40)) for device in ("desk", "hall")]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
        assert other.exitcode == 0
    with Library(path) as library:
        assert library.count() == (80, 0)


def test_a_process_that_was_killed_in_a_change_leaves_the_library_whole(path):
    with Library(path) as library:
        library.add([see(1)])
    # What a power cut leaves: a change that was begun and never ended.
    begun = sqlite3.connect(path, isolation_level=None)
    begun.execute("PRAGMA cache_size = 1")
    begun.execute("BEGIN IMMEDIATE")
    begun.execute("UPDATE digits SET device = 'x' || zeroblob(100000)")
    copy = path.with_name("copy.sqlite")
    copy.write_bytes(path.read_bytes())
    journal = path.with_name(f"{path.name}-journal")
    copy.with_name(f"{copy.name}-journal").write_bytes(journal.read_bytes())
    begun.close()
    with Library(copy) as library:
        assert [digit.device for digit in library.take_all()] == ["desk"]


def _fill_small_disk(path):
    with Library(path) as library:
        library.add([see(0)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, resource.RLIM_INFINITY))
        with pytest.raises(LibraryError, match="disk full"):
            library.add([see(number) for number in range(1, 400)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert library.count() == (1, 0)
        assert library.add([see(1)]) == 1


def test_a_full_disk_is_said_and_costs_nothing_that_was_kept(path):
    # In a process of its own, for which no file may be larger than 64 KiB.
    process = multiprocessing.get_context("spawn").Process(target=_fill_small_disk, args=(path,))
    process.start()
    process.join(60)
    assert process.exitcode == 0


def test_files_that_are_no_library_are_left_alone_and_named(tmp_path):
    text = tmp_path / "text"
    text.write_text("certainly no database, however long it is\n" * 30)
    with pytest.raises(DamagedLibraryError, match="begin anew"):
        Library(text)
    foreign = tmp_path / "foreign"
    with sqlite3.connect(foreign) as database:
        database.execute("CREATE TABLE digits (number)")
    database.close()
    with pytest.raises(ForeignLibraryError, match="another program"):
        Library(foreign)
    assert text.read_text().startswith("certainly")


def test_a_newer_versions_library_is_left_alone(path):
    with Library(path):
        pass
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    with pytest.raises(NewerLibraryError, match="newer version"):
        Library(path)


def test_a_damaged_library_is_said_to_be(path):
    with Library(path) as library:
        library.add([see(number) for number in range(50)])
    content = bytearray(path.read_bytes())
    content[4096:12288] = bytes(8192)
    path.write_bytes(content)
    with pytest.raises(DamagedLibraryError, match="recover"):
        Library(path)


def test_a_place_where_no_file_can_be_is_said(tmp_path):
    with pytest.raises(LibraryError, match="--library"):
        Library(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OSError):  # noqa: PT011
        Library(tmp_path / "file" / "library.sqlite")
