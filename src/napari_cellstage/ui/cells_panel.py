"""The Cells step: find cells, use a labels layer, add what was missed. It knows the session only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QGroupBox, QMessageBox, QVBoxLayout, QWidget

from napari_cellstage.core.images import ImageStack
from napari_cellstage.session import Session
from napari_cellstage.ui.find_all import FindAll
from napari_cellstage.ui.find_box import FindBox
from napari_cellstage.ui.finding import finding, stains_looked_at
from napari_cellstage.ui.notices import show, showing_errors, shown, tell, warn
from napari_cellstage.ui.pieces import button, hint, on_click
from napari_cellstage.ui.workers import Job, JobRunner


class CellsPanel(QWidget):
    """Finding, adopting and adding cells.

    Signals
    -------
    preview_wanted : settings to show on the plane seen now, or None to end the preview.

    Parameters
    ----------
    session
        Whose cells.
    runner
        Where finding runs.
    labels_layers
        Returns the labels layers open in napari that could be used, as (name, array).
    """

    preview_wanted = Signal(object)

    def __init__(
        self,
        session: Session,
        runner: JobRunner,
        labels_layers: Callable[[], Sequence[tuple[str, Any]]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.session = session
        self._runner = runner
        self._labels_layers = labels_layers
        layout = QVBoxLayout(self)
        self.state = hint("")
        self.find_box = FindBox(session)
        self.preview, self.find, self.form = self.find_box.preview, self.find_box.find, self.find_box.form
        self._all = FindAll(session, runner, self)
        for part in (self.state, self.find_box, self._build_adopt()):
            layout.addWidget(part)
        layout.addStretch(1)
        self._wire()
        self.refresh()

    def refresh(self) -> None:
        """Show the session as it is now."""
        stack = self.session.current
        ready = stack is not None and not self.session.read_only and not self._runner.busy
        for widget in (self.find_box, self.adopt_box):
            widget.setEnabled(ready)
        self.state.setText(self._state_text(stack))
        self.find_box.refresh()
        self.refresh_layers()

    def refresh_layers(self) -> None:
        """List the labels layers as they are now."""
        names = [name for name, _labels in self._labels_layers()]
        if names != [self.layers.itemText(i) for i in range(self.layers.count())]:
            self.layers.clear()
            self.layers.addItems(names)
        self.adopt_box.setVisible(bool(names))

    def leave(self) -> None:
        """End the preview, as when another step is opened."""
        self.preview.setChecked(False)

    # build

    def _build_adopt(self) -> QWidget:
        self.adopt_box = QGroupBox("Or use a labels layer")
        self.layers = QComboBox()
        self.layers.setToolTip("A labels layer that is open in napari, such as one made by Cellpose or StarDist.")
        self.layers.setAccessibleName("Labels layer")
        self.adopt = button("Use these cells", "Each number in the labels layer becomes one cell.")
        layout = QVBoxLayout(self.adopt_box)
        layout.addWidget(self.layers)
        layout.addWidget(self.adopt)
        return self.adopt_box

    def _wire(self) -> None:
        session = self.session
        for signal in (session.project_changed, session.images_changed, session.current_changed):
            signal.connect(self.refresh)
        session.cells_changed.connect(self._on_cells)
        session.settings_changed.connect(self._on_settings)
        self._runner.started.connect(self._on_runner)
        self._runner.ended.connect(self._on_runner)
        self.find_box.changed.connect(self._want_preview)
        self.preview.toggled.connect(self._want_preview)
        on_click(self.find, self.start_finding)
        on_click(self.find_box.find_all, self._find_all)
        on_click(self.adopt, self._adopt)

    # show

    def _state_text(self, stack: ImageStack | None) -> str:
        if stack is None:
            return "Open an image first, in the step Data."
        count = len(self.session.cells())
        if count:
            found = self.session.found_in()
            where = f", found in {escape(found)}" if found else ""
            here = f"<b>{count:,} cells</b> in this image{where}."
            return f"{here} Change the settings and find again, or go on to Label."
        return "No cells yet. Try the preview, then press Find cells."

    def _on_cells(self, _image_id: int) -> None:
        self.state.setText(self._state_text(self.session.current))

    def _on_runner(self, _job: object = None) -> None:
        self.refresh()

    def _on_settings(self) -> None:
        self.find_box.refresh()

    # what the user does

    def _want_preview(self, _on: bool = True) -> None:
        self.preview_wanted.emit(self.find_box.settings if self.preview.isChecked() else None)

    @showing_errors
    def start_finding(self) -> None:
        """Find the cells of the current image in a worker."""
        stack, image_id = self.session.current, self.session.current_id
        if stack is None or image_id is None or not self._may_replace():
            return
        self.preview.setChecked(False)
        cache = self.session.project.cache if self.session.project else None
        settings = self.find_box.settings
        stains = stains_looked_at(stack, settings)
        job = Job("finding cells", finding(stack, settings, cache))
        job.returned.connect(lambda labels: self._on_found(labels, image_id, job.stopping, stains))
        job.failed.connect(show)
        self._runner.start(job)

    @showing_errors
    def _find_all(self) -> None:
        self.preview.setChecked(False)
        self._all.start(self.find_box.settings)

    def _on_found(self, labels: Any, image_id: int, stopped: bool, stains: str = "") -> None:
        if stopped or labels is None:
            return
        with shown():
            carried = self.session.set_labels(labels, image_id, found_in=stains)
            if carried.text:
                tell(carried.text)
            if not len(self.session.cells(image_id)):
                warn("No cells were found. Choose another channel, a higher sensitivity or a smaller least diameter.")

    @showing_errors
    def _adopt(self) -> None:
        chosen = dict(self._labels_layers()).get(self.layers.currentText())
        if chosen is not None and self.session.current is not None and self._may_replace():
            carried = self.session.set_labels(chosen)
            if carried.text:
                tell(carried.text)

    def _may_replace(self) -> bool:
        """Ask before cells that carry labels are replaced, and say what stays."""
        labelled = int((self.session.class_ids() != 0).sum())
        if not labelled:
            return True
        answer = QMessageBox.question(
            self,
            "Replace the cells",
            f"{'1 cell' if labelled == 1 else f'{labelled} cells'} of this image {'is' if labelled == 1 else 'are'} "
            "labelled. A new cell at the same place keeps the label; where there is none, the label goes, "
            "and undo (Ctrl+Z) brings all back. Replace the cells?",
        )
        return bool(answer == QMessageBox.StandardButton.Yes)
