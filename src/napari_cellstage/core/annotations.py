"""The cells of one image in memory, and which class each has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.edits import LabelChange, PaintChange
from napari_cellstage.core.marks import HAND, SETTLED, Marks, Names, Numbers
from napari_cellstage.core.painting import paint
from napari_cellstage.core.volumes import LabelVolume

# Frames above cell ids in one integer, so that cells are found by a binary search instead of a dict of 100,000 tuples.
_ID_BITS = 40
Volume = LabelVolume | None


class AnnotatedImage:
    """The cells of one image and the class of each.

    Parameters
    ----------
    labels
        ``(T, Z, Y, X)`` segmentation with what was painted by hand in it, or None when there is none yet; or what
        reads it, called when it is first asked for.
    cells
        One row a cell.
    names
        Labels by name; those of cells that are not in the table are kept as `strays`.
    version
        Which stored segmentation this is.
    base
        The cells of the stored segmentation, before anything was painted; `cells` where None.
    """

    def __init__(
        self,
        labels: Volume | Callable[[], Volume],
        cells: CellTable,
        names: Names | Marks,
        version: int,
        base: CellTable | None = None,
    ) -> None:
        self._labels = labels
        self.cells = cells
        self.base = cells if base is None else base
        self.version = version
        self.class_ids = np.zeros(len(cells), dtype=np.int64)
        self.origins = np.zeros(len(cells), dtype=np.int64)
        self.strays = Marks()
        self.highest_id = int(max(self.base.cell_id.max(initial=0), cells.cell_id.max(initial=0)))
        self._index()
        self._put(names if isinstance(names, Marks) else Marks.of(names))

    @classmethod
    def empty(cls) -> AnnotatedImage:
        """Return an image without cells."""
        return cls(None, CellTable.empty(), {}, 0)

    @property
    def labels(self) -> Volume:
        """The segmentation, None when there is none."""
        if callable(self._labels):
            self._labels = self._labels()
            if self._labels is None:  # they can't be read, so nobody knows where the cells are
                self._take(CellTable.empty())
        return self._labels

    @property
    def bytes_held(self) -> int:
        """Bytes of pixels in memory; 0 when they are on the disk, or nobody has asked for them."""
        held = None if callable(self._labels) else self._labels
        return 0 if held is None or (held.on_disk and not held.painted) else held.nbytes

    def let_go(self, read: Callable[[], Volume]) -> None:
        """Put the pixels back: read them again when they are asked for."""
        self._labels = read

    def rows_of(self, t: NDArray[np.integer[Any]], cell_id: NDArray[np.integer[Any]]) -> Numbers:
        """Return the rows of named cells, -1 where there is no such cell."""
        wanted = (np.asarray(t, dtype=np.int64) << _ID_BITS) + np.asarray(cell_id, dtype=np.int64)
        if not len(self._keys):
            return np.full(len(wanted), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        return np.where(self._keys[places] == wanted, self._order[places], -1)

    def row_of(self, t: int, cell_id: int) -> int | None:
        """Return the row of a cell, None when there is no such cell."""
        row = int(self.rows_of(np.array([t]), np.array([cell_id]))[0])
        return row if row >= 0 else None

    def row_at(self, t: float, z: float, y: float, x: float) -> int | None:
        """Return the row of the cell at a place, or None for background and outside."""
        place = tuple(int(np.floor(c + 0.5)) for c in (t, z, y, x))
        labels = self.labels
        if labels is None or not all(0 <= p < n for p, n in zip(place, labels.shape, strict=True)):
            return None
        cell_id = int(labels[place])
        return self.row_of(place[0], cell_id) if cell_id else None

    @property
    def shown_ids(self) -> Numbers:
        """`class_ids` as a live view that can't be written to."""
        view = self.class_ids.view()
        view.flags.writeable = False
        return view

    def marks(self) -> Marks:
        """Return all labels by name, strays too."""
        return Marks.joined(self._marks_of(np.flatnonzero(self.class_ids)), self.strays)

    def names(self) -> Names:
        """Return the class of each labelled cell by name, strays too."""
        return self.marks().names()

    def change(
        self, rows: NDArray[np.integer[Any]], class_id: int, image_id: int, origin: int = HAND, restate: bool = False
    ) -> LabelChange | None:
        """Return the change that gives rows a class, or None when all have it.

        A label that was given with its well or track becomes the user's own when it is given by hand; so does one that
        is settled. With `restate` rows that have the class are in it too, as another person says the same; but
        not those that are settled.
        """
        before = self.origins[rows]
        confirmed = (before != origin) & (origin in (HAND, SETTLED)) & (before != SETTLED)
        again = (before != SETTLED) & restate
        rows = rows[(self.class_ids[rows] != class_id) | confirmed | again]
        if not len(rows):
            return None
        old = self._marks_of(np.asarray(rows, dtype=np.int64))
        new, source = np.full(len(rows), class_id), np.full(len(rows), origin if class_id else HAND)
        return LabelChange(image_id, old.t, old.cell_id, old.class_id, new, old.origin, source)

    def apply(self, change: LabelChange) -> Numbers:
        """Make a change of labels; return the rows that changed."""
        return self._put(Marks(change.t, change.cell_id, change.after, change.origin_after))

    def show(self, marks: Marks) -> None:
        """Put other labels in place of all there are."""
        self.class_ids[:], self.origins[:], self.strays = UNLABELLED, HAND, Marks()
        self._put(marks)

    def paint(self, changes: tuple[PaintChange, ...]) -> None:
        """Paint boxes, in order; labels stay with their names."""
        if self.labels is not None:
            self._take(paint(self.labels, self.cells, changes))
        self.never_again(changes)

    def never_again(self, changes: Iterable[PaintChange]) -> None:
        """Note the ids of cells that were painted once, so that none is given to another cell."""
        self.highest_id = max((self.highest_id, *(int(c.after.max(initial=0)) for c in changes)))

    def replace(self, labels: Volume | Callable[[], Volume], cells: CellTable, version: int, base: CellTable) -> None:
        """Put another segmentation in place; labels stay with their names until a change says otherwise."""
        self._labels, self.version, self.base = labels, version, base
        self.highest_id = int(max(base.cell_id.max(initial=0), cells.cell_id.max(initial=0)))
        self._take(cells)

    def _take(self, cells: CellTable) -> None:
        marks = self.marks()
        self.cells, self.strays = cells, Marks()
        self.class_ids = np.zeros(len(cells), dtype=np.int64)
        self.origins = np.zeros(len(cells), dtype=np.int64)
        self._index()
        self._put(marks)

    def _index(self) -> None:
        keys = (self.cells.t.astype(np.int64) << _ID_BITS) + self.cells.cell_id
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def _marks_of(self, rows: Numbers) -> Marks:
        t, ids = self.cells.t[rows].astype(np.int64), self.cells.cell_id[rows].astype(np.int64)
        return Marks(t, ids, self.class_ids[rows], self.origins[rows])

    def _put(self, marks: Marks) -> Numbers:
        """Give classes to named cells, 0 to clear; return the rows of those that are in the table."""
        rows = self.rows_of(marks.t, marks.cell_id)
        here = rows >= 0
        self.class_ids[rows[here]], self.origins[rows[here]] = marks.class_id[here], marks.origin[here]
        if not here.all():
            self._stray(marks.where(~here))
        return rows[here]

    def _stray(self, marks: Marks) -> None:
        named = set(zip(marks.t.tolist(), marks.cell_id.tolist(), strict=True))
        old = zip(self.strays.t.tolist(), self.strays.cell_id.tolist(), strict=True)
        kept = np.array([name not in named for name in old], dtype=bool)
        self.strays = Marks.joined(self.strays.where(kept), marks.where(marks.class_id != UNLABELLED))
