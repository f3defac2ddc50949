"""Which pieces of ink are looked at."""

import numpy as np
import pytest
from scipy import ndimage

from shared.candidates import _mark_most_written


@pytest.mark.parametrize("kind", [np.bool_, np.uint8])
@pytest.mark.parametrize("seed", range(8))
def test_pieces_that_rows_enter_most_often_are_marked(kind, seed):
    random = np.random.default_rng(seed)
    mask = ndimage.gaussian_filter(random.normal(size=(40, 52)), 1.2) > random.uniform(-0.02, 0.15)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    entries = np.zeros(count + 1, int)
    for row in labels[::2]:  # a line that begins with ink enters it there, too
        for before, here in zip([0, *row], row, strict=False):
            entries[here] += 2 * (here > 0 and before == 0)
    fewest = 6
    wanted = sorted((each for each in entries if each >= fewest), reverse=True)[:6]
    marks = _mark_most_written(mask.astype(kind), fewest)
    marked = (
        [] if marks is None else [entries[labels[marks == bit][0]] for bit in np.unique(marks[marks > 0])]
    )
    assert sorted(marked, reverse=True) == wanted
    if marks is not None:
        for bit in np.unique(marks[marks > 0]):  # all of a piece, and of no other one
            assert len(np.unique(labels[marks == bit])) == 1
            assert (labels[marks == bit][0] == labels).sum() == (marks == bit).sum()
