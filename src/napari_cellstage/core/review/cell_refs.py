"""`CellRefs`: cells of several images, by name, so that they stay right when rows move."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable

Numbers = NDArray[np.int64]


def _none() -> Numbers:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class CellRefs:
    """Cells, in an order that means something to whoever made it.

    Parameters
    ----------
    image_id, t, cell_id
        ``(N,)`` int64; the project's number of the image, the time point, the label value in the segmentation.
    """

    image_id: Numbers = field(default_factory=_none)
    t: Numbers = field(default_factory=_none)
    cell_id: Numbers = field(default_factory=_none)

    def __len__(self) -> int:
        return len(self.cell_id)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CellRefs):
            return NotImplemented
        return all(np.array_equal(getattr(self, one.name), getattr(other, one.name)) for one in fields(self))

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def of(cls, image_id: int, cells: CellTable, rows: NDArray[Any] | slice = slice(None)) -> Self:
        """Return rows of one image's table."""
        ids = cells.cell_id[rows].astype(np.int64)
        return cls(np.full(len(ids), image_id, dtype=np.int64), cells.t[rows].astype(np.int64), ids)

    @classmethod
    def joined(cls, parts: Iterable[CellRefs]) -> Self:
        """Return the cells of all parts, one part after the other."""
        kept = list(parts)
        return cls(*(np.concatenate([getattr(p, one.name) for p in kept] or [_none()]) for one in fields(cls)))

    def take(self, which: NDArray[Any] | slice) -> Self:
        """Return some of them, by place or mask, in that order."""
        return type(self)(self.image_id[which], self.t[which], self.cell_id[which])

    def isin(self, other: CellRefs) -> NDArray[np.bool_]:
        """Return ``(N,)`` bool: which of these are among others."""
        return np.isin(self.keys(), other.keys())

    def places_in(self, other: CellRefs) -> Numbers:
        """Return ``(N,)`` int64: at which place of `other` each of these is; -1 where it is not there."""
        theirs = other.keys()
        order = np.argsort(theirs, kind="stable")
        mine = self.keys()
        found = np.searchsorted(theirs[order], mine)
        found = np.minimum(found, max(len(theirs) - 1, 0))
        if not len(theirs):
            return np.full(len(self), -1, dtype=np.int64)
        places: Numbers = order[found]
        return np.where(theirs[places] == mine, places, -1)

    def by_image(self) -> dict[int, Numbers]:
        """Return for each image the places of its cells."""
        order = np.argsort(self.image_id, kind="stable")  # one look at the cells, however many images there are
        images, starts = np.unique(self.image_id[order], return_index=True)
        return dict(zip(images.tolist(), np.split(order, starts[1:]), strict=True)) if len(self) else {}

    def keys(self) -> NDArray[np.void]:
        """Return ``(N,)`` values that are equal where the cell is the same, and can be sorted."""
        packed = np.ascontiguousarray(np.stack([self.image_id, self.t, self.cell_id], axis=1), dtype=">i8")
        keys: NDArray[np.void] = packed.view("V24").reshape(-1)
        return keys
