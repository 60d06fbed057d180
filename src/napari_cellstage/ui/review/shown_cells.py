"""The cells of the gallery in the order they are shown in, with what is said of each. No widgets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.orders import AS_FOUND, ORDERS, sort_rows
from napari_cellstage.core.review.table import ReviewTable
from napari_cellstage.session import Session

SUSPICIOUS = 0.95  # of 1: those that are looked at first
_SAID = ("predicted", "runner_up", "confidence", "margin", "unlike")


@dataclass(eq=False)
class ShownCells:
    """One row a tile.

    Parameters
    ----------
    table
        What is said of each cell, in the order shown.
    label
        ``(N,)`` class ids of now; newer than those of the table while keys are pressed.
    accepted
        ``(N,)`` bool; the label is a prediction that the user accepted.
    first
        ``(N,)`` class ids when the cells were put into the gallery.
    """

    table: ReviewTable
    label: NDArray[np.int64]
    accepted: NDArray[np.bool_]
    first: NDArray[np.int64]

    @classmethod
    def of(cls, session: Session, cells: CellRefs, order: str) -> Self:
        """Look cells up and sort them; those that are not there any more are left out."""
        table = _of_cells(session.review_table(), cells)
        table = table.take(sort_rows(table, order if order in ORDERS else AS_FOUND))
        made = cls(table, table.label.copy(), np.zeros(len(table), dtype=bool), table.label.copy())
        made.accepted[:] = _accepted(session, made.cells)
        return made

    def __len__(self) -> int:
        return len(self.label)

    @property
    def cells(self) -> CellRefs:
        """The cells."""
        return self.table.cells

    @property
    def changed(self) -> NDArray[np.bool_]:
        """Which cells have another label than when they were put into the gallery."""
        return np.asarray(self.label != self.first)

    @property
    def suspicious(self) -> NDArray[np.bool_]:
        """Whose label is likely wrong, as long as it is the one that was found suspicious."""
        return np.asarray((np.nan_to_num(self.table.suspicion) >= SUSPICIOUS) & ~self.changed)

    @property
    def unlike(self) -> NDArray[np.bool_]:
        """Which are unlike the cells the model was trained on."""
        return np.asarray(np.nan_to_num(self.table.unlike) > 1)

    def name(self, place: int) -> tuple[int, int, int]:
        """Return image, t and cell id of one."""
        cells = self.cells
        return int(cells.image_id[place]), int(cells.t[place]), int(cells.cell_id[place])

    def look_up_labels(self, session: Session, image_id: int) -> None:
        """Take the labels of an image as they are now."""
        places = np.flatnonzero(self.cells.image_id == image_id)
        if not len(places):
            return
        some = self.cells.take(places)
        rows = session.rows_of(some)
        here = rows >= 0
        self.label[places[here]] = session.class_ids(image_id)[rows[here]]
        self.accepted[places] = _accepted(session, some)

    def refreshed(self, session: Session) -> ShownCells:
        """Return the same cells with what is said of them now, in the same order; those that are gone are left out.

        A cell that was labelled in the meantime is no longer predicted by a model that knows nothing of the label; as
        long as there is no other model, what was said of it before stays in sight.
        """
        kept = self._take(session.rows_of(self.cells) >= 0)
        new = _of_cells(session.review_table(), kept.cells)
        if new.run == self.table.run:
            silent = (new.predicted == UNLABELLED) & (kept.table.predicted != UNLABELLED) & kept.changed
            said: dict[str, Any] = {
                name: np.where(silent, getattr(kept.table, name), getattr(new, name)) for name in _SAID
            }
            new = replace(new, **said)
        return ShownCells(new, new.label.copy(), _accepted(session, new.cells), kept.first)

    def sorted(self, order: str) -> ShownCells:
        """Return the cells in another order."""
        return self._take(sort_rows(replace(self.table, label=self.label), order))

    def _take(self, rows: NDArray[Any]) -> ShownCells:
        return ShownCells(self.table.take(rows), self.label[rows], self.accepted[rows], self.first[rows])


def _of_cells(table: ReviewTable, cells: CellRefs) -> ReviewTable:
    """Return the rows of these cells; without what a tile does not show."""
    places = cells.places_in(table.cells)
    return replace(table, embedding=None).take(places[places >= 0])


def _accepted(session: Session, cells: CellRefs) -> NDArray[np.bool_]:
    accepted, rows = np.zeros(len(cells), dtype=bool), session.rows_of(cells)
    for image_id, places in cells.by_image().items():
        here = places[rows[places] >= 0]
        if len(here):
            accepted[here] = session.origins(image_id)[rows[here]] == "accepted"
    return accepted
