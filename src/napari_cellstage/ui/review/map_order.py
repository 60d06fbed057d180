"""The order of cells behind a colour of the map: worked out beside, and again when labels or places have changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import QObject, Signal

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.review.pseudotime_score import CellOrder
from napari_cellstage.core.review.table import Floats, ReviewTable
from napari_cellstage.session import Session
from napari_cellstage.ui.review.beside import Beside

WORKING = "The order of the cells is being worked out."


class MapOrder(QObject):
    """Knows the order of the cells of one table at a time.

    Parameters
    ----------
    session
        Whose cells.

    Signals
    -------
    found : there is something new to show.
    """

    found = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._table: ReviewTable | None = None  # that was asked about
        self._order: CellOrder | None = None
        self._problem = ""
        self._beside = Beside("ordering the cells", self)
        self._beside.answered.connect(self._on_answered)

    def of(self, table: ReviewTable) -> Floats | None:
        """Return the place of each cell, 0 to 1; None while it is being worked out, which begins when first asked."""
        if self._table is not table:
            self._ask(table)
        fits = self._order is not None and len(self._order.time) == len(table)
        return self._order.time if fits and self._order is not None else None

    @property
    def is_found(self) -> bool:
        """Whether there is an order to speak of."""
        return self._order is not None

    @property
    def text(self) -> str:
        """What there is to say of the order: its score, or why there is none."""
        if self._problem:
            return self._problem
        return WORKING if self._order is None else self._order.text

    @property
    def short(self) -> str:
        """The score on one line, empty where there is none."""
        return "" if self._order is None or self._order.score is None else self._order.score.short

    def close_link(self) -> None:
        """Let go of what is being worked out."""
        self._beside.close_link()
        self._table = self._order = None

    def _ask(self, table: ReviewTable) -> None:
        same = self._table is not None and self._table.same_places(table)
        if not same:
            self._order, self._problem = None, ""
        self._table = table
        known = None if self._order is None else self._order.found
        try:
            question = self._session.cell_order(known)
        except CellStageError as error:
            self._problem = str(error)
            return
        self._beside.ask(partial(_answer, question, table))

    def _on_answered(self, answer: tuple[ReviewTable, CellOrder | str]) -> None:
        table, said = answer
        if table is not self._table:
            return  # the cells are others by now
        self._order, self._problem = (None, said) if isinstance(said, str) else (said, "")
        self.found.emit()


def _answer(question: Callable[[], CellOrder], table: ReviewTable) -> tuple[ReviewTable, CellOrder | str]:
    """Return the order, or in words why there is none: too few cells are no reason for a notice."""
    try:
        return table, question()
    except CellStageError as error:
        return table, str(error)
