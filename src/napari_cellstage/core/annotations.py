"""Which class each cell has, and the edits that change it: done, undone and done again without limit.

An `Edit` names cells by ``(image_id, t, cell_id)``, never by row, so that it fits whatever the table looks like by
the time it is undone. What reaches the disk is in `core.journal`; what the user may do is in `session`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.core.classes import UNLABELLED, ClassScheme

EditKind = Literal["label", "cells", "scheme"]
Names = dict[tuple[int, int], int]
"""Class id of labelled cells by ``(t, cell_id)``."""

# Frames above cell ids in one integer, so that cells are found by a binary search instead of a dict of 100,000 tuples.
_ID_BITS = 40


@dataclass(frozen=True, eq=False)
class LabelChange:
    """Cells of one image that go from one class to another.

    Parameters
    ----------
    image_id
        The project's number of the image.
    t, cell_id, before, after
        ``(n,)`` int64; names of the cells and their class ids, 0 for not labelled.
    """

    image_id: int
    t: NDArray[np.int64]
    cell_id: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]

    @classmethod
    def between(cls, image_id: int, before: Names, after: Names) -> LabelChange:
        """Return the change that leads from some labels to others."""
        names = sorted(name for name in before.keys() | after.keys() if before.get(name, 0) != after.get(name, 0))
        ids = [(before.get(name, UNLABELLED), after.get(name, UNLABELLED)) for name in names]
        named = np.array(names, dtype=np.int64).reshape(-1, 2)
        classes = np.array(ids, dtype=np.int64).reshape(-1, 2)
        return cls(image_id, named[:, 0], named[:, 1], classes[:, 0], classes[:, 1])

    def inverse(self) -> LabelChange:
        """Return the change that takes this one back."""
        return replace(self, before=self.after, after=self.before)


@dataclass(frozen=True)
class DrawnCell:
    """A cell the user added by hand: a disc of `diameter` pixels in one plane."""

    cell_id: int
    t: int
    z: int
    y: float
    x: float
    diameter: float


@dataclass(frozen=True)
class DrawnChange:
    """A hand-drawn cell that appears on (or, when not `present`, vanishes from) a version of a segmentation."""

    image_id: int
    version: int
    cell: DrawnCell
    present: bool = True

    def inverse(self) -> DrawnChange:
        """Return the change that takes this one back."""
        return replace(self, present=not self.present)


@dataclass(frozen=True)
class SegmentationChange:
    """An image goes from one stored version of its segmentation to another; 0 is "none yet"."""

    image_id: int
    before: int
    after: int

    def inverse(self) -> SegmentationChange:
        """Return the change that takes this one back."""
        return replace(self, before=self.after, after=self.before)


@dataclass(frozen=True)
class SchemeChange:
    """The class scheme goes from one to another."""

    before: ClassScheme
    after: ClassScheme

    def inverse(self) -> SchemeChange:
        """Return the change that takes this one back."""
        return replace(self, before=self.after, after=self.before)


@dataclass(frozen=True, eq=False)
class Edit:
    """Everything that one act of the user changes; undone as one.

    Parameters
    ----------
    text
        What was done, as a menu would say it: "label 3 cells".
    kind
        What the act was about, for the journal.
    segmentations, drawn, labels, scheme
        The changes, made in this order.
    batches
        The journal's numbers of what was written for it; empty before that.
    """

    text: str
    kind: EditKind
    segmentations: tuple[SegmentationChange, ...] = ()
    drawn: tuple[DrawnChange, ...] = ()
    labels: tuple[LabelChange, ...] = ()
    scheme: SchemeChange | None = None
    batches: tuple[int, ...] = ()

    def inverse(self) -> Edit:
        """Return the edit that takes this one back."""
        return replace(
            self,
            segmentations=tuple(c.inverse() for c in reversed(self.segmentations)),
            drawn=tuple(c.inverse() for c in reversed(self.drawn)),
            labels=tuple(c.inverse() for c in reversed(self.labels)),
            scheme=self.scheme.inverse() if self.scheme else None,
        )

    def then(self, later: Edit) -> Edit:
        """Return one edit for this label edit and a later one, so that a stroke over many cells is one undo."""
        return replace(self, labels=self.labels + later.labels, batches=self.batches + later.batches)

    @property
    def images_with_other_cells(self) -> tuple[int, ...]:
        """Images whose table of cells it changes, in order."""
        return tuple(sorted({c.image_id for c in self.segmentations} | {c.image_id for c in self.drawn}))

    @property
    def image_ids(self) -> tuple[int, ...]:
        """Images it touches, in order."""
        return tuple(sorted({*self.images_with_other_cells, *(c.image_id for c in self.labels)}))


class History:
    """What can be undone and done again. Asking and stepping are apart, as the disk comes in between."""

    def __init__(self) -> None:
        self._done: list[Edit] = []
        self._undone: list[Edit] = []

    @property
    def last(self) -> Edit | None:
        """The edit that undo would take back."""
        return self._done[-1] if self._done else None

    @property
    def next(self) -> Edit | None:
        """The edit that redo would do again."""
        return self._undone[-1] if self._undone else None

    def push(self, edit: Edit, joins_last: bool = False) -> None:
        """Add an edit that was made; what had been undone can't be done again after it."""
        if joins_last and self._done and not self._undone:
            self._done[-1] = self._done[-1].then(edit)
        else:
            self._done.append(edit)
        self._undone.clear()

    def step_back(self) -> None:
        """Note that `last` was taken back."""
        self._undone.append(self._done.pop())

    def step_forward(self) -> None:
        """Note that `next` was made again."""
        self._done.append(self._undone.pop())


