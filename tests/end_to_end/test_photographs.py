"""Real photographs of handwritten digits, read with the weights that ship."""

import csv
import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

PHOTOS = ROOT.parent / "shared" / "photos"

# Of the 82 photographs and scans there.
NEEDED = 81


def test_photographs_are_read_right():
    if not PHOTOS.is_dir():
        pytest.skip(f"no photographs to read in {PHOTOS}")
    with (PHOTOS / "manifest.tsv").open() as manifest:
        labels = {
            str(PHOTOS / "img" / row["file"]): int(row["label"])
            for row in csv.DictReader(manifest, delimiter="\t")
            if row["kind"] in ("photo", "scan") and row["label"] != "none"
        }
    result = subprocess.run(
        [sys.executable, "-m", "edge", "classify", "--json", *labels],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    answers = {answer["path"]: answer["outputs"] for answer in map(json.loads, result.stdout.splitlines())}
    wrong = [
        path
        for path, label in labels.items()
        if answers[path] is None or answers[path].index(max(answers[path])) != label
    ]
    assert len(labels) == 82
    assert len(labels) - len(wrong) >= NEEDED, wrong
