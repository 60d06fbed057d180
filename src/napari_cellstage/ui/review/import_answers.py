"""Answers of several persons from tables: the button, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFileDialog, QSizePolicy, QVBoxLayout, QWidget

from napari_cellstage.session import Session
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import READ_ONLY, allow, hint, on_click, small_button

FILES = "Tables (*.csv *.tsv *.txt);;All files (*)"
TIP = (
    "Tables with the columns cell, person, answer, from any program. Cells are named as exports of this project name "
    "them (image, t, cell_id; or the file of an exported crop). They count as given blind: no label changes."
)


class ImportAnswers(QWidget):
    """What was taken and what was not; the button that asks for tables stands where there is room for it.

    Parameters
    ----------
    session
        Into which the answers go.

    Signals
    -------
    imported : there are new answers.
    """

    imported = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.button = small_button("Import answers…", TIP)
        self.button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.report = hint("")
        self.report.setTextFormat(Qt.TextFormat.PlainText)
        self.report.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.report.setAccessibleName("What became of the imported answers")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.report)
        on_click(self.button, self._ask)
        session.project_changed.connect(self._forget)
        self.refresh()

    def refresh(self) -> None:
        """Let it be pressed, or say why not."""
        session = self.session
        why = READ_ONLY if session.read_only else "" if session.images else "Open images with cells first."
        allow(self.button, why)
        self.button.setVisible(not session.blind)
        self.setVisible(not session.blind and bool(self.report.text()))

    @showing_errors
    def take(self, files: Sequence[str]) -> None:
        """Import tables, and say what became of them."""
        self._forget()
        found = self.session.import_answers(files)
        self.report.setText("\n".join(f"• {one}" for one in found.sentences))
        self.imported.emit()

    def _ask(self) -> None:
        files, _filter = QFileDialog.getOpenFileNames(self, "Import answers", "", FILES)
        if files:
            self.take(files)

    def _forget(self) -> None:
        self.report.clear()
        self.hide()
