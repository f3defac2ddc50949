"""The weights file: a network's matrices, its model card, and a hash over all of it.

The file is an `.npz` (a zip of arrays) that `numpy.load(..., allow_pickle=False)` can open too:

    weights_0, weights_1, ...   float32, float16 or int8, (nodes in next layer, nodes in this layer)
    scales_0, scales_1, ...     float32, (nodes in next layer,); only with int8: what each row is times
    biases_0, biases_1, ...     float32, (nodes in next layer,); none of them, or one for each matrix
    card                        uint8, the model card as UTF-8 JSON
    sha256                      uint8, 32 bytes, over all the others

It is read without `numpy.load`: sizes are checked before anything is unpacked, and a header has to
look exactly as numpy writes it, so that a hostile file costs little and runs nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from shared import __version__
from shared.atomic_file import write_atomically
from shared.digit_image import IMAGE_SIZE, NORMALISATION
from shared.errors import (
    ForeignWeightsError,
    MissingWeightsError,
    NotFiniteWeightsError,
    OversizedWeightsError,
    TamperedWeightsError,
    TruncatedWeightsError,
    WeightsError,
    WrongShapeError,
    WrongShapeWeightsError,
)
from shared.feedforward import FeedForward
from shared.precision import KeptMatrix, Precision, reduce, restore
from shared.records import RecordError, read_json, read_record

# A million float32 weights are 4 MB; a Pi Zero has 512 MB for everything.
LARGEST_FILE = 32 * 1024 * 1024
LARGEST_CARD = 64 * 1024
MOST_BRACKETS = 200  # in a card; so it cannot nest so deep that reading or writing it again fails
MOST_LAYERS = 16
LARGEST_WEIGHT = 1e6  # sums of signals stay finite; what is learnt stays far below
MOST_MEMBERS = 3 * MOST_LAYERS + 2

# A picture of 28x28 goes in, a digit comes out.
INPUT_NODES, OUTPUT_NODES = IMAGE_SIZE * IMAGE_SIZE, 10


class Ends(NamedTuple):
    """How many nodes a network begins and ends with, what it does with them, and how its inputs are made."""

    inputs: int
    outputs: int
    purpose: str
    normalisation: str


READS_DIGITS = Ends(INPUT_NODES, OUTPUT_NODES, "reads digits", NORMALISATION)


DEFAULT_WEIGHTS = Path(__file__).with_name("default_weights.npz")

_MEMBER = re.compile(r"(?:(?:weights|scales|biases)_(?:0|[1-9]\d?)|card|sha256)\.npy")
_HEADER = re.compile(
    rb"\{'descr': '(<f4|<f2|\|i1|\|u1)', 'fortran_order': False, "
    rb"'shape': \((\d{1,8}),(?: (\d{1,8}))?\), \} *\n"
)
_HEADER_START = b"\x93NUMPY\x01\x00"

# How matrices may be kept, by the type of their arrays.
_PRECISIONS: dict[str, Precision] = {"<f4": "float32", "<f2": "float16", "|i1": "int8"}


@dataclass(frozen=True)
class ModelCard:
    """What a weights file says of itself.

    Attributes
    ----------
    layers : nodes in each layer, inputs first
    activation : of the hidden nodes, a name in `shared.feedforward.ACTIVATIONS`; output nodes are sigmoid
    training : how it was trained (command, settings, seconds)
    data : on what, one entry a data set: name, images, sha256
    metrics : what was measured, such as {"test": {"accuracy": 0.9781, "images": 10000}}
    normalisation : how a picture becomes inputs, see `Ends`
    software : what wrote the file, such as "inkling-pi 0.1.0"
    date : when, UTC, RFC 3339
    """

    layers: tuple[int, ...]
    activation: str
    training: dict[str, Any]
    data: list[dict[str, Any]]
    metrics: dict[str, Any]
    normalisation: str
    software: str
    date: str

    @classmethod
    def describe(
        cls,
        network: FeedForward,
        training: dict[str, Any],
        data: list[dict[str, Any]],
        metrics: dict[str, Any],
        ends: Ends = READS_DIGITS,
    ) -> ModelCard:
        """Write the card of a network that was trained just now, by this software."""
        return cls(
            network.layers,
            network.activation,
            training,
            data,
            metrics,
            ends.normalisation,
            f"inkling-pi {__version__}",
            datetime.now(UTC).isoformat(timespec="seconds"),
        )


class TrainedNetwork(NamedTuple):
    """A network with its model card, the hash of both (64 hexadecimal digits), and how the file kept it."""

    network: FeedForward
    card: ModelCard
    sha256: str
    precision: Precision

    @property
    def name(self) -> str:
        """The first twelve digits of the hash: what messages and people call these weights."""
        return self.sha256[:12]


def export_weights(
    path: Path,
    network: FeedForward,
    card: ModelCard,
    precision: Precision = "float32",
    ends: Ends = READS_DIGITS,
) -> str:
    """Write a network and its card to a weights file, whole or not at all.

    Parameters
    ----------
    precision : how exactly to keep the link weights; biases are always float32
    ends : what the network must begin and end with

    Returns
    -------
    the hash of the content, 64 hexadecimal digits: the same network and card give the same hash

    Raises
    ------
    WeightsError : if a weight is NaN or infinite, or the network is none that could be loaded again
    OSError : if the file cannot be written
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    for index, matrix in enumerate(network.weights):
        _check_finite(f"weights_{index}", matrix, f"nothing was exported to {path}")
        arrays[f"weights_{index}"], scales = reduce(matrix, precision)
        if scales is not None:
            arrays[f"scales_{index}"] = scales
    arrays |= {f"biases_{index}": bias for index, bias in enumerate(network.biases or [])}
    for name, array in arrays.items():
        _check_finite(name, array, f"as {precision} nothing was exported to {path}")
    arrays["card"] = np.frombuffer(json.dumps(asdict(card)).encode(), dtype=np.uint8)
    members = {f"{name}.npy": _pack(array) for name, array in arrays.items()}
    digest = _hash(members)
    members["sha256.npy"] = _pack(np.frombuffer(digest, dtype=np.uint8))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            # A fixed date: the same weights give the same file.
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    parse_weights(file.getvalue(), ends)  # nothing is exported that could not be loaded again
    write_atomically(path, file.getvalue())
    return digest.hex()


