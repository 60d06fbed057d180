"""Which cells of two label images are the same: those that overlap by half of what both cover."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.overlaps import overlaps

SAME = 0.5


def matches(first: NDArray[Any], second: NDArray[Any], least: float = SAME) -> NDArray[np.int64]:
    """Return ``(M, 2)`` labels that are the same cell: intersection over union of at least a share.

    Each label is in one match at most; where a cell could have two, as with exactly half each, the sum of overlaps is
    as large as can be.

    Parameters
    ----------
    first, second
        Integers of one shape, 0 is background.
    least
        Share, from 0.5 on.
    """
    from scipy.optimize import linear_sum_assignment

    pairs, shared = overlaps(first, second)
    areas = [
        dict(zip(*(one.tolist() for one in np.unique(labels, return_counts=True)), strict=True))
        for labels in (first, second)
    ]
    union = np.array([areas[0][a] + areas[1][b] for a, b in pairs.tolist()], dtype=np.float64) - shared
    kept = shared / np.maximum(union, 1) >= least
    pairs, share = pairs[kept], (shared / np.maximum(union, 1))[kept]
    if not len(pairs):
        return np.zeros((0, 2), np.int64)
    (rows, row_of), (columns, column_of) = (np.unique(side, return_inverse=True) for side in pairs.T)
    table = np.zeros((len(rows), len(columns)))
    table[row_of, column_of] = share
    found = [(r, c) for r, c in zip(*linear_sum_assignment(table, maximize=True), strict=True) if table[r, c] > 0]
    return np.array([(rows[r], columns[c]) for r, c in found], np.int64)
