import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import (
    ForeignWeightsError,
    InklingError,
    MissingWeightsError,
    NotFiniteWeightsError,
    OversizedWeightsError,
    TamperedWeightsError,
    TruncatedWeightsError,
    WeightsError,
    WrongShapeWeightsError,
)
from shared.feedforward import FeedForward
from shared.precision import PRECISIONS
from shared.weights import LARGEST_FILE, _hash, _pack, export_weights, load_weights, parse_weights
from tests.shared.weights_files import open_members, seal


def change_card(file: Path, **changes) -> bytes:
    members = open_members(file)
    with np.load(file) as arrays:
        content = json.loads(arrays["card"].tobytes())
    content |= changes
    content = {key: value for key, value in content.items() if value is not ...}
    return seal({**members, "card.npy": _pack(np.frombuffer(json.dumps(content).encode(), np.uint8))})


def test_what_was_exported_is_loaded_bit_for_bit(file, network, card):
    trained = load_weights(file)
    assert trained.card == card
    assert len(trained.sha256) == 64
    assert trained.sha256.startswith(trained.name)
    for loaded, exported in zip(
        trained.network.weights + trained.network.biases, network.weights + network.biases, strict=True
    ):
        np.testing.assert_array_equal(loaded, exported)


def test_a_network_without_biases_comes_back_without(tmp_path, card):
    network = FeedForward([np.ones((12, 784)), np.ones((10, 12))])
    export_weights(tmp_path / "weights.npz", network, card)
    assert load_weights(tmp_path / "weights.npz").network.biases is None


def test_the_same_network_and_card_give_the_same_file(tmp_path, file, network, card):
    export_weights(tmp_path / "again.npz", network, card)
    assert (tmp_path / "again.npz").read_bytes() == file.read_bytes()


def test_numpy_itself_can_open_the_file(file, network):
    with np.load(file, allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["weights_0"], network.weights[0])
        assert json.loads(arrays["card"].tobytes())["layers"] == [784, 12, 10]


def test_the_weights_that_ship_read_mnist(mnist):
    from trainer.datasets import load_mnist
    from trainer.evaluation import measure_accuracy

    trained = load_weights()
    accuracy = measure_accuracy(trained.network, load_mnist(mnist, test=True))
    assert accuracy >= 0.985
    assert trained.card.metrics["test"]["accuracy"] == pytest.approx(accuracy, abs=2e-4)
    assert trained.card.data[0]["images"] > 60000  # MNIST, and simulated paper


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(MissingWeightsError, match=r"no weights file at .*inkling-trainer train"):
        load_weights(tmp_path / "none.npz")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_file_cut_anywhere_is_refused(files, precision):
    content = files[precision].read_bytes()
    for length in [*range(0, len(content), 997), len(content) - 1]:
        with pytest.raises(WeightsError):
            parse_weights(content[:length])


