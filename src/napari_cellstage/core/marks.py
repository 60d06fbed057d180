"""Labels of cells by name: class, and where the label came from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.schema import ORIGINS

Names = dict[tuple[int, int], int]
"""Class id of labelled cells by ``(t, cell_id)``."""
Numbers = NDArray[np.int64]
HAND = 0
SETTLED = ORIGINS.index("settled")
_NAMES = np.array((*ORIGINS, ""))


def no_numbers() -> Numbers:
    """Return an empty column."""
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Marks:
    """Labels of cells by name, sorted by name.

    Parameters
    ----------
    t, cell_id
        ``(n,)`` int64; names of the cells.
    class_id
        ``(n,)`` int64; never 0.
    origin
        ``(n,)`` int64; places in `ORIGINS`.
    """

    t: Numbers = field(default_factory=no_numbers)
    cell_id: Numbers = field(default_factory=no_numbers)
    class_id: Numbers = field(default_factory=no_numbers)
    origin: Numbers = field(default_factory=no_numbers)

    def __len__(self) -> int:
        return len(self.t)

    @classmethod
    def of(cls, names: Names) -> Self:
        """Return labels given by hand."""
        named = sorted(names)
        columns = np.array(named, dtype=np.int64).reshape(-1, 2).T
        classes = np.array([names[name] for name in named], dtype=np.int64)
        return cls(columns[0], columns[1], classes, np.full(len(named), HAND))

    @classmethod
    def joined(cls, *parts: Marks) -> Self:
        """Return all of them, sorted."""
        t, ids, classes, origins = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("t", "cell_id", "class_id", "origin")
        )
        order = np.lexsort((ids, t))
        return cls(t[order], ids[order], classes[order], origins[order])

    def where(self, kept: NDArray[Any]) -> Self:
        """Return some of them, by mask or place."""
        return replace(self, t=self.t[kept], cell_id=self.cell_id[kept], class_id=self.class_id[kept],
                       origin=self.origin[kept])  # fmt: skip

    def names(self) -> Names:
        """Return class ids by name."""
        named = zip(self.t.tolist(), self.cell_id.tolist(), strict=True)
        return dict(zip(named, self.class_id.tolist(), strict=True))


def origin_names(class_ids: NDArray[np.int64], origins: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return where the label of each cell came from, one of `ORIGINS`; empty for a cell without label."""
    named: NDArray[np.str_] = _NAMES.take(np.where(class_ids == UNLABELLED, len(ORIGINS), origins))
    return named


def origin_number(origin: str) -> int:
    """Return the number of an origin in the database.

    Raises
    ------
    CellsError
        If there is no such origin.
    """
    if origin not in ORIGINS:
        raise CellsError(f"A label can't come from '{origin}'. Choose one of {', '.join(ORIGINS)}.")
    return ORIGINS.index(origin)
