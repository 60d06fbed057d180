"""Labels and hand-drawn cells, carried from one segmentation of an image to the next by where the cells are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.annotations import Names
from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.core.drawn import nearest

Name = tuple[int, int]


@dataclass(frozen=True)
class CarryOver:
    """What became of the labels when a segmentation was replaced.

    Parameters
    ----------
    kept
        ``(t, cell_id)`` of labelled cells that have the same name in the new segmentation.
    moved
        Old and new name of labelled cells that have another.
    lost
        Labelled cells that nothing in the new segmentation overlaps. Their labels stay in the journal and come
        back with undo.
    """

    kept: tuple[Name, ...] = ()
    moved: tuple[tuple[Name, Name], ...] = ()
    lost: tuple[Name, ...] = ()

    @property
    def text(self) -> str:
        """One sentence for the user; empty when no label was there."""
        if not (self.kept or self.moved or self.lost):
            return ""
        safe = f"{len(self.kept) + len(self.moved)} labels went with their cells"
        if not self.lost:
            return f"{safe}; none was lost."
        return f"{safe}; {len(self.lost)} have no cell any more. Undo brings back the old cells and all labels."


def carry_labels(before: Labels | None, cells: CellTable, names: Names, after: Labels) -> tuple[Names, CarryOver]:
    """Give each label to the new cell that lies where its old cell was.

    That is the cell with more than half of the old cell's pixels, else the one at its centroid. When two old cells
    with different classes end in one new cell, the one that shares more pixels with it decides.

    Parameters
    ----------
    before, after
        ``(T, Z, Y, X)`` segmentations.
    cells, names
        Table and labels that go with `before`.

    Returns
    -------
    tuple of dict and CarryOver
        The labels by new name, and what became of each.
    """
    heirs = [(name, *_heir(before, cells, name, after)) for name in names]
    given: Names = {}
    pairs: list[tuple[Name, Name]] = []
    lost = [old for old, new, _ in heirs if new is None]
    for old, new, _ in sorted(heirs, key=lambda heir: -heir[2]):
        if new is not None and given.setdefault(new, names[old]) == names[old]:
            pairs.append((old, new))
        elif new is not None:
            lost.append(old)
    kept = tuple(old for old, new in pairs if old == new)
    return given, CarryOver(kept, tuple(pair for pair in pairs if pair[0] != pair[1]), tuple(sorted(lost)))


def _heir(before: Labels | None, cells: CellTable, name: Name, after: Labels) -> tuple[Name | None, int]:
    t, cell_id = name
    rows = np.flatnonzero((cells.t == t) & (cells.cell_id == cell_id))
    if before is None or not len(rows):
        return None, 0
    row = rows[0]
    z0, y0, x0, z1, y1, x1 = cells.bbox[row]
    box = (t, slice(z0, z1), slice(y0, y1), slice(x0, x1))
    new_id, shared = _best_overlap(before[box] == cell_id, after[box])
    if not new_id:
        centre = (t, nearest(cells.z[row]), nearest(cells.y[row]), nearest(cells.x[row]))
        new_id = int(after[centre])
    return ((t, new_id), shared) if new_id else (None, 0)


def _best_overlap(mask: NDArray[np.bool_], after: NDArray[np.integer[Any]]) -> tuple[int, int]:
    """Return the cell with most of the mask's pixels, 0 when that is half or less, and how many it shares."""
    ids, shared = np.unique(after[mask], return_counts=True)
    shared = np.where(ids == 0, 0, shared)
    if not len(ids) or 2 * shared.max() <= mask.sum():
        return 0, 0
    return int(ids[shared.argmax()]), int(shared.max())
