import json
from dataclasses import replace

import numpy as np
import pytest

from trainer.augmentation import Deformations
from trainer.checkpoint import FORMAT, Checkpoint, Standing, read_options
from trainer.errors import BadCheckpointError, BadSettingError, MissingCheckpointError
from trainer.settings import Settings
from trainer.training import train

# All that has a memory: momentum or Adam, an average, dropout, what was read well, the best so far.
MOMENTUM = Settings(
    hidden=(20,),
    epochs=8,
    biases=True,
    averaging=2.0,
    dropout=0.2,
    schedule="cosine",
    loss="squared-error",
    skipping=0.5,
)
ADAM = replace(MOMENTUM, optimiser="adam", learning_rate=0.01, activation="relu")
NORMALISED = replace(MOMENTUM, batch_normalisation=True)


class PowerCut(Exception):
    pass


def cut_power(moment):
    if moment.epoch == 5 and moment.ends_epoch:
        raise PowerCut


@pytest.mark.parametrize(
    "settings", [MOMENTUM, ADAM, NORMALISED], ids=["momentum", "adam", "batch normalisation"]
)
@pytest.mark.parametrize("threads", [1, 2])
def test_training_goes_on_to_the_same_weights_bit_for_bit(drawn_digits, tmp_path, settings, threads):
    learnt, held_out = drawn_digits.split(100, seed=0)

    def run(**more):
        return train(
            learnt, settings, held_out=held_out, augmentation=Deformations(), threads=threads, **more
        )

    whole = run()
    with pytest.raises(PowerCut):
        run(checkpoint=Checkpoint(tmp_path / "c", every_s=0.0), report=cut_power)
    epochs = []
    resumed = run(
        checkpoint=Checkpoint(tmp_path / "c", every_s=0.0),
        resume=True,
        report=lambda moment: epochs.append(moment.epoch),
    )
    # The fifth epoch was over, but its checkpoint was not written yet.
    assert epochs[0] == 5
    for one, other in zip(resumed.network.parameters, whole.network.parameters, strict=True):
        np.testing.assert_array_equal(one, other)
    assert resumed.accuracy == whole.accuracy
    assert resumed.epochs == whole.epochs == 8
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_what_is_over_is_not_done_again(drawn_digits, tmp_path):
    settings = Settings(hidden=(5,), epochs=2)
    whole = train(drawn_digits, settings, checkpoint=Checkpoint(tmp_path / "c", every_s=0.0))
    moments = []
    again = train(
        drawn_digits, settings, checkpoint=Checkpoint(tmp_path / "c"), resume=True, report=moments.append
    )
    assert moments == []
    for one, other in zip(again.network.parameters, whole.network.parameters, strict=True):
        np.testing.assert_array_equal(one, other)


def test_checkpoints_are_written_first_and_last_and_else_not_more_often_than_told(drawn_digits, tmp_path):
    checkpoint, written = Checkpoint(tmp_path / "c", every_s=3600.0), []

    def note(moment):
        if moment.steps == 1 or moment.ends_epoch:
            written.append(read_standing(checkpoint.path) if checkpoint.is_there else 0)

    train(drawn_digits, Settings(hidden=(5,), epochs=4), checkpoint=checkpoint, report=note)
    # Each is written once its epoch was told of.
    assert written == [0, 0, 1, 1, 1]
    assert read_standing(checkpoint.path) == 4


def read_standing(path):
    with np.load(path) as file:
        return json.loads(file["about"].tobytes())["standing"]["epoch"]


def test_a_checkpoint_that_cannot_be_written_ends_no_training_and_is_tried_again(drawn_digits, tmp_path):
    warnings, there = [], []
    folder = tmp_path / "folder"
    checkpoint = Checkpoint(folder / "c", every_s=0.0, warn=warnings.append)

    def make_folder(moment):
        there.append(checkpoint.path.exists())
        if moment.epoch == 4 and moment.ends_epoch:
            folder.mkdir()

    outcome = train(drawn_digits, Settings(hidden=(5,), epochs=5), checkpoint=checkpoint, report=make_folder)
    assert outcome.epochs == 5
    assert there[-1]
    assert len(warnings) == 1
    assert f"{checkpoint.path} cannot be written (No such file or directory): training goes on" in warnings[0]