def test_a_cut_file_is_said_to_be_cut(file):
    content = file.read_bytes()
    with pytest.raises(TruncatedWeightsError, match="ends too early"):
        parse_weights(content[: len(content) // 2])


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_byte_is_refused_or_changes_nothing(files, data):
    file = files[data.draw(st.sampled_from(PRECISIONS))]
    content = bytearray(file.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    try:
        trained = parse_weights(bytes(content))
    except WeightsError:
        return
    # Some bytes of a zip archive mean nothing, such as the dates in it.
    assert trained.sha256 == load_weights(file).sha256


@settings(max_examples=200)
@given(content=st.binary(max_size=3000))
def test_random_bytes_are_refused(content):
    with pytest.raises(WeightsError):
        parse_weights(content)
    with pytest.raises(WeightsError):
        parse_weights(b"PK\x03\x04" + content)


def test_a_changed_weight_with_an_old_hash_is_tampered(file, network):
    members = open_members(file)
    changed = {**members, "weights_0.npy": _pack(network.weights[0] + np.float32(1))}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in changed.items():
            archive.writestr(name, member)
        archive.writestr("sha256.npy", _pack(np.frombuffer(_hash(members), np.uint8)))
    with pytest.raises(TamperedWeightsError, match="does not match its own hash"):
        parse_weights(content.getvalue())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_weights_that_are_no_numbers_are_neither_loaded_nor_exported(tmp_path, file, network, card, value):
    network.weights[1][3, 4] = value
    with pytest.raises(NotFiniteWeightsError, match="weights_1"):
        export_weights(tmp_path / "bad.npz", network, card)
    assert not (tmp_path / "bad.npz").exists()
    content = seal({**open_members(file), "weights_1.npy": _pack(network.weights[1])})
    with pytest.raises(NotFiniteWeightsError, match="weights_1"):
        parse_weights(content)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("weights_0", np.ones((12, 783), np.float32)),
        ("weights_0", np.ones((784, 12), np.float32)),
        ("weights_1", np.ones((9, 12), np.float32)),
        ("biases_0", np.ones(13, np.float32)),
        ("weights_2", np.ones((10, 10), np.float32)),
    ],
)
def test_arrays_that_do_not_fit_the_card_are_refused(file, name, array):
    with pytest.raises(WrongShapeWeightsError, match="its model card promises layers"):
        parse_weights(seal({**open_members(file), f"{name}.npy": _pack(array)}))


def test_a_missing_matrix_is_refused(file):
    members = open_members(file)
    del members["weights_1.npy"]
    with pytest.raises(WrongShapeWeightsError):
        parse_weights(seal(members))


@pytest.mark.parametrize("layers", [[], [784], [10], [784, 12, 9], [783, 12, 10], [784, 10], [784, -12, 10]])
def test_layers_that_read_no_digits_are_refused(file, layers):
    with pytest.raises(WrongShapeWeightsError):
        parse_weights(change_card(file, layers=layers))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"layers": "784-12-10"}, "layers must be a list"),
        ({"layers": [784, 12.5, 10]}, r"layers\[1\] must be a whole number, not 12.5"),
        ({"training": 3}, "training must be a table"),
        ({"date": ...}, "date is missing"),
        ({"mood": "good"}, "mood is not a known key"),
        ({"activation": "step"}, "unknown activation"),
        ({"normalisation": "none"}, "trained for pictures normalised as 'none'"),
    ],
)
def test_a_wrong_card_is_refused_and_the_key_named(file, changes, said):
    with pytest.raises(WeightsError, match=said):
        parse_weights(change_card(file, **changes))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"9" * 5000, b'"card"'])
def test_a_card_that_is_no_json_object_is_refused(file, text):
    content = seal({**open_members(file), "card.npy": _pack(np.frombuffer(text, np.uint8))})
    with pytest.raises(ForeignWeightsError):
        parse_weights(content)


@pytest.mark.parametrize("depth", [250, 900, 30000])
def test_a_card_that_nests_deep_is_refused(file, depth):
    members = open_members(file)
    with np.load(file) as arrays:
        text = arrays["card"].tobytes().replace(b'"epochs": 2', b'"a": ' + b"[" * depth + b"]" * depth)
    with pytest.raises(OversizedWeightsError, match="more than 200 lists and tables"):
        parse_weights(seal({**members, "card.npy": _pack(np.frombuffer(text, np.uint8))}))


def test_a_card_of_a_megabyte_is_refused(file):
    with pytest.raises(OversizedWeightsError, match="model card is larger"):
        parse_weights(change_card(file, training={"note": "x" * 1_000_000}))


def test_other_files_are_called_foreign(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    np.savez(tmp_path / "no_card.npz", weights_0=np.ones((10, 784), np.float32))
    (tmp_path / "text.npz").write_text("weights")
    (tmp_path / "empty.npz").touch()
    for name in ("other", "no_card", "text", "empty"):
        with pytest.raises(ForeignWeightsError, match=rf"{name}\.npz: "):
            load_weights(tmp_path / f"{name}.npz")


def test_a_card_with_nan_in_it_is_refused(file):
    with pytest.raises(ForeignWeightsError, match="not JSON"):
        parse_weights(change_card(file, metrics={"accuracy": float("nan")}))


def test_a_card_with_a_number_too_large_to_be_told_is_refused(file):
    members = open_members(file)
    with np.load(file) as arrays:
        text = arrays["card"].tobytes().replace(b'"epochs": 2', b'"epochs": 1e999')
    with pytest.raises(ForeignWeightsError, match="not JSON"):
        parse_weights(seal({**members, "card.npy": _pack(np.frombuffer(text, np.uint8))}))


def test_a_network_too_large_to_be_loaded_is_not_exported(tmp_path, card):
    network = FeedForward([np.random.default_rng(0).random((12000, 784)), np.ones((10, 12000))])
    with pytest.raises(OversizedWeightsError):
        export_weights(tmp_path / "big.npz", network, card)
    assert not list(tmp_path.iterdir())


def test_an_offset_beyond_all_numbers_is_refused(file):
    content = bytearray(file.read_bytes())
    directory = content.index(b"PK\x01\x02")
    extra = (1).to_bytes(2, "little") + (8).to_bytes(2, "little") + b"\xff" * 8
    name_length = int.from_bytes(content[directory + 28 : directory + 30], "little")
    content[directory + 30 : directory + 32] = len(extra).to_bytes(2, "little")
    content[directory + 42 : directory + 46] = b"\xff" * 4
    content[directory + 46 + name_length : directory + 46 + name_length] = extra
    end = content.rindex(b"PK\x05\x06")
    size = int.from_bytes(content[end + 12 : end + 16], "little") + len(extra)
    content[end + 12 : end + 16] = size.to_bytes(4, "little")
    with pytest.raises(WeightsError):
        parse_weights(bytes(content))


def test_a_pipe_as_weights_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ForeignWeightsError, match="not a file"):
        load_weights(tmp_path / "pipe")


