"""Labels and cells made by hand, carried from one segmentation of an image to the next by where the cells are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.edits import PaintChange
from napari_cellstage.core.marks import Marks, Numbers
from napari_cellstage.core.overlaps import overlaps
from napari_cellstage.core.painting import box_of, by_hand
from napari_cellstage.core.volumes import LabelVolume, blocks_of

Name = tuple[int, int]
Place = tuple[int, float, float, float]
_SIDE = 2048


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
    places
        t, z, y, x where each labelled cell was, by its old name; those of unknown place are not in it.
    classes
        Class id each labelled cell had, by its old name.
    """

    kept: tuple[Name, ...] = ()
    moved: tuple[tuple[Name, Name], ...] = ()
    lost: tuple[Name, ...] = ()
    places: dict[Name, Place] | None = None
    classes: dict[Name, int] | None = None

    @property
    def text(self) -> str:
        """One sentence for the user; empty when no label was there."""
        if not (self.kept or self.moved or self.lost):
            return ""
        safe = f"{len(self.kept) + len(self.moved)} labels went with their cells"
        if not self.lost:
            return f"{safe}; none was lost."
        return f"{safe}; {len(self.lost)} have no cell any more. Undo brings back the old cells and all labels."


def carry_labels(image: AnnotatedImage, after: LabelVolume) -> tuple[Marks, CarryOver]:
    """Give each label to the new cell that lies where its old cell was.

    That is the cell with more than half of the old cell's pixels, else the one at its centroid. When two old cells
    with different classes end in one new cell, the one that shares more pixels with it decides.

    Parameters
    ----------
    image
        The cells and labels as they are.
    after
        ``(T, Z, Y, X)``, the new segmentation; read where labelled cells are.

    Returns
    -------
    tuple of Marks and CarryOver
        The labels by new name, and what became of each.
    """
    rows = np.flatnonzero(image.class_ids)
    cells = image.cells
    heirs, shared = _heirs(image, rows, after)
    given: dict[Name, tuple[int, int]] = {}
    pairs: list[tuple[Name, Name]] = []
    lost = list(image.strays.names())
    for place in np.argsort(-shared, kind="stable").tolist():
        row = rows[place]
        old = (int(cells.t[row]), int(cells.cell_id[row]))
        new = (old[0], int(heirs[place]))
        mark = (int(image.class_ids[row]), int(image.origins[row]))
        if new[1] and given.setdefault(new, mark)[0] == mark[0]:
            pairs.append((old, new))
        else:
            lost.append(old)
    kept = tuple(sorted(old for old, new in pairs if old == new))
    moved = tuple(sorted(pair for pair in pairs if pair[0] != pair[1]))
    where = zip(*(getattr(cells, name)[rows].tolist() for name in ("t", "cell_id", "z", "y", "x")), strict=True)
    places = {(t, cell_id): (t, z, y, x) for t, cell_id, z, y, x in where}
    return _marks(given), CarryOver(kept, moved, tuple(sorted(lost)), places, image.names())


def heirs_of(image: AnnotatedImage, names: Sequence[Name], after: LabelVolume) -> list[Name | None]:
    """Return for each named cell the one of another segmentation that lies where it was; None where there is none.

    Parameters
    ----------
    image
        The cells as they were.
    names
        ``(t, cell_id)`` of some of them.
    after
        ``(T, Z, Y, X)``, the other segmentation.
    """
    t, ids = np.array(names, dtype=np.int64).reshape(-1, 2).T
    rows = image.rows_of(t, ids)
    here = rows >= 0
    found = np.zeros(len(rows), dtype=np.int64)
    found[here], _ = _heirs(image, rows[here], after)
    return [(int(when), int(one)) if one else None for when, one in zip(t, found, strict=True)]


