import csv
from pathlib import Path

import pytest

from trainer.checkpoint import Checkpoint
from trainer.errors import BadSettingError
from trainer.settings import Settings
from trainer.training import Moment, train
from trainer.training_log import COLUMNS, TrainingLog, is_training_log

SETTINGS = Settings(hidden=(5,), epochs=4)


def log(dataset, path, *, resume=False, **more):
    training_log = TrainingLog(path, resume=resume)
    learnt, held_out = dataset.split(100, seed=0)
    train(learnt, SETTINGS, held_out=held_out, report=training_log.report, resume=resume, **more)
    training_log.close()
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_epoch_is_a_line(drawn_digits, tmp_path):
    lines = log(drawn_digits, tmp_path / "log.csv")
    assert tuple(lines[0]) == COLUMNS
    assert [line["epoch"] for line in lines] == ["1", "2", "3", "4"]
    assert [int(line["steps"]) for line in lines] == [5, 10, 15, 20]
    assert float(lines[-1]["loss"]) < float(lines[0]["loss"])
    assert float(lines[-1]["learning_rate"]) < float(lines[0]["learning_rate"])
    assert 0 < float(lines[-1]["held_out_accuracy"]) <= 1
    seconds = [float(line["cpu_seconds"]) for line in lines]
    assert seconds == sorted(seconds)


def test_after_a_power_cut_each_epoch_is_still_one_line(drawn_digits, tmp_path):
    path, checkpoint = tmp_path / "log.csv", tmp_path / "c"
    whole = log(drawn_digits, path, checkpoint=Checkpoint(checkpoint, every_s=0.0))
    # Cut off after the third epoch's line and its checkpoint's predecessor.
    two = tmp_path / "two"
    learnt, held_out = drawn_digits.split(100, seed=0)
    saved = []
    keeper = Checkpoint(two, every_s=0.0)

    def keep(moment):
        if moment.epoch == 3 and not saved:
            saved.append(two.read_bytes())

    train(learnt, SETTINGS, held_out=held_out, checkpoint=keeper, report=keep)
    two.write_bytes(saved[0])
    resumed = log(drawn_digits, path, resume=True, checkpoint=Checkpoint(two))
    assert [line["epoch"] for line in resumed] == ["1", "2", "3", "4"]
    for before, after in zip(whole, resumed, strict=True):
        assert before["held_out_accuracy"] == after["held_out_accuracy"]
        assert before["loss"] == after["loss"]


def test_a_full_disk_ends_no_training_and_is_said_once(drawn_digits):
    warnings = []
    full = TrainingLog(Path("/dev/full"), warn=warnings.append)
    assert train(drawn_digits, SETTINGS, report=full.report).epochs == 4
    full.close()
    assert len(warnings) == 1
    assert "/dev/full cannot be written (No space left on device): training goes on" in warnings[0]


def test_lines_that_could_not_be_written_are_written_once_they_can(drawn_digits, tmp_path):
    folder = tmp_path / "folder"
    late = TrainingLog(folder / "log.csv")

    def report(moment):
        late.report(moment)
        if moment.epoch == 3 and not folder.exists():
            folder.mkdir()

    train(drawn_digits, SETTINGS, report=report)
    late.close()
    with (folder / "log.csv").open(newline="") as file:
        assert [line["epoch"] for line in csv.DictReader(file)] == ["1", "2", "3", "4"]


HEAD = ",".join(COLUMNS).encode() + b"\n"


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(128, 256)),
        b"\x00" * 5000,
        b"name,price\nbread,3\n",
        b"some words, without a line's end",
        HEAD + b"1,6\n",
        HEAD + "\N{SUPERSCRIPT TWO},6,0.3,0.1,,1\n".encode(),
        HEAD + b"9" * 5000 + b",6,0.3,0.1,,1\n",
        HEAD + b'"' + b"x" * 200_000 + b'",6,0.3,0.1,,1\n',
    ],
    ids=["bytes", "zeros", "a table", "words", "short", "a power", "a long number", "a long text"],
)
def test_what_is_no_training_log_is_not_gone_on_with(tmp_path, content):
    (tmp_path / "log.csv").write_bytes(content)
    with pytest.raises(BadSettingError, match=r"log\.csv is no training log"):
        TrainingLog(tmp_path / "log.csv", resume=True)
    assert not is_training_log(tmp_path / "log.csv")
    assert (tmp_path / "log.csv").read_bytes() == content


@pytest.mark.parametrize("end", [b"", b"3", b"3,18,0.2,2.1,0.6"])
def test_a_line_that_a_power_cut_left_unfinished_is_none(drawn_digits, tmp_path, end):
    whole = log(drawn_digits, tmp_path / "log.csv")
    first_two = b"".join((tmp_path / "log.csv").read_bytes().splitlines(keepends=True)[:3])
    (tmp_path / "log.csv").write_bytes(first_two + end)
    resumed = TrainingLog(tmp_path / "log.csv", resume=True)
    resumed.report(Moment(12, 0.5, 3, 1.0, None, 0.1, 1.0))
    resumed.close()
    with (tmp_path / "log.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == whole[:2]