def test_a_pickle_in_it_is_refused_unopened(tmp_path, file):
    opened = tmp_path / "opened"

    class Trap:
        def __reduce__(self):
            return Path.touch, (opened,)

    member = io.BytesIO()
    np.lib.format.write_array(member, np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(ForeignWeightsError, match=r"not a plain <f4 or <f2 or \|i1 array"):
        parse_weights(seal({**open_members(file), "weights_0.npy": member.getvalue()}))
    assert not opened.exists()


def test_a_header_with_code_in_it_is_refused(file):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os').getpid(),), }\n"
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with pytest.raises(ForeignWeightsError):
        parse_weights(seal({**open_members(file), "weights_0.npy": member}))


def test_a_shape_larger_than_its_bytes_is_refused(file, network):
    packed = _pack(network.weights[0]).replace(b"(12, 784)", b"(99999999, 99999999)")
    with pytest.raises(WeightsError):
        parse_weights(seal({**open_members(file), "weights_0.npy": packed}))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_without_a_bound_is_refused(file, method):
    with pytest.raises(ForeignWeightsError, match="packed in a way"):
        parse_weights(seal(open_members(file), compression=method))


def test_a_file_larger_than_any_network_is_refused(tmp_path):
    path = tmp_path / "large.npz"
    with path.open("wb") as file:
        file.truncate(100 * LARGEST_FILE)
    with pytest.raises(OversizedWeightsError, match="larger than 32 MiB"):
        load_weights(path)


def test_an_archive_of_very_many_members_is_refused():
    with pytest.raises(OversizedWeightsError, match="more than 50 arrays"):
        parse_weights(seal({f"weights_{index}.npy": b"" for index in range(120)}))


def make_bomb(claimed: int | None) -> bytes:
    """An archive of some hundred kilobytes that unpacks to 512 MiB, but may claim to hold less."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("weights_0.npy", "w") as f,
    ):
        for _ in range(512):
            f.write(bytes(1 << 20))
    archive_bytes = bytearray(content.getvalue())
    if claimed is not None:
        directory = archive_bytes.index(b"PK\x01\x02")
        archive_bytes[directory + 24 : directory + 28] = claimed.to_bytes(4, "little")
        archive_bytes[22:26] = claimed.to_bytes(4, "little")
    return bytes(archive_bytes)


@pytest.mark.parametrize("claimed", [None, 1000, LARGEST_FILE])
def test_a_bomb_is_refused_within_bounded_memory(tmp_path, claimed):
    (tmp_path / "bomb.npz").write_bytes(make_bomb(claimed))
    # Its own process, so that its peak memory can be told and its limit is a hard one.
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from shared.errors import WeightsError\n"
        "from shared.weights import load_weights\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: load_weights(Path(sys.argv[1]))\n"
        "except WeightsError as error: print(type(error).__name__)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "bomb.npz")], capture_output=True, text=True, check=True
    )
    refusal, grown_kib = result.stdout.split()
    assert refusal in ("OversizedWeightsError", "TruncatedWeightsError")
    assert int(grown_kib) < 6 * (LARGEST_FILE >> 10)


def test_every_refusal_is_an_inkling_error_and_a_value_error():
    assert issubclass(MissingWeightsError, FileNotFoundError)
    assert issubclass(WeightsError, InklingError)
    assert issubclass(WeightsError, ValueError)
