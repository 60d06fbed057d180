"""Cells set aside to check the final model: how many, how far their labelling is, what the check says."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QMessageBox, QSpinBox, QVBoxLayout, QWidget

from napari_cellstage.session import Session
from napari_cellstage.session.audit import AuditState
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import button, hint, on_click, small_button

USUAL = 100
MOST = 100_000
SOON_MS = 150
NONE = (
    "Random cells that no training and no choice ever sees. Label them, and they tell how good the final model is, "
    "whichever cells you chose to label before."
)


class AuditBox(QWidget):
    """A number, a button, and how far it is.

    Parameters
    ----------
    session
        Whose cells.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._build()
        self._soon = QTimer(self)  # labelling must not wait for the score
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._soon.timeout.connect(self.refresh)
        for signal in (session.project_changed, session.images_changed, session.audit_changed):
            signal.connect(self.refresh)
        for later in (session.labels_changed, session.predictions_changed, session.cells_changed):
            later.connect(self._refresh_soon)
        self.refresh()

    def refresh(self, *_what: object) -> None:
        """Show what is set aside now; while nobody looks, images need not be read for it."""
        self._soon.stop()
        if not self.isVisible():
            return
        state, writable = self.session.audit_state(), not self.session.read_only
        self.set.setText("Set more aside" if state.count else "Set aside")
        self.set.setEnabled(writable and bool(self.session.images))
        self.count.setEnabled(self.set.isEnabled())
        self.clear.setVisible(state.count > 0)
        self.clear.setEnabled(writable)
        if self.count.value() < state.count:
            self.count.setValue(state.count)
        self.state.setText(self._state_text(state))

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Show what was labelled while nobody looked."""
        super().showEvent(event)
        self.refresh()

    def close_link(self) -> None:
        """Stop the timer."""
        self._soon.stop()

    def _build(self) -> None:
        self.count = QSpinBox()
        self.count.setRange(1, MOST)
        self.count.setValue(USUAL)
        self.count.setAccessibleName("How many cells are set aside")
        tip = "How many random cells of all images are set aside, in all."
        self.count.setToolTip(tip)
        self.set = button("Set aside", "Draw random cells. Those that are set aside already stay.")
        self.clear = small_button("Give back…", "Give all of them back to training.")
        self.state = hint("")
        row, layout = QHBoxLayout(), QVBoxLayout(self)
        row.addWidget(self.count)
        row.addWidget(self.set, 1)
        row.addWidget(self.clear)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel("Cells for the final check"))
        layout.addLayout(row)
        layout.addWidget(self.state)
        on_click(self.set, self._set)
        on_click(self.clear, self._clear)

    def _refresh_soon(self, *_what: object) -> None:
        if self.isVisible():
            self._soon.start()  # once more, so that it waits until the keys rest

    def _state_text(self, state: AuditState) -> str:
        if not state.count:
            return NONE
        gone = state.wanted - state.count
        lost = f" {gone} had to go with cells that were changed: set more aside in their place." if gone > 0 else ""
        if state.labelled < state.count:
            done = f"{state.labelled:,} of {state.count:,} labelled."
            done += " In step Label choose next: set aside, then N visits them."
        else:
            done = f"All {state.count:,} labelled."
        return f"{done}{lost}{self._score_text(state)}"

    def _score_text(self, state: AuditState) -> str:
        if not state.labelled:
            return ""
        scores = self.session.audit_scores()
        if scores is None:
            return " Train to see how the model does on them."
        told = "".join(f"<br>⚠ {escape(one)}" for one in scores.warnings)
        return f"<br>On them: accuracy <b>{scores.text}</b>.{told}"

    @showing_errors
    def _set(self) -> None:
        self.session.set_audit(self.count.value())

    @showing_errors
    def _clear(self) -> None:
        state = self.session.audit_state()
        text = (
            f"Give {state.count:,} cells back to training? A model that was trained on them can't be checked by them "
            f"any more; the {state.labelled:,} labels stay."
        )
        asked = QMessageBox.question(self, "Cells for the final check", text)
        if asked == QMessageBox.StandardButton.Yes:
            self.session.clear_audit()
