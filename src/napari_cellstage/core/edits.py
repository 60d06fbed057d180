"""The edits that change labels, cells and classes: done, undone and done again without limit.

An `Edit` names cells by ``(image_id, t, cell_id)``, never by row, so that it fits whatever the table looks like by
the time it is undone. What reaches the disk is in `core.journal`; what the user may do is in `session`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.marks import Marks, Names, Numbers, no_numbers

EditKind = Literal["label", "cells", "scheme"]
_JOINED = ("segmentations", "paint", "labels", "image_classes", "hidden", "batches")


@dataclass(frozen=True, eq=False)
class LabelChange:
    """Cells of one image that go from one class to another.

    Parameters
    ----------
    image_id
        The project's number of the image.
    t, cell_id, before, after
        ``(n,)`` int64; names of the cells and their class ids, 0 for not labelled.
    origin_before, origin_after
        ``(n,)`` int64; where the labels came from and come from now, as places in `ORIGINS`. Given by hand when empty.
    who
        The person for whom alone the cells have these classes; empty: all share them.
    """

    image_id: int
    t: Numbers
    cell_id: Numbers
    before: Numbers
    after: Numbers
    origin_before: Numbers = field(default_factory=no_numbers)
    origin_after: Numbers = field(default_factory=no_numbers)
    who: str = ""

    def __post_init__(self) -> None:
        for name in ("origin_before", "origin_after"):
            if len(getattr(self, name)) != len(self.t):
                object.__setattr__(self, name, np.zeros(len(self.t), dtype=np.int64))

    @classmethod
    def between(cls, image_id: int, before: Names | Marks, after: Names | Marks) -> Self:
        """Return the change that leads from some labels to others."""
        old, new = (one if isinstance(one, Marks) else Marks.of(one) for one in (before, after))
        t, ids = np.concatenate((old.t, new.t)), np.concatenate((old.cell_id, new.cell_id))
        names, place = np.unique(np.stack((t, ids)), axis=1, return_inverse=True)
        place = place.reshape(-1)
        sides = np.zeros((4, names.shape[1]), dtype=np.int64)
        for row, part, at in ((0, old, place[: len(old)]), (2, new, place[len(old) :])):
            sides[row, at], sides[row + 1, at] = part.class_id, part.origin
        differs = (sides[0] != sides[2]) | (sides[1] != sides[3])
        (was, was_from, now, now_from), (t, ids) = sides[:, differs], names[:, differs]
        return cls(image_id, t, ids, was, now, was_from, now_from)

    def inverse(self) -> Self:
        """Return the change that takes this one back."""
        return replace(
            self,
            before=self.after,
            after=self.before,
            origin_before=self.origin_after,
            origin_after=self.origin_before,
        )


class _Swapped:
    """A change that is taken back by swapping what was before and what is after."""

    before: Any
    after: Any

    def inverse(self) -> Self:
        """Return the change that takes this one back."""
        return replace(self, before=self.after, after=self.before)  # type: ignore[type-var]


@dataclass(frozen=True, eq=False)
class PaintChange(_Swapped):
    """A box of a version of a segmentation that is painted by hand.

    Parameters
    ----------
    image_id, version
        Which segmentation.
    t
        Time point.
    corner
        z, y, x of the first pixel of the box.
    before, after
        ``(dz, dy, dx)`` int64; cell ids of its pixels.
    """

    image_id: int
    version: int
    t: int
    corner: tuple[int, int, int]
    before: NDArray[np.int64]
    after: NDArray[np.int64]

    @property
    def touched(self) -> list[int]:
        """Ids of the cells that gain or lose pixels."""
        differs = self.before != self.after
        ids = np.union1d(self.before[differs], self.after[differs])
        return [int(i) for i in ids if i > 0]


@dataclass(frozen=True)
class SegmentationChange(_Swapped):
    """An image goes from one stored version of its segmentation to another; 0 is "none yet"."""

    image_id: int
    before: int
    after: int


@dataclass(frozen=True)
class ImageClassChange(_Swapped):
    """The class that all cells of an image have, those found later too, goes from one to another; 0 is none."""

    image_id: int
    before: tuple[int, int]  # class id and origin
    after: tuple[int, int]


@dataclass(frozen=True)
class HiddenChange(_Swapped):
    """An image is taken out of the project, hidden with all that is known of it, or comes back."""

    image_id: int
    before: bool
    after: bool


@dataclass(frozen=True)
class SchemeChange(_Swapped):
    """The class scheme goes from one to another."""

    before: ClassScheme
    after: ClassScheme


@dataclass(frozen=True, eq=False)
class Edit:
    """Everything that one act of the user changes; undone as one.

    Parameters
    ----------
    text
        What was done, as a menu would say it: "label 3 cells".
    kind
        What the act was about, for the journal.
    segmentations, paint, labels, image_classes, scheme, hidden
        The changes, made in this order.
    batches
        The journal's numbers of what was written for it; empty before that.
    """

    text: str
    kind: EditKind
    segmentations: tuple[SegmentationChange, ...] = ()
    paint: tuple[PaintChange, ...] = ()
    labels: tuple[LabelChange, ...] = ()
    image_classes: tuple[ImageClassChange, ...] = ()
    scheme: SchemeChange | None = None
    hidden: tuple[HiddenChange, ...] = ()
    batches: tuple[int, ...] = ()

    def inverse(self) -> Self:
        """Return the edit that takes this one back."""
        return replace(
            self,
            segmentations=tuple(c.inverse() for c in reversed(self.segmentations)),
            paint=tuple(c.inverse() for c in reversed(self.paint)),
            labels=tuple(c.inverse() for c in reversed(self.labels)),
            image_classes=tuple(c.inverse() for c in reversed(self.image_classes)),
            scheme=self.scheme.inverse() if self.scheme else None,
            hidden=tuple(c.inverse() for c in reversed(self.hidden)),
        )

    def then(self, later: Edit) -> Self:
        """Return one edit for this one and a later one, so that a stroke over many cells is one undo.

        Their changes are made in the order given above: both are of labels only, or of the cells of other images.
        """
        joined: dict[str, Any] = {name: getattr(self, name) + getattr(later, name) for name in _JOINED}
        return replace(self, **joined)

    @property
    def images_with_other_cells(self) -> tuple[int, ...]:
        """Images whose table of cells it changes, in order."""
        return tuple(sorted({c.image_id for c in self.segmentations} | {c.image_id for c in self.paint}))

    @property
    def image_ids(self) -> tuple[int, ...]:
        """Images it touches, in order."""
        named = {c.image_id for c in self.labels} | {c.image_id for c in self.image_classes}
        seen = {c.image_id for c in self.hidden}
        return tuple(sorted({*self.images_with_other_cells, *named, *seen}))


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
