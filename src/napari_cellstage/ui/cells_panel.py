"""The Cells step: find nuclei, use a labels layer, add what was missed. It knows the session only."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QGroupBox, QHBoxLayout, QLabel, QMessageBox, QVBoxLayout, QWidget

from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.images import ImageStack
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import show, showing_errors, shown, tell, warn
from napari_cellstage.ui.pieces import button, hint, on_click
from napari_cellstage.ui.settings_form import SettingsForm
from napari_cellstage.ui.workers import Job, JobRunner, ShouldStop

FORM = ("method", "background", "smoothing", "sensitivity", "min_diameter", "max_diameter", "split")


class CellsPanel(QWidget):
    """Finding, adopting and adding cells.

    Signals
    -------
    preview_wanted : settings to show on the plane seen now, or None to end the preview.
    add_mode_wanted : whether a click on the background is to add a cell.

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
    add_mode_wanted = Signal(bool)

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
        for part in (self.state, self._build_find(), self._build_adopt(), self._build_add()):
            layout.addWidget(part)
        layout.addStretch(1)
        self._wire()
        self.refresh()

    def refresh(self) -> None:
        """Show the session as it is now."""
        stack = self.session.current
        ready = stack is not None and not self.session.read_only and not self._runner.busy
        for widget in (self.find_box, self.adopt_box, self.add):
            widget.setEnabled(ready)
        self.state.setText(self._state_text(stack))
        self.find_channel.blockSignals(True)
        self.find_channel.clear()
        self.find_channel.addItems(stack.channel_names if stack is not None else ())
        self.find_channel.setCurrentIndex(self.session.find_channel)
        self.find_channel.blockSignals(False)
        self.refresh_layers()

    def refresh_layers(self) -> None:
        """List the labels layers as they are now."""
        names = [name for name, _labels in self._labels_layers()]
        if names != [self.layers.itemText(i) for i in range(self.layers.count())]:
            self.layers.clear()
            self.layers.addItems(names)
        self.adopt_box.setVisible(bool(names))

    def show_add_mode(self, on: bool) -> None:
        """Show whether a click on the background adds a cell."""
        self.add.blockSignals(True)
        self.add.setChecked(on)
        self.add.blockSignals(False)

    def leave(self) -> None:
        """End the preview, as when another step is opened."""
        self.preview.setChecked(False)

    # build

    def _build_find(self) -> QWidget:
        self.find_box = QGroupBox("Find nuclei")
        self.find_channel = QComboBox()
        self.find_channel.setToolTip("The channel in which nuclei are bright: DNA, H2B, DAPI, Hoechst.")
        self.find_channel.setAccessibleName("Channel that cells are found in")
        self.form = SettingsForm(self.session.segment_settings, FORM)
        self.preview = QCheckBox("Preview on the plane you see")
        self.preview.setToolTip("Outlines what would be found, while you change the settings.")
        self.find = button("Find cells", "Find the cells of the whole image, all planes and time points.")
        layout, row = QVBoxLayout(self.find_box), QHBoxLayout()
        row.addWidget(QLabel("in channel"))
        row.addWidget(self.find_channel, 1)
        layout.addLayout(row)
        for widget in (self.form, self.preview, self.find):
            layout.addWidget(widget)
        return self.find_box

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

    def _build_add(self) -> QWidget:
        self.add = button(
            "Add a missed cell  (A)", "While this is on, a click where no cell was found adds a disc of the usual size."
        )
        self.add.setCheckable(True)
        return self.add

    def _wire(self) -> None:
        session = self.session
        for signal in (session.project_changed, session.images_changed, session.current_changed):
            signal.connect(self.refresh)
        session.cells_changed.connect(self._on_cells)
        session.settings_changed.connect(self._on_settings)
        self._runner.started.connect(self._on_runner)
        self._runner.ended.connect(self._on_runner)
        self.find_channel.activated.connect(self._choose_channel)
        self.form.changed.connect(self._on_form)
        self.preview.toggled.connect(self._want_preview)
        on_click(self.find, self.start_finding)
        on_click(self.adopt, self._adopt)
        self.add.toggled.connect(self.add_mode_wanted)

    # show

    def _state_text(self, stack: ImageStack | None) -> str:
        if stack is None:
            return "Open an image first, in the step Data."
        count = len(self.session.cells())
        if count:
            return f"<b>{count:,} cells</b> in this image. Change the settings and find again, or go on to Label."
        return "No cells yet. Try the preview, then press Find cells."

    def _on_cells(self, _image_id: int) -> None:
        self.state.setText(self._state_text(self.session.current))

    def _on_runner(self, _job: object = None) -> None:
        self.refresh()

    def _on_settings(self) -> None:
        if self.form.value != self.session.segment_settings:
            self.form.value = self.session.segment_settings
        self.find_channel.setCurrentIndex(self.session.find_channel)

    # what the user does

    @showing_errors
    def _choose_channel(self, index: int) -> None:
        self.session.find_channel = index
        self._want_preview()

    def _on_form(self) -> None:
        with shown():
            self.session.segment_settings = self.form.value
            self._want_preview()

    def _want_preview(self, _on: bool = True) -> None:
        self.preview_wanted.emit(self.session.segment_settings if self.preview.isChecked() else None)

    @showing_errors
    def start_finding(self) -> None:
        """Find the cells of the current image in a worker."""
        stack, image_id = self.session.current, self.session.current_id
        if stack is None or image_id is None or not self._may_replace():
            return
        self.preview.setChecked(False)
        settings = replace(self.session.segment_settings, channel=self.session.find_channel)
        job = Job("finding cells", finding(stack, settings))
        job.returned.connect(lambda labels: self._on_found(labels, image_id, job.stopping))
        job.failed.connect(show)
        self._runner.start(job)

    def _on_found(self, labels: Any, image_id: int, stopped: bool) -> None:
        if stopped or labels is None:
            return
        with shown():
            carried = self.session.set_labels(labels, image_id)
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


def finding(stack: ImageStack, settings: SegmentSettings) -> Callable[[ShouldStop], Generator[BatchDone, None, Any]]:
    """Return the work of finding the cells of a stack."""

    def work(should_stop: ShouldStop) -> Generator[BatchDone, None, Any]:
        from napari_cellstage.core.segment import find_cells_in_stack  # slow to load

        steps = find_cells_in_stack(stack, settings, should_stop)
        while True:
            try:
                done, total = next(steps)
            except StopIteration as end:
                return end.value
            yield BatchDone("finding cells", done, total)

    return work
