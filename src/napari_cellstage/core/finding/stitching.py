"""Putting cells that were found in overlapping blocks into one volume: each once and whole.

A cell belongs to the block in whose core its middle lies, and that block, reaching over its core by a margin, sees it
whole. Where two blocks do not quite agree on a cell, what an earlier block wrote counts. A cell larger than the margin
is seen whole by none: its parts are told by being cut off at the edge of a block, and become one by their overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.measuring import CellMeasures, parts_of
from napari_cellstage.core.volumes import LabelVolume

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Block:
    """A part of an image, with a core of its own and a margin that it shares with its neighbours.

    Parameters
    ----------
    t
        Time point.
    rows, columns
        The core; the cores cover the image once.
    outer_rows, outer_columns
        Core and margin.
    """

    t: int
    rows: slice
    columns: slice
    outer_rows: slice
    outer_columns: slice

    @property
    def corner(self) -> tuple[int, int, int]:
        """z, y, x of its first pixel."""
        return 0, self.outer_rows.start, self.outer_columns.start


@dataclass(frozen=True)
class _Found:
    """Cells found in a block, one entry a cell, in order of their ids 1..n there."""

    ids: Ints
    area: Ints
    mine: Mask  # the middle is in the core
    passed_over: Mask  # reaches into the core, with its middle where earlier blocks were
    cut: Mask  # ends at an edge of the block that is none of the image
    reaches_core: Mask


class Stitcher:
    """Writes the cells of blocks, which come row by row, into a volume on disk or in memory.

    Parameters
    ----------
    volume
        All background, made by `LabelVolume.create`.
    """

    def __init__(self, volume: LabelVolume) -> None:
        self.volume = volume
        self.last_id = 0
        self._measures = CellMeasures()
        self._cut: set[int] = set()
        self._same: dict[int, int] = {}

    def add(self, block: Block, found: NDArray[np.int32]) -> None:
        """Write what was found in a block.

        Parameters
        ----------
        block
            Where.
        found
            ``(Z, h, w)`` ids, core and margin.
        """
        found = _numbered(found)
        cells = _described(block, found, self.volume.shape[2:])
        if not len(cells.ids):
            return
        before = self.volume[block.t, :, block.outer_rows, block.outer_columns]
        new_ids = self._new_ids(cells, found, before)
        new = new_ids[found]
        new[before > 0] = 0
        self._measures.add(block.t, block.corner, new)
        self._write(block, np.where(new > 0, new, before), new > 0)

    def finish(self) -> LabelVolume:
        """Make one of what turned out to be one cell; return the volume, its table of cells with it."""
        cells = CellTable(**self._measures.columns(self.volume.shape[2:]))
        roots = {part: self._root(part) for part in self._same}
        for part, whole in roots.items():
            self._renumber(cells, part, whole)
        if roots:
            cells = CellTable(**self._measures.renamed(roots).columns(self.volume.shape[2:]))
        self.volume.finish()
        self.volume.cells = cells
        return self.volume

    def _new_ids(self, cells: _Found, found: NDArray[np.int32], before: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return which id of the volume each id of the block gets, 0 for none."""
        new_ids = np.zeros(len(cells.ids) + 1, dtype=np.int32)
        pairs, shared = _overlaps(found, before)
        taken = np.bincount(pairs[0], weights=shared, minlength=len(new_ids))[1:]
        parts = self._join_parts(cells, pairs, shared, before)
        free = 2 * taken <= cells.area
        wanted = cells.mine | (cells.passed_over & ~cells.cut) | (cells.cut & cells.reaches_core)
        fresh = cells.ids[wanted & free & ~np.isin(cells.ids, list(parts))]
        new_ids[fresh] = self.last_id + 1 + np.arange(len(fresh))
        self.last_id += len(fresh)
        new_ids[list(parts)] = list(parts.values())
        self._cut.update(new_ids[cells.ids[cells.cut & (new_ids[1:] > 0)]].tolist())
        return new_ids

    def _join_parts(self, cells: _Found, pairs: Ints, shared: Ints, before: NDArray[np.int32]) -> dict[int, int]:
        """Return cells of the block that are more of a cell that was cut off; those of several make them one."""
        parts: dict[int, int] = {}
        if not cells.cut.any() and not self._cut.intersection(pairs[1].tolist()):
            return parts
        seen, areas = np.unique(before, return_counts=True)
        for (cell, other), pixels in zip(pairs.T.tolist(), shared.tolist(), strict=True):
            is_part = cells.reaches_core[cell - 1] and (cells.cut[cell - 1] or other in self._cut)
            smaller = min(int(cells.area[cell - 1]), int(areas[np.searchsorted(seen, other)]))
            if is_part and 2 * pixels >= smaller:
                root = self._root(other)
                if parts.setdefault(cell, root) != root:
                    self._same[root] = parts[cell]
        return {cell: self._root(root) for cell, root in parts.items()}

    def _root(self, cell_id: int) -> int:
        while cell_id in self._same:
            cell_id = self._same[cell_id]
        return cell_id

    def _write(self, block: Block, values: NDArray[np.int32], changed: Mask) -> None:
        """Write the smallest box that holds all changes."""
        rows, columns = (np.flatnonzero(changed.any(axis=axes)) for axes in ((0, 2), (0, 1)))
        if len(rows):
            top, left = int(rows[0]), int(columns[0])
            box = values[:, top : rows[-1] + 1, left : columns[-1] + 1]
            self.volume.put(block.t, (0, block.corner[1] + top, block.corner[2] + left), box)

    def _renumber(self, cells: CellTable, part: int, whole: int) -> None:
        row = int(np.searchsorted(cells.cell_id, part))  # ids grow with time, so the whole table is sorted by them
        z0, y0, x0, z1, y1, x1 = cells.bbox[row].tolist()
        t = int(cells.t[row])
        box = self.volume[t, z0:z1, y0:y1, x0:x1]
        self.volume.put(t, (z0, y0, x0), np.where(box == part, whole, box))


