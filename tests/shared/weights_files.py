"""Weights files made by hand: right ones, and wrong ones whose hash is right all the same."""

import io
import zipfile
from pathlib import Path

import numpy as np

from shared.weights import _hash, _pack


def seal(members: dict[str, bytes], **options) -> bytes:
    """Make a weights file of any members, with a hash that fits them."""
    content = io.BytesIO()
    members = {**members, "sha256.npy": _pack(np.frombuffer(_hash(members), np.uint8))}
    with zipfile.ZipFile(content, "w", **options) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


def open_members(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != "sha256.npy"}


def repack(file, **arrays):
    """A weights file with some of its arrays changed, and those that are None left out."""
    members = open_members(file)
    for name, array in arrays.items():
        members.pop(f"{name}.npy", None)
        if array is not None:
            members[f"{name}.npy"] = _pack(array)
    return seal(members)
