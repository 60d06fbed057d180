"""The dock widget "Cellstage": builds the session, the viewer link and the panels, and wires them. No logic."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent
from qtpy.QtWidgets import QAbstractSpinBox, QLineEdit, QTabWidget, QVBoxLayout, QWidget

from napari_cellstage.core.images import ImageStack
from napari_cellstage.session import Session
from napari_cellstage.ui.annotator_box import AnnotatorBox
from napari_cellstage.ui.attention_layer import AttentionLayer
from napari_cellstage.ui.carry_over_list import CarryOverList
from napari_cellstage.ui.cells_panel import CellsPanel
from napari_cellstage.ui.closing import ClosingWatch
from napari_cellstage.ui.data_panel import DataPanel
from napari_cellstage.ui.edit_box import EditBox
from napari_cellstage.ui.export_button import ExportButton
from napari_cellstage.ui.gain_line import GainLine
from napari_cellstage.ui.give_all import GiveAll
from napari_cellstage.ui.header import Header
from napari_cellstage.ui.job_bar import JobBar
from napari_cellstage.ui.keys_help import KeysHelp
from napari_cellstage.ui.label_panel import LabelPanel
from napari_cellstage.ui.label_scope import ScopeBox
from napari_cellstage.ui.next_box import NextBox
from napari_cellstage.ui.next_step import CELLS, STAIN, STEPS, TRAIN
from napari_cellstage.ui.notices import show, showing_errors, warn
from napari_cellstage.ui.open_layers import labels_layers
from napari_cellstage.ui.open_layers_box import OpenLayersBox
from napari_cellstage.ui.overlay_panel import OverlayPanel
from napari_cellstage.ui.pieces import Folded, scrolled
from napari_cellstage.ui.plate_dialog import PlateLine
from napari_cellstage.ui.preview import Preview
from napari_cellstage.ui.review.step import ReviewStep
from napari_cellstage.ui.stain.door import StainDoor
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.time_box import TimeBox
from napari_cellstage.ui.train_panel import TrainPanel
from napari_cellstage.ui.viewer_link import ViewerLink
from napari_cellstage.ui.workers import JobRunner

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Image


class CellStageDock(QWidget):
    """The five steps, in one dock.

    Parameters
    ----------
    napari_viewer
        The viewer it is docked in.

    Attributes
    ----------
    session
        All state; scripts may use it.
    link
        The session in the viewer: layers, keys, mouse.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        # napari hands plugins a proxy, whose layers are proxies too, no two of them the same object.
        viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.viewer = viewer
        self.session = Session()
        self.link = ViewerLink(viewer, self.session, on_error=show)
        self.theme = PanelTheme(viewer, self)
        self.runner = JobRunner(self)
        self.preview = Preview(viewer, self.link, self)
        self.attention = AttentionLayer(viewer, self.session, lambda: self.link.layers.placement)
        self._adopted: weakref.WeakSet[Image] = weakref.WeakSet()
        self._layers_timer = QTimer(self)
        self._layers_timer.setSingleShot(True)
        self._layers_timer.timeout.connect(self._refresh_layers)
        self._build()
        self._wire()
        self.setAcceptDrops(True)
        self.setMinimumWidth(350)
        self._closed = False
        self._watch = ClosingWatch(self)
        self._watch.closing.connect(self.shut_down)
        QTimer.singleShot(0, self.train.probe.start)

    def go_to(self, step: str) -> None:
        """Show a step: one of `next_step.STEPS`."""
        if step == STAIN:
            self.stain.open()
        self.tabs.setCurrentIndex(STEPS.index(step))

    def open_paths(self, paths: list[Path]) -> None:
        """Open images, folders of images or a project, as when they are dropped on the dock."""
        self.data.open_paths(paths)

    def shows_all(self, data: Sequence[object]) -> bool:
        """Return whether each of these arrays is the data of a layer that shows the project."""
        shown = (*self.link.layers.made_here, *self._adopted)
        return all(any(one is layer.data for layer in shown) for one in data)

    def shut_down(self) -> None:
        """Give everything back: work ended, its result kept, keys and layers returned, the project closed."""
        if self._closed:
            return
        self._closed = True
        self.data.opening.close_link()
        self.exports.close_link()
        self.gain.close_link()
        self.train.close_link(self.runner.close())
        self.review.close_link()
        self.stain.close_link()
        for event in self._layer_events():
            event.disconnect(self._on_layers)
        self.preview.close_link()
        self.attention.close()
        self.theme.close_link()
        self.link.close()
        self.session.close()
        self.session.disconnect_all()  # a script may keep the session; the panels are gone

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Open files."""
        event.acceptProposedAction()
        self.open_paths([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Keep Enter in a field from the canvas, where it accepts what the model says of the selected cell."""
        ends = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if not (ends and isinstance(self.focusWidget(), (QLineEdit, QAbstractSpinBox))):
            super().keyPressEvent(event)

    def _build(self) -> None:
        self.header = Header(self.session)
        self.layers_box = OpenLayersBox(self.viewer, self._is_shown)
        self.data = DataPanel(self.session, self.runner, self.layers_box)
        self.cells = CellsPanel(self.session, self.runner, self._labels_layers)
        self.label = LabelPanel(self.session, self.theme)
        self.carried = CarryOverList(self.session)
        self.edit = EditBox(self.link)
        self.time = TimeBox(self.session, self.runner)
        self.scope = ScopeBox(self.session, self.link.scope)
        self.next, self.gain = NextBox(self.session), GainLine(self.session, self.runner)
        self.plates = PlateLine(self.session, self.theme)
        self.give_all = GiveAll(self.session)
        self.exports = ExportButton(self.session)
        self.train = TrainPanel(self.session, self.runner, self.theme)
        self.review = ReviewStep(self.session, self.runner, self.theme, self.link.press_key)
        self.overlay = OverlayPanel(self.link)
        self.job_bar = JobBar(self.runner)
        self.keys_help = KeysHelp(self)
        cells_parts, label_parts = self.cells.layout(), self.label.editor.layout()
        for part in (self.carried, self.time, self.edit):
            cells_parts.insertWidget(cells_parts.count() - 1, part)
        label_parts.insertWidget(label_parts.indexOf(self.label.classes) + 1, self.scope)
        for part in (self.gain, self.next):
            label_parts.insertWidget(label_parts.indexOf(self.label.steps) + 1, part)
        data_parts, images_box = self.data.layout(), self.data.image_list
        data_parts.insertWidget(data_parts.indexOf(images_box) + 1, self.plates)
        self.data.project_box.layout().addWidget(self.exports)
        self.label.layout().insertWidget(2, Folded("Class to whole images, wells or doses", self.give_all))
        self.annotator = AnnotatorBox(self.session)
        self.label.layout().insertWidget(0, self.annotator)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.stain = StainDoor(self.viewer, self.session, self.runner, self.theme, self.link, self._is_shown)
        panels = (self.data, self.stain.step, self.cells, self.label, self.train, self.review)
        for step, panel in zip(STEPS, panels, strict=True):
            self.tabs.addTab(scrolled(panel), step)
        self.stain.place(self.tabs)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        for part in (self.header, self.tabs, self.overlay, self.job_bar):
            layout.addWidget(part)
        layout.setStretchFactor(self.tabs, 1)

    def _wire(self) -> None:
        link = self.link
        self.header.step_wanted.connect(self.go_to)
        self.header.help_wanted.connect(self.keys_help.show)
        self.tabs.currentChanged.connect(self._on_step)
        self.layers_box.adopted.connect(self._adopt)
        self.data.stain_wanted.connect(lambda: self.go_to(STAIN))
        self.stain.cells_wanted.connect(lambda: self.go_to(CELLS))
        self.train.probe.found.connect(self.stain.step.show_device)
        self.cells.preview_wanted.connect(self.preview.want)
        self.preview.found.connect(self.cells.find_box.show_found)
        self.carried.place_wanted.connect(link.layers.centre_on_place)
        self.label.armed.connect(lambda class_id: setattr(link, "armed_class", class_id))
        self.label.class_chosen.connect(link.give_class)
        self.label.next_wanted.connect(link.go_to_next)
        self.next.going_on.connect(lambda on: setattr(link, "auto_advance", on))
        link.selection_changed.connect(self.next.show_cell)
        link.selection_changed.connect(self.train.select)
        self.review.explained.connect(self.attention.show)
        self.review.training_wanted.connect(lambda: self.go_to(TRAIN))
        self.time.coloring_wanted.connect(lambda coloring: setattr(link.tracks, "coloring", coloring))
        link.tracks.coloring_changed.connect(self.time.show_coloring)
        link.armed_changed.connect(self.label.show_armed)
        self.session.project_changed.connect(self._on_project)
        for event in self._layer_events():
            event.connect(self._on_layers)
        self._on_step(0)
        self._refresh_layers()

    def _layer_events(self) -> tuple[Any, ...]:
        events = self.viewer.layers.events
        return events.inserted, events.removed, events.renamed

    # what the wires do

    def _is_shown(self, layer: Image) -> bool:
        ours = (*self.link.layers.made_here, self.attention.layer)
        return layer in self._adopted or any(layer is one for one in ours)

    def _labels_layers(self) -> list[tuple[str, Any]]:
        ours = (*self.link.layers.made_here, self.preview.layer)
        return [(one.name, one.data) for one in labels_layers(self.viewer, ours)]

    def _on_layers(self, _event: object = None) -> None:
        """Look in a moment: whoever adds a layer may not have noted yet that it is theirs."""
        self._layers_timer.start()

    def _refresh_layers(self) -> None:
        self.cells.refresh_layers()
        self.layers_box.refresh()
        self.stain.step.refresh_layers()

    def _on_step(self, index: int) -> None:
        self.header.show_step(STEPS[index])
        if STEPS[index] != CELLS:
            self.cells.leave()

    def _on_project(self) -> None:
        for problem in self.session.problems:
            warn(problem)

    @showing_errors
    def _adopt(self, stack: ImageStack, layer: Image | None) -> None:
        image_id = self.session.add_image(stack)
        if layer is not None:
            self._adopted.add(layer)
            self.link.use_layer(layer, image_id)