def _numbered(found: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return labels with ids 1..n, as most are already."""
    counts = np.bincount(found.ravel())
    there = counts[1:] > 0
    return found if there.all() else np.concatenate(([0], np.cumsum(there))).astype(np.int32)[found]


def _described(block: Block, found: NDArray[np.int32], plane_shape: tuple[int, ...]) -> _Found:
    ids, sums = parts_of(found, block.corner)
    area, (y, x) = sums[:, 0], (sums[:, 2:4] / sums[:, :1]).T
    (top, left), (bottom, right) = sums[:, 5:7].T, sums[:, 8:10].T
    rows, columns, outer_rows, outer_columns = block.rows, block.columns, block.outer_rows, block.outer_columns
    before = (y < rows.start) | ((y < rows.stop) & (x < columns.start))
    reaches = (top < rows.stop) & (bottom > rows.start) & (left < columns.stop) & (right > columns.start)
    cut = (top == outer_rows.start) & (top > 0) | (left == outer_columns.start) & (left > 0)
    cut |= (bottom == outer_rows.stop) & (bottom < plane_shape[0])
    cut |= (right == outer_columns.stop) & (right < plane_shape[1])
    mine = (y >= rows.start) & (y < rows.stop) & (x >= columns.start) & (x < columns.stop)
    return _Found(ids, area.astype(np.int64), mine, before & reaches, cut, reaches)


def _overlaps(found: NDArray[np.int32], before: NDArray[np.int32]) -> tuple[Ints, Ints]:
    """Return which cells of a block share pixels with which cells that are there, ``(2, n)``, and how many."""
    both = (found > 0) & (before > 0)
    width = int(before.max(initial=0)) + 1
    keys, counts = np.unique(found[both].astype(np.int64) * width + before[both], return_counts=True)
    return np.stack(np.divmod(keys, width)), counts
