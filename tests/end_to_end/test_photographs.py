"""Real photographs of handwritten digits, and of what is none, read with the weights that ship."""

import csv
import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

PHOTOS = ROOT.parent / "shared" / "photos"

# Of those that are read right, as many percent are said.
SAID = 95


@pytest.fixture(scope="module")
def answers():
    """What the command says of each picture there, with the kind it is of and its label."""
    if not PHOTOS.is_dir():
        pytest.skip(f"no photographs to read in {PHOTOS}")
    with (PHOTOS / "manifest.tsv").open() as manifest:
        rows = {str(PHOTOS / "img" / row["file"]): row for row in csv.DictReader(manifest, delimiter="\t")}
    result = subprocess.run(
        [sys.executable, "-m", "edge", "classify", "--json", *rows],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return [(rows[answer["path"]], answer) for answer in map(json.loads, result.stdout.splitlines())]


def is_right(row, answer):
    outputs = answer["outputs"]
    return outputs is not None and outputs.index(max(outputs)) == int(row["label"])


@pytest.mark.parametrize(("kinds", "count", "needed"), [(("photo", "scan"), 82, 81), (("drawn",), 10, 9)])
def test_photographs_are_read_right_and_said(answers, kinds, count, needed):
    digits = [(row, one) for row, one in answers if row["label"] != "none" and row["kind"] in kinds]
    right = [(row, one) for row, one in digits if is_right(row, one)]
    assert len(digits) == count
    assert len(right) >= needed, [row["file"] for row, one in digits if not is_right(row, one)]
    silent = [row["file"] for row, one in right if one["digit"] is None]
    assert 100 * len(silent) <= (100 - SAID) * len(right), silent


def test_what_is_no_digit_is_not_said(answers):
    empty = [(row["file"], one["digit"]) for row, one in answers if row["label"] == "none"]
    assert len(empty) == 29
    assert [(file, digit) for file, digit in empty if digit is not None] == []