def load_weights(path: Path | str | None = None, ends: Ends = READS_DIGITS) -> TrainedNetwork:
    """Read a weights file, or the default weights that ship with the project, and check all of it.

    Parameters
    ----------
    ends : what the network must begin and end with

    Raises
    ------
    WeightsError : one of its children, saying what is wrong with the file
    OSError : if the file cannot be read
    """
    path = DEFAULT_WEIGHTS if path is None else Path(path)
    if path.exists() and not path.is_file():
        raise ForeignWeightsError(f"{path}: not a file: name a weights file")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise MissingWeightsError(
            f"no weights file at {path}: train one with 'inkling-trainer train -o {path.name}'"
        ) from error
    try:
        return parse_weights(content, ends)
    except WeightsError as error:
        raise type(error)(f"{path}: {error}") from error


def parse_weights(content: bytes, ends: Ends = READS_DIGITS) -> TrainedNetwork:
    """Read a weights file's bytes; what it takes and raises is as in `load_weights`."""
    members = _unpack_members(content)
    digest = members.pop("sha256.npy", None)
    if digest is None or "card.npy" not in members:
        raise ForeignWeightsError(
            "an archive, but not weights of this project (no model card and hash in it): "
            "export weights with 'inkling-trainer train'"
        )
    actual = _hash(members)
    if _unpack(digest, "|u1").tobytes() != actual:
        raise TamperedWeightsError(
            "the content does not match its own hash, so it was changed or damaged: copy or export it again"
        )
    card = _parse_card(_unpack(members.pop("card.npy"), "|u1").tobytes())
    arrays = {
        name.removesuffix(".npy"): _unpack(member, *(_PRECISIONS if name.startswith("weights") else ["<f4"]))
        for name, member in members.items()
    }
    # Kept as int8 they take a quarter of the room that they will need.
    if 4 * sum(array.size for array in arrays.values()) > LARGEST_FILE:
        raise OversizedWeightsError(f"its weights take more than {LARGEST_FILE >> 20} MiB as float32")
    precision = _tell_precision(arrays)
    return TrainedNetwork(_assemble(arrays, card, precision, ends), card, actual.hex(), precision)


def _check_finite(name: str, array: npt.NDArray[Any], remedy: str) -> None:
    tame = np.absolute(array, dtype=np.float32) <= np.float32(LARGEST_WEIGHT)
    if not tame.all():
        raise NotFiniteWeightsError(f"{name} holds a NaN or an infinity, or what would become one: {remedy}")


def _hash(members: dict[str, bytes]) -> bytes:
    digest = hashlib.sha256()
    for name in sorted(members):
        # With the length between name and content no two different files look alike to the hash.
        digest.update(f"{name}\0{len(members[name])}\0".encode())
        digest.update(members[name])
    return digest.digest()


def _pack(array: npt.NDArray[Any]) -> bytes:
    file = io.BytesIO()
    little_endian = array.astype(array.dtype.newbyteorder("<"), copy=False)
    np.lib.format.write_array(file, little_endian, version=(1, 0), allow_pickle=False)
    return file.getvalue()


def _unpack(member: bytes, *dtypes: str) -> npt.NDArray[Any]:
    """Read one `.npy` array of one of the types. Source: numpy.lib.format, version 1.0."""
    header = None
    if member.startswith(_HEADER_START) and len(member) >= 10:
        start = 10 + int.from_bytes(member[8:10], "little")
        header = _HEADER.fullmatch(member[10:start])
    if header is None or (dtype := header[1].decode()) not in dtypes:
        raise ForeignWeightsError(
            f"an array in it is not a plain {' or '.join(dtypes)} array: export the weights again"
        )
    shape = tuple(int(length) for length in header.groups()[1:] if length is not None)
    array = np.frombuffer(member[start:], dtype=dtype) if (len(member) - start) % int(dtype[2]) == 0 else None
    if array is None or array.size != int(np.prod(shape)):
        raise WrongShapeWeightsError(f"an array of shape {shape} holds {len(member) - start} bytes")
    return array.reshape(shape)