class AnnotatedImage:
    """The cells of one image and the class of each.

    Parameters
    ----------
    labels
        ``(T, Z, Y, X)`` segmentation with the hand-drawn cells in it, or None when there is none yet.
    cells
        One row a cell.
    names
        Labels by name; those of cells that are not in the table are kept as `strays`.
    version
        Which stored segmentation this is.
    """

    def __init__(self, labels: Labels | None, cells: CellTable, names: Names, version: int) -> None:
        self.labels = labels
        self.cells = cells
        self.version = version
        self.lent = False  # a snapshot holds `labels`: copy before writing
        self.class_ids = np.zeros(len(cells), dtype=np.int64)
        self.strays: Names = {}
        self._index()
        self._place(names)

    @classmethod
    def empty(cls) -> AnnotatedImage:
        """Return an image without cells."""
        return cls(None, CellTable.empty(), {}, 0)

    def rows_of(self, t: NDArray[np.integer[Any]], cell_id: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the rows of named cells, -1 where there is no such cell."""
        wanted = (np.asarray(t, dtype=np.int64) << _ID_BITS) + np.asarray(cell_id, dtype=np.int64)
        if not len(self._keys):
            return np.full(len(wanted), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        return np.where(self._keys[places] == wanted, self._order[places], -1)

    def row_at(self, t: float, z: float, y: float, x: float) -> int | None:
        """Return the row of the cell at a place, or None for background and outside."""
        place = tuple(int(np.floor(c + 0.5)) for c in (t, z, y, x))
        if self.labels is None or not all(0 <= p < n for p, n in zip(place, self.labels.shape, strict=True)):
            return None
        cell_id = int(self.labels[place])
        row = int(self.rows_of(np.array([place[0]]), np.array([cell_id]))[0]) if cell_id else -1
        return row if row >= 0 else None

    @property
    def shown_ids(self) -> NDArray[np.int64]:
        """`class_ids` as a live view that can't be written to."""
        view = self.class_ids.view()
        view.flags.writeable = False
        return view

    def names(self) -> Names:
        """Return all labels by name, strays too."""
        rows = np.flatnonzero(self.class_ids)
        named = zip(self.cells.t[rows].tolist(), self.cells.cell_id[rows].tolist(), strict=True)
        return dict(zip(named, self.class_ids[rows].tolist(), strict=True)) | self.strays

    def change(self, rows: NDArray[np.integer[Any]], class_id: int, image_id: int) -> LabelChange | None:
        """Return the change that gives rows a class, or None when all have it."""
        rows = rows[self.class_ids[rows] != class_id]
        if not len(rows):
            return None
        t, ids = self.cells.t[rows].astype(np.int64), self.cells.cell_id[rows].astype(np.int64)
        return LabelChange(image_id, t, ids, self.class_ids[rows], np.full(len(rows), class_id, dtype=np.int64))

    def apply(self, change: LabelChange) -> NDArray[np.int64]:
        """Make a change of labels; return the rows that changed."""
        return self._put(change.t, change.cell_id, change.after)

    def replace(self, labels: Labels | None, cells: CellTable, version: int) -> None:
        """Put another segmentation in place; labels stay with their names until a change says otherwise."""
        rows = np.flatnonzero(self.class_ids)
        t, ids, classes = self.cells.t[rows].astype(np.int64), self.cells.cell_id[rows], self.class_ids[rows]
        strays = self.strays
        self.labels, self.cells, self.version, self.lent = labels, cells, version, False
        self.class_ids = np.zeros(len(cells), dtype=np.int64)
        self._index()
        self._place(strays)
        self._put(t, ids, classes)

    def _index(self) -> None:
        keys = (self.cells.t.astype(np.int64) << _ID_BITS) + self.cells.cell_id
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def _place(self, names: Names) -> None:
        named = np.array(list(names), dtype=np.int64).reshape(-1, 2)
        self.strays = {}
        self._put(named[:, 0], named[:, 1], np.array(list(names.values()), dtype=np.int64))

    def _put(self, t: NDArray[np.int64], cell_id: NDArray[np.int64], class_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        rows = self.rows_of(t, cell_id)
        here = rows >= 0
        self.class_ids[rows[here]] = class_ids[here]
        if not here.all():
            gone = zip(t[~here].tolist(), cell_id[~here].tolist(), class_ids[~here].tolist(), strict=True)
            self.strays |= {(t, cell_id): class_id for t, cell_id, class_id in gone}
            self.strays = {name: class_id for name, class_id in self.strays.items() if class_id != UNLABELLED}
        return rows[here]
