"""The confusion matrix with its switch between counts and per cent; a click fills the gallery."""

from __future__ import annotations

from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.confusion import Confusion, cells_of, entries_of, entry_title
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import hint
from napari_cellstage.ui.review.matrix import MatrixView
from napari_cellstage.ui.theme import PanelTheme


class MatrixPart(QWidget):
    """Rows are labels, columns predictions.

    Parameters
    ----------
    session
        Whose cells.
    theme
        Colours.
    """

    def __init__(self, session: Session, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.view = MatrixView(theme)
        self.per_cent = QCheckBox("% of row")
        self.per_cent.setToolTip("Show per cent of the cells with a label instead of how many there are.")
        self.per_cent.toggled.connect(self.view.show_per_cent)
        self.said = hint("label ↓   prediction →")
        row, layout = QHBoxLayout(), QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        row.addWidget(self.said, 1)
        row.addWidget(self.per_cent)
        layout.addLayout(row)
        layout.addWidget(self.view, 1)
        self.view.entry_wanted.connect(self._open)

    def refresh(self) -> None:
        """Count again."""
        scheme = self._session.scheme
        names, colors = {one.id: one.name for one in scheme}, {one.id: one.color for one in scheme}
        self.view.show_counts(Confusion.of(self._session.review_table()), names, colors)
        self.mark(self._session.chosen)

    def mark(self, chosen: CellRefs) -> None:
        """Outline the entries that chosen cells are in."""
        self.view.outline(entries_of(self._session.review_table(), chosen))

    @showing_errors
    def _open(self, label: int, predicted: int) -> None:
        cells = cells_of(self._session.review_table(), (label, predicted))
        names = {one.id: one.name for one in self._session.scheme}
        self._session.show_cells(cells, entry_title((label, predicted), names), "loss")