def _unpack_members(content: bytes) -> dict[str, bytes]:
    if len(content) > LARGEST_FILE:
        raise OversizedWeightsError(
            f"larger than {LARGEST_FILE >> 20} MiB: not a weights file of this project"
        )
    if not content.startswith(b"PK"):
        raise ForeignWeightsError(
            "not an .npz file" if content else "an empty file: export the weights again, or copy them again"
        )
    # Counted in the raw bytes, because opening an archive makes an object for every entry.
    if content.count(b"PK\x01\x02") > 2 * MOST_MEMBERS:
        raise OversizedWeightsError(
            f"more than {MOST_MEMBERS} arrays in it: not a weights file of this project"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            names = {info.filename for info in infos}
            if len(names) != len(infos) or not all(_MEMBER.fullmatch(name) for name in names):
                raise ForeignWeightsError("an archive with other things in it than weights of this project")
            for info in infos:
                # Other methods than these two unpack without a bound on memory.
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ForeignWeightsError("packed in a way that numpy does not use")
            if sum(info.file_size for info in infos) > LARGEST_FILE:
                raise OversizedWeightsError(f"unpacks to more than {LARGEST_FILE >> 20} MiB")
            return {info.filename: _unpack_member(archive, info) for info in infos}
    except zipfile.BadZipFile as error:
        raise TruncatedWeightsError(
            "ends too early or is damaged: copy it again, or export the weights again"
        ) from error
    # All that zipfile was seen to raise over damaged and hostile archives.
    except (zlib.error, EOFError, MemoryError, OverflowError, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, WeightsError):
            raise
        raise TruncatedWeightsError(
            f"damaged ({error}): copy it again, or export the weights again"
        ) from error


def _unpack_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as file:
        # Told how much to read, zipfile stops unpacking there, however much more is packed.
        content = file.read(info.file_size)
    if len(content) != info.file_size:
        raise TruncatedWeightsError("ends too early: copy it again, or export the weights again")
    return content


def _parse_card(text: bytes) -> ModelCard:
    if len(text) > LARGEST_CARD:
        raise OversizedWeightsError(f"its model card is larger than {LARGEST_CARD >> 10} KiB")
    if text.count(b"[") + text.count(b"{") > MOST_BRACKETS:
        raise OversizedWeightsError(f"its model card has more than {MOST_BRACKETS} lists and tables")
    try:
        content = read_json(text)
    except (ValueError, RecursionError) as error:
        raise ForeignWeightsError("its model card is not JSON: export the weights again") from error
    try:
        card = read_record(ModelCard, content)
    except RecordError as error:
        raise ForeignWeightsError(f"its model card's {error}: export the weights again") from error
    return card


def _tell_precision(arrays: dict[str, npt.NDArray[Any]]) -> Precision:
    kept = {array.dtype.str for name, array in arrays.items() if name.startswith("weights")}
    if len(kept) != 1:
        raise ForeignWeightsError("no matrices in it, or not all kept alike: export the weights again")
    return _PRECISIONS[kept.pop()]


def _assemble(
    arrays: dict[str, npt.NDArray[Any]], card: ModelCard, precision: Precision, ends: Ends
) -> FeedForward:
    if card.layers[:1] != (ends.inputs,) or card.layers[-1:] != (ends.outputs,):
        raise WrongShapeWeightsError(
            f"its layers {card.layers} do not begin with {ends.inputs} input nodes and end with "
            f"{ends.outputs} output nodes: it is no network that {ends.purpose}"
        )
    if card.normalisation != ends.normalisation:
        raise ForeignWeightsError(
            f"trained for pictures normalised as {card.normalisation!r}, this version makes "
            f"{ends.normalisation!r}: export the weights with the same version as this one"
        )
    links = range(len(card.layers) - 1)
    expected: dict[str, tuple[int, ...]] = {
        f"weights_{index}": pair[::-1] for index, pair in enumerate(pairwise(card.layers))
    }
    has_biases = any(name.startswith("biases") for name in arrays)
    for vectors, there in (("biases", has_biases), ("scales", precision == "int8")):
        if there:
            expected |= {f"{vectors}_{index}": (card.layers[index + 1],) for index in links}
    shapes = {name: array.shape for name, array in arrays.items()}
    if not links or shapes != expected:
        raise WrongShapeWeightsError(
            f"its model card promises layers {card.layers}, its arrays are "
            + (", ".join(f"{name} {shape}" for name, shape in sorted(shapes.items())) or "none")
        )
    weights = [
        restore(KeptMatrix(arrays[f"weights_{index}"], arrays.get(f"scales_{index}"))) for index in links
    ]
    biases = [arrays[f"biases_{index}"].copy() for index in links] if has_biases else None
    for name, parts in (("weights", weights), ("biases", biases or [])):
        for index, part in enumerate(parts):
            _check_finite(f"{name}_{index}", part, "train the network again")
    try:
        return FeedForward(weights, biases, card.activation)
    except WrongShapeError as error:
        raise WrongShapeWeightsError(str(error)) from error
