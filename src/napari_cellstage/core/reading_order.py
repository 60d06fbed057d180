"""The order in which cells are visited: like lines of text, frame after frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable


def reading_order(cells: CellTable) -> NDArray[np.int64]:
    """Return the rows in reading order: by t, then in lines as high as a typical cell, each from left to right.

    Centroids are never equally high, so without lines the next cell would be far away most of the time.
    """
    line = np.floor(cells.y / max(1.0, cells.typical_diameter))
    return np.lexsort((cells.y, cells.x, line, cells.t))


def next_in_order(cells: CellTable, wanted: NDArray[np.bool_], after: int | None) -> int | None:
    """Return the next wanted row after a row, starting over at the end; None when no other is wanted.

    Parameters
    ----------
    cells
        The table.
    wanted
        ``(N,)`` bool.
    after
        Row to start from, left out itself; None for the beginning.
    """
    order = rows_after(cells, after)
    order = order[order != after] if after is not None else order
    hits = order[wanted[order]]
    return int(hits[0]) if len(hits) else None


def rows_after(cells: CellTable, after: int | None) -> NDArray[np.int64]:
    """Return all rows in reading order, beginning after one, which comes last; None: from the beginning."""
    order = reading_order(cells)
    if after is None:
        return order
    start = int(np.flatnonzero(order == after)[0]) + 1
    return np.concatenate((order[start:], order[:start]))
