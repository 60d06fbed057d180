"""Lists of cells worth a look: what each is, and which cells are in it, the most telling first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.confusion import judged
from napari_cellstage.core.review.orders import sort_rows
from napari_cellstage.core.review.table import ReviewTable

MOST = 1000  # cells in a list: nobody looks at more, and the first are what it is about


@dataclass(frozen=True)
class CellList:
    """A list of cells.

    Parameters
    ----------
    title
        What they have in common.
    why
        What looking at them is good for.
    order
        One of `core.review.orders.ORDERS`.
    belongs
        Which rows of a table are in it.
    """

    title: str
    why: str
    order: str
    belongs: Callable[[ReviewTable], NDArray[np.bool_]]

    def rows(self, table: ReviewTable) -> NDArray[np.int64]:
        """Return its rows, the first `MOST` in order."""
        there = np.flatnonzero(self.belongs(table))
        first: NDArray[np.int64] = there[sort_rows(table.take(there), self.order)][:MOST]
        return first

    def cells(self, table: ReviewTable) -> CellRefs:
        """Return its cells, the first `MOST` in order."""
        return table.cells.take(self.rows(table))

    def count(self, table: ReviewTable) -> int:
        """Return how many cells belong to it, also where not all are listed."""
        return int(self.belongs(table).sum())


def first_look(table: ReviewTable) -> tuple[CellRefs, str, str]:
    """Return what is worth a look before anything was chosen: all errors, else what the model is least sure of.

    Returns
    -------
    cells, title, order
        Without a title where nothing was predicted.
    """
    errors, unsure = LISTS[0], LISTS[1]
    for one, title in ((errors, "All errors"), (unsure, unsure.title)):
        if len(cells := one.cells(table)):
            count = one.count(table)
            return cells, title if count <= MOST else f"{title}, the first of {count:,}", one.order
    return CellRefs(), "", ""


def _wrong(table: ReviewTable) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = judged(table) & (table.label != table.predicted)
    return found


def _unlike(table: ReviewTable) -> NDArray[np.bool_]:
    return np.asarray(np.nan_to_num(table.unlike, nan=0.0) > 1)


def _unsure(table: ReviewTable) -> NDArray[np.bool_]:
    return np.isfinite(table.confidence)


LISTS = (
    CellList(
        "Top losses",
        "Labelled cells that the model gets most wrong: a wrong label, or a look it has not learned.",
        "loss",
        _wrong,
    ),
    CellList(
        "Least confident",
        "Cells whose class the model is least sure of: labels help most here.",
        "confidence",
        _unsure,
    ),
    CellList(
        "Most unlike the rest",
        "Cells unlike all that the model was trained on: debris, clumps, or a class that is missing.",
        "unlike",
        _unlike,
    ),
)