def carry_hand_cells(
    image: AnnotatedImage, image_id: int, after: LabelVolume, version: int, highest: int
) -> tuple[tuple[PaintChange, ...], LabelVolume]:
    """Paint the cells made by hand that a new segmentation lacks onto it, pixel for pixel, under ids that are free.

    Parameters
    ----------
    image, image_id
        The cells as they are.
    after, version
        The new segmentation; a cell is lacking where that is background in its middle and over half of its pixels.
    highest
        The highest id in `after`.

    Returns
    -------
    tuple of PaintChange and LabelVolume
        What is painted, and the new segmentation with it.
    """
    changes: list[PaintChange] = []
    labels, volume = image.labels, after.frozen()
    if labels is None or image.cells is image.base:
        return (), volume
    for row in by_hand(image.cells, image.base):
        t = int(image.cells.t[row])
        corner, ids = box_of(labels, image.cells, int(row))
        mask = ids == image.cells.cell_id[row]
        before = np.asarray(volume[(t, *_spans(corner, ids.shape))]).astype(np.int64)
        if _is_lacking(mask, before):
            highest = max(highest + 1, int(image.cells.cell_id[row]))
            painted = np.where(mask & (before == 0), highest, before)
            changes.append(PaintChange(image_id, version, t, corner, before, painted))
            volume.paint(t, corner, painted)
    return tuple(changes), volume


def _is_lacking(mask: NDArray[np.bool_], before: NDArray[np.int64]) -> bool:
    middle = tuple(np.floor(np.argwhere(mask).mean(axis=0) + 0.5).astype(int))
    return not before[middle] and 2 * int(np.count_nonzero(before[mask])) <= int(mask.sum())


def _spans(corner: tuple[int, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(start, start + length) for start, length in zip(corner, shape, strict=True))


def _marks(given: dict[Name, tuple[int, int]]) -> Marks:
    marks = Marks.of({name: class_id for name, (class_id, _) in given.items()})
    return replace(marks, origin=np.array([given[name][1] for name in sorted(given)], dtype=np.int64))


def _heirs(image: AnnotatedImage, rows: Numbers, after: LabelVolume) -> tuple[Numbers, Numbers]:
    """Return for each row the new cell that follows it, 0 for none, and how many pixels they share."""
    heirs, shared = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    cells = image.cells
    if image.labels is None or not len(rows):
        return heirs, shared
    for t in np.unique(cells.t[rows]).tolist():
        here = np.flatnonzero(cells.t[rows] == t)
        heirs[here], shared[here] = _most_overlapping(image, rows[here], after, t)
    for place in np.flatnonzero(heirs == 0):
        row = rows[place]
        z, y, x = (int(np.floor(float(column[row]) + 0.5)) for column in (cells.z, cells.y, cells.x))
        heirs[place] = int(after[int(cells.t[row]), z, y, x])
    return heirs, shared


def _most_overlapping(image: AnnotatedImage, rows: Numbers, after: LabelVolume, t: int) -> tuple[Numbers, Numbers]:
    """Return for some cells of a frame the new cell with over half of its pixels, 0 for none, and how many."""
    pairs, count = _shared_pixels(image, rows, after, t)
    order = np.argsort(image.cells.cell_id[rows])
    ids = image.cells.cell_id[rows][order]
    place = np.minimum(np.searchsorted(ids, pairs[:, 0]), len(ids) - 1)
    cell = order[place]
    most = (ids[place] == pairs[:, 0]) & (2 * count > image.cells.area[rows[cell]])  # so at most one for each cell
    heirs, shared = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    heirs[cell[most]], shared[cell[most]] = pairs[most, 1], count[most]
    return heirs, shared


def _shared_pixels(image: AnnotatedImage, rows: Numbers, after: LabelVolume, t: int) -> tuple[Numbers, Numbers]:
    """Return which old and new cells lie on one another, and in how many pixels; block by block around the rows."""
    found = [(np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.int64))]
    boxes = image.cells.bbox[rows].astype(np.int64)
    for _, z, down, across in blocks_of((1, *after.shape[1:]), _SIDE):
        inside = (boxes[:, 0] <= z) & (boxes[:, 3] > z) & (boxes[:, 1] < down.stop) & (boxes[:, 4] > down.start)
        inside &= (boxes[:, 2] < across.stop) & (boxes[:, 5] > across.start)
        if inside.any() and image.labels is not None:
            before = np.asarray(image.labels[t, z, down, across])
            found.append(overlaps(before, np.asarray(after[t, z, down, across])))
    pairs, which = np.unique(np.concatenate([p for p, _ in found]), axis=0, return_inverse=True)
    return pairs, np.bincount(which.ravel(), np.concatenate([n for _, n in found]), len(pairs)).astype(np.int64)
