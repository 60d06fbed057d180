"""The window "Plate, wells, doses", and the line of the Data step that opens it."""

from __future__ import annotations

from qtpy.QtWidgets import QDialog, QHBoxLayout, QLabel, QMessageBox, QTabWidget, QVBoxLayout, QWidget

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.plates import guess
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import button, hint, on_click
from napari_cellstage.ui.plate_looks import summary
from napari_cellstage.ui.plate_map_part import MapPart
from napari_cellstage.ui.plate_names import NamesPart
from napari_cellstage.ui.plate_part import PlatePart
from napari_cellstage.ui.theme import PanelTheme


class PlateDialog(QDialog):
    """Facts of all images: from their names, from a plate map, or typed; and the plate they make."""

    def __init__(self, session: Session, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.setWindowTitle("Plate, wells, doses")
        self.resize(960, 640)
        self.names = NamesPart(session, theme)
        self.map = MapPart(session, theme)
        self.plate = PlatePart(session, theme)
        self.tabs = QTabWidget()
        self.tabs.addTab(self.names, "From file &names")
        self.tabs.addTab(self.map, "From a plate &map")
        self.tabs.addTab(self.plate, "The &plate")
        layout = QVBoxLayout(self)
        layout.addWidget(self.tabs, 1)
        layout.addLayout(self._build_buttons())
        self._parts: dict[int, NamesPart | MapPart] = {0: self.names, 1: self.map}
        for part in (self.names, self.map):
            part.changed.connect(self._refresh)
        self.tabs.currentChanged.connect(self._refresh)
        session.facts_changed.connect(self._refresh)
        if session.facts_all():
            self.tabs.setCurrentIndex(2)
        self._refresh()

    def close_links(self) -> None:
        """Let go of the session."""
        self.session.facts_changed.disconnect(self._refresh)
        self.session.facts_changed.disconnect(self.map.place)
        self.session.facts_changed.disconnect(self.plate.refresh)

    def _build_buttons(self) -> QHBoxLayout:
        self.apply = button("Apply", "Set what is shown, for every image that is not gray.")
        self.forget = button("Forget all…", "Take plate, well, treatment and dose from every image. Labels stay.")
        self.done = button("Close", "What was applied is kept in the project.")
        self.state = QLabel("")
        on_click(self.apply, self._apply)
        on_click(self.forget, self._forget)
        on_click(self.done, self.accept)
        self.apply.setDefault(True)
        self.done.setAutoDefault(False)
        self.forget.setAutoDefault(False)
        row = QHBoxLayout()
        row.addWidget(self.forget)
        row.addWidget(self.state, 1)
        row.addWidget(self.apply)
        row.addWidget(self.done)
        return row

    def _refresh(self, *_what: object) -> None:
        part, known = self._parts.get(self.tabs.currentIndex()), self.session.facts_all()
        self.forget.setEnabled(bool(known) and not self.session.read_only)
        self.apply.setVisible(part is not None)
        if part is None:
            self.state.setText("What you type is kept at once.")
            return
        other = sum(known.get(i, ImageFacts()) != said for i, said in part.proposed.items())
        self.apply.setText(f"Apply to {other} image{'s' if other != 1 else ''}" if other else "Apply")
        self.apply.setEnabled(other > 0 and not self.session.read_only)
        self.state.setText("Applied." if part.proposed and not other else "")

    @showing_errors
    def _apply(self) -> None:
        self._parts[self.tabs.currentIndex()].apply()
        self._refresh()

    @showing_errors
    def _forget(self) -> None:
        known = self.session.facts_all()
        asked = f"Forget plate, well, treatment and dose of {len(known)} images? This can't be undone. Labels stay."
        if QMessageBox.question(self, "Forget all", asked) == QMessageBox.StandardButton.Yes:
            self.session.set_facts({image_id: ImageFacts() for image_id in known})


class PlateLine(QWidget):
    """What is known of the project's plates, in a line, and the button that opens the window."""

    def __init__(self, session: Session, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self._theme = session, theme
        self.dialog: PlateDialog | None = None
        self.open = button(
            "Plate, wells, doses…",
            "Say which well and treatment each image is from: by file names, a plate map, or by hand.",
        )
        on_click(self.open, self.open_dialog)
        self.text = hint("")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.open)
        layout.addWidget(self.text)
        for signal in (session.project_changed, session.images_changed, session.facts_changed):
            signal.connect(self.refresh)
        session.project_changed.connect(self._close_dialog)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known now."""
        known, images = self.session.facts_all(), self.session.images
        self.setVisible(bool(images))
        text = summary(known, len(images)) or self._offer()
        self.text.setText(text)
        self.text.setVisible(bool(text))

    def _offer(self) -> str:
        """Return a hint where the names of the images tell their wells and nobody has read them yet."""
        fits = len(self.session.images) > 1 and guess(self.session.source_names().values())
        return "The file names seem to tell the wells: press this to look, then Apply." if fits else ""

    def open_dialog(self) -> None:
        """Open the window."""
        self._close_dialog()
        self.dialog = PlateDialog(self.session, self._theme, self.window())
        self.dialog.finished.connect(self._let_go)
        self.dialog.show()

    def _close_dialog(self) -> None:
        if self.dialog is not None:
            self.dialog.reject()

    def _let_go(self) -> None:
        if self.dialog is not None:
            self.dialog.close_links()
            self.dialog.deleteLater()
            self.dialog = None
