"""Suspected label errors one after the other: accept the label, correct it, or skip."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import READ_ONLY, allow, hint, on_click, small_button
from napari_cellstage.ui.review.beside import Beside

TITLE = "Suspected label errors"


class SuspectBox(QWidget):
    """One suspected label and three buttons. The cell is selected, so that gallery and viewer show which.

    Signals
    -------
    changed : fewer or more are left, or it is known now how many.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.left = CellRefs()
        self.known = False  # whether it is known which are left
        self._at = 0
        self._finding = Beside("looking for labels that are probably wrong", self)
        self._finding.answered.connect(self._on_found)
        self.said = hint("")
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.accept = small_button("Label is right", "Keep the label; the cell is not suspected again.")
        self.correct = small_button("Correct", "Give the cell the class that the model predicts.")
        self.skip = small_button("Skip", "Leave it for now; it comes again when the project is opened again.")
        self.again = small_button("Skipped ones again", "Take up again what was skipped.")
        grid, layout = QGridLayout(), QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.said)
        layout.addLayout(grid)
        places = ((0, 0, 1, 2), (0, 2, 1, 1), (1, 0, 1, 3), (2, 0, 1, 3))
        for (one, action), place in zip(self._actions(), places, strict=True):
            grid.addWidget(one, *place)
            on_click(one, action)
        self.hide()

    def refresh(self) -> None:
        """Look again which are left, without keeping the window waiting."""
        unseen = None if self._session.blind else self._session.unseen()
        if unseen is None or not len(unseen):
            self._on_found(CellRefs())
        else:
            self._finding.ask(partial(_found, unseen))

    def close_link(self) -> None:
        """Wait for what is still being looked for."""
        self._finding.close_link()

    def begin(self) -> None:
        """Fill the gallery with them and begin with the first."""
        self._at = 0
        self._session.show_cells(self.left, TITLE, "suspicion")
        self.show()
        self._show_one()

    def end(self) -> None:
        """Put the box away."""
        self.hide()

    def _on_found(self, found: CellRefs) -> None:
        self.left, self.known = self._session.still_suspected(found), True
        if not self.isHidden():
            self._show_one()
        self.changed.emit()

    def _actions(self) -> tuple[tuple[QPushButton, Callable[[], object]], ...]:
        first = (self.accept, self._accept), (self.skip, self._skip)
        return (*first, (self.correct, self._correct), (self.again, self._unskip))

    @property
    def _one(self) -> CellRefs:
        return self.left.take(slice(self._at, self._at + 1))

    def _show_one(self) -> None:
        self._at = min(self._at, max(len(self.left) - 1, 0))
        there = len(self._one) > 0
        for one in (self.accept, self.correct, self.skip):
            one.setVisible(there)
        for one in (self.accept, self.correct):
            allow(one, READ_ONLY if self._session.read_only else "")
        self.again.setVisible(len(self._session.skipped) > 0)
        if not there:
            self.said.setText("No suspected label is left.")
            return
        label, predicted, confidence = self._known()
        self.said.setText(
            f"{self._at + 1} of {len(self.left):,}: labelled {label}, predicted {predicted} ({confidence:.2f})"
        )
        self.correct.setText(f"Correct to {self.fontMetrics().elidedText(predicted, Qt.TextElideMode.ElideRight, 180)}")
        self._session.choose(self._one)

    def _known(self) -> tuple[str, str, float]:
        table = self._session.review_table()
        row = int(self._one.places_in(table.cells)[0])
        names = {one.id: one.name for one in table.classes} | {0: "not shown"}
        confidence = float(np.nan_to_num(table.confidence[row]))
        return names[int(table.label[row])], names[int(table.predicted[row])], confidence

    @showing_errors
    def _accept(self) -> None:
        self._session.accept_labels(self._one)
        self._drop()

    @showing_errors
    def _skip(self) -> None:
        self._session.skip_suspects(self._one)
        self._drop()

    @showing_errors
    def _correct(self) -> None:
        table = self._session.review_table()
        class_id = int(table.predicted[int(self._one.places_in(table.cells)[0])])
        if class_id:
            self._session.label_refs(self._one, class_id, origin="review")
        self._drop()

    @showing_errors
    def _unskip(self) -> None:
        self._session.unskip_suspects()
        self.left = self._session.suspects()
        self._at = 0
        self._show_one()
        self.changed.emit()

    def _drop(self) -> None:
        """Go on with the next, without estimating anew which labels are suspicious."""
        self.left = self.left.take(np.arange(len(self.left)) != self._at)
        self._show_one()
        self.changed.emit()


def _found(unseen: Unseen) -> CellRefs:
    from napari_cellstage.core.review.suspects import find_errors

    return unseen.cells.take(find_errors(unseen))
