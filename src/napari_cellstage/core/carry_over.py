"""Labels and hand-drawn cells, carried from one segmentation of an image to the next by where the cells are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.annotations import AnnotatedImage, Names
from napari_cellstage.core.cells import Labels

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


def carry_labels(image: AnnotatedImage, after: Labels) -> tuple[Names, CarryOver]:
    """Give each label to the new cell that lies where its old cell was.

    That is the cell with more than half of the old cell's pixels, else the one at its centroid. When two old cells
    with different classes end in one new cell, the one that shares more pixels with it decides.

    Parameters
    ----------
    image
        The cells and labels as they are.
    after
        ``(T, Z, Y, X)``, the new segmentation.

    Returns
    -------
    tuple of dict and CarryOver
        The labels by new name, and what became of each.
    """
    names = image.names()
    rows = np.flatnonzero(image.class_ids)
    heirs, shared = _heirs(image, rows, after)
    given: Names = {}
    pairs: list[tuple[Name, Name]] = []
    lost = list(image.strays)
    for place in np.argsort(-shared, kind="stable").tolist():
        old = (int(image.cells.t[rows[place]]), int(image.cells.cell_id[rows[place]]))
        new = (old[0], int(heirs[place]))
        if new[1] and given.setdefault(new, names[old]) == names[old]:
            pairs.append((old, new))
        else:
            lost.append(old)
    kept = tuple(old for old, new in pairs if old == new)
    return given, CarryOver(kept, tuple(pair for pair in pairs if pair[0] != pair[1]), tuple(sorted(lost)))


def _heirs(
    image: AnnotatedImage, rows: NDArray[np.int64], after: Labels
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each row the new cell that follows it, 0 for none, and how many pixels they share."""
    heirs, shared = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    if image.labels is None:
        return heirs, shared
    for t in np.unique(image.cells.t[rows]):
        here = np.flatnonzero(image.cells.t[rows] == t)
        ids = image.cells.cell_id[rows[here]]
        heirs[here], shared[here] = _most_overlapping(image.labels[t], ids, after[t])
    cells, unclear = image.cells, np.flatnonzero(heirs == 0)
    z, y, x = (np.floor(c[rows[unclear]] + 0.5).astype(np.int64) for c in (cells.z, cells.y, cells.x))
    heirs[unclear] = after[cells.t[rows[unclear]], z, y, x]
    return heirs, shared


def _most_overlapping(
    before: Labels, ids: NDArray[np.int64], after: Labels
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each of some cells of a frame the new cell with over half of its pixels, 0 for none, and how many."""
    heirs, shared = np.zeros(len(ids), dtype=np.int64), np.zeros(len(ids), dtype=np.int64)
    order = np.argsort(ids)
    places = np.flatnonzero(before)
    old, new = before.ravel()[places], after.ravel()[places].astype(np.int64)
    which = np.minimum(np.searchsorted(ids[order], old), len(ids) - 1)
    wanted = ids[order][which] == old
    which, new = order[which[wanted]], new[wanted]
    area = np.bincount(which, minlength=len(ids))
    base = int(new.max(initial=0)) + 1
    pairs, count = np.unique((which * base + new)[new > 0], return_counts=True)
    cell, heir = np.divmod(pairs, base)
    most = 2 * count > area[cell]  # so at most one for each cell
    heirs[cell[most]], shared[cell[most]] = heir[most], count[most]
    return heirs, shared
