"""Boxes of a segmentation painted by hand, replayed onto its table. What is painted is in `hand_cells`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.edits import PaintChange
from napari_cellstage.core.volumes import LabelVolume

Corner = tuple[int, int, int]


def paint(labels: LabelVolume, cells: CellTable, changes: Iterable[PaintChange]) -> CellTable:
    """Paint boxes, in order, and return the table with the cells measured anew that gained or lost pixels.

    The table is sorted by t, then cell id, as a table that is measured from pixels is.
    """
    changes = tuple(changes)
    for change in changes:
        labels.paint(change.t, change.corner, change.after)
    for change in changes:
        cells = cells.remeasured(labels, change.t, change.touched, _ends(change))
    return cells.take(np.lexsort((cells.cell_id, cells.t))) if changes else cells


def box_of(labels: LabelVolume, cells: CellTable, row: int) -> tuple[Corner, NDArray[np.int64]]:
    """Return the corner z, y, x of a cell's box, and the ids of the pixels in it, ``(dz, dy, dx)`` int64."""
    z0, y0, x0, z1, y1, x1 = cells.bbox[row].tolist()
    window = labels[int(cells.t[row]), z0:z1, y0:y1, x0:x1]
    return (z0, y0, x0), np.asarray(window).astype(np.int64)


def by_hand(cells: CellTable, base: CellTable) -> NDArray[np.int64]:
    """Return the rows of cells that are not as the stored segmentation has them: drawn, merged or split."""
    where = [base.row(t, cell_id) for t, cell_id in zip(cells.t.tolist(), cells.cell_id.tolist(), strict=True)]
    before = np.array([-1 if row is None else row for row in where], dtype=np.int64)
    same = before >= 0
    for name in ("area", "y", "x", "z"):
        new, old = getattr(cells, name), getattr(base, name)
        same[same] = new[same] == old[before[same]]
    return np.flatnonzero(~same)


def _ends(change: PaintChange) -> tuple[int, int, int, int, int, int]:
    z, y, x = change.corner
    depth, height, width = change.after.shape
    return z, y, x, z + depth, y + height, x + width