def test_another_training_is_not_gone_on_with(drawn_digits, tmp_path):
    settings = Settings(hidden=(5,), epochs=2)
    train(drawn_digits, settings, checkpoint=Checkpoint(tmp_path / "c", every_s=0.0))
    for other, pictures, said in (
        (Settings(hidden=(5,), epochs=3), drawn_digits, "settings is not the same"),
        (settings, drawn_digits.split(10, seed=0)[0], "pictures is not the same"),
    ):
        with pytest.raises(BadCheckpointError, match=said):
            train(pictures, other, checkpoint=Checkpoint(tmp_path / "c"), resume=True)


def test_what_the_command_was_told_is_kept(tmp_path):
    told = {"preset": "best", "recipe": {"epochs": 3}, "data": None}
    Checkpoint(tmp_path / "c", told).save(Standing(), [np.ones(3)], {})
    assert read_options(tmp_path / "c") == told
    Checkpoint(tmp_path / "c").remove()
    Checkpoint(tmp_path / "c").remove()
    with pytest.raises(MissingCheckpointError, match=r"no checkpoint at .*: that training was finished"):
        read_options(tmp_path / "c")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"nothing of the sort",
        json.dumps({"standing": {}}).encode(),
    ],
)
def test_a_damaged_checkpoint_is_said(tmp_path, content):
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(BadCheckpointError, match="is no checkpoint of this version"):
        read_options(tmp_path / "c")


@pytest.mark.parametrize(
    ("standing", "written_as"),
    [
        ({"epoch": "3"}, FORMAT),
        ({"epoch": None}, FORMAT),
        ({"epochs": 3}, FORMAT),
        ({"accuracy": [1]}, FORMAT),
        ({"cpu_seconds": {}}, FORMAT),
        ([], FORMAT),
        (3, FORMAT),
        ({"epoch": 3}, FORMAT - 1),
        ({"epoch": 3}, None),
    ],
)
def test_a_checkpoint_of_another_version_is_said(tmp_path, standing, written_as):
    about = {"format": written_as, "standing": standing, "purpose": {}, "options": {}}
    np.savez(tmp_path / "c.npz", about=np.frombuffer(json.dumps(about).encode(), np.uint8))
    for read in (read_options, lambda path: Checkpoint(path).load([], {})):
        with pytest.raises(BadCheckpointError, match="is no checkpoint of this version"):
            read(tmp_path / "c.npz")


@pytest.mark.parametrize("arrays", [[], [np.ones(2)], [np.ones(3, np.int64)], [np.ones(3), np.ones(3)]])
def test_a_checkpoint_of_another_network_is_said(tmp_path, arrays):
    Checkpoint(tmp_path / "c").save(Standing(), arrays, {})
    with pytest.raises(BadCheckpointError, match="is of another training: the network is not the same"):
        Checkpoint(tmp_path / "c").load([np.ones(3)], {})


@pytest.mark.parametrize("epoch", [-1, 3, 10**6])
def test_a_checkpoint_at_an_epoch_that_is_none_of_the_training_is_damaged(drawn_digits, tmp_path, epoch):
    settings = Settings(hidden=(5,), epochs=2)
    checkpoint = Checkpoint(tmp_path / "c", every_s=0.0)
    train(drawn_digits, settings, checkpoint=checkpoint)
    with np.load(tmp_path / "c") as file:
        members = dict(file)
    about = json.loads(members["about"].tobytes())
    about["standing"]["epoch"] = epoch
    members["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with (tmp_path / "c").open("wb") as file:
        np.savez(file, **members)
    with pytest.raises(BadCheckpointError, match=f"is damaged: it stands at epoch {epoch} of 2"):
        train(drawn_digits, settings, checkpoint=checkpoint, resume=True)


def test_half_a_checkpoint_is_said(tmp_path):
    Checkpoint(tmp_path / "c").save(Standing(), [np.ones(300)], {})
    content = (tmp_path / "c").read_bytes()
    for length in (20, len(content) // 2, len(content) - 30):
        (tmp_path / "c").write_bytes(content[:length])
        with pytest.raises(BadCheckpointError):
            Checkpoint(tmp_path / "c").load([np.ones(300)], {})


def test_running_away_is_said_after_a_checkpoint_too(drawn_digits, tmp_path):
    with pytest.raises(BadSettingError, match="ran away"):
        train(
            drawn_digits,
            Settings(hidden=(30,), learning_rate=1e38),
            checkpoint=Checkpoint(tmp_path / "c", every_s=0.0),
        )
    assert not (tmp_path / "c").exists()
