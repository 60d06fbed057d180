"""The button of the Data step that opens the window "Export cells"."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_cellstage.session import Session
from napari_cellstage.ui.export_dialog import ExportDialog
from napari_cellstage.ui.pieces import button, on_click


class ExportButton(QWidget):
    """Opens the window; there while a project is open."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.dialog: ExportDialog | None = None
        self.button = button(
            "Export cells…", "Labels and predictions as a table, class folders, outlines for QuPath, or AnnData."
        )
        on_click(self.button, self.open)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        session.project_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show it as the session is now; the window belongs to one project."""
        self.button.setEnabled(self.session.project is not None)
        if self.dialog is not None and not self.dialog.runner.busy:
            self.dialog.close()
            self.dialog = None

    def open(self) -> None:
        """Open the window, or bring it to the front."""
        if self.dialog is None:
            self.dialog = ExportDialog(self.session, self)
        self.dialog.refresh()
        self.dialog.show()
        self.dialog.raise_()

    def close_link(self) -> None:
        """Stop what is being written, and close."""
        if self.dialog is not None:
            self.dialog.close_link()
            self.dialog.close()
