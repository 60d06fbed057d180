"""The Stain page as the dock opens it: empty until it is first shown, so that the dock opens at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cellstage.session import Session
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import JobRunner

if TYPE_CHECKING:
    from napari_cellstage.ui.stain.panel import StainPanel
    from napari_cellstage.ui.stain.source_box import Layers


class StainStep(QWidget):
    """Makes a `StainPanel` when it is first needed; see there."""

    compare_wanted = Signal(object)
    cells_wanted = Signal()
    map_wanted = Signal(str, str, bool)

    def __init__(
        self,
        session: Session,
        runner: JobRunner,
        theme: PanelTheme,
        layers: Callable[[], Layers],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._what = session, runner, theme, layers
        self._panel: StainPanel | None = None
        self._device = ""
        QVBoxLayout(self).setContentsMargins(4, 3, 4, 3)

    @property
    def panel(self) -> StainPanel:
        """The panel, made if it was not."""
        if self._panel is None:
            from napari_cellstage.ui.stain.panel import StainPanel

            self._panel = StainPanel(*self._what)
            self._panel.compare_wanted.connect(self.compare_wanted)
            self._panel.map_wanted.connect(self.map_wanted)
            self._panel.cells_wanted.connect(self.cells_wanted)
            if self._device:
                self._panel.learn.show_device(self._device)
            if (layout := self.layout()) is not None:
                layout.addWidget(self._panel)
        return self._panel

    def show_device(self, answer: str) -> None:
        """Say on what will be trained."""
        self._device = answer
        if self._panel is not None:
            self._panel.learn.show_device(answer)

    def refresh_layers(self) -> None:
        """Show the layers that are open as they are now."""
        if self._panel is not None:
            self._panel.learn.source.refresh_layers()

    def end_looks(self) -> None:
        """Show no map and no comparison any more, which gives the view back."""
        if self._panel is not None:
            self._panel.apply.stains.end_looks()

    def close_link(self) -> None:
        """Close the window of its own that the picture of a training may have."""
        if self._panel is not None:
            self._panel.learn.outcome.picture.close_link()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Make the panel."""
        super().showEvent(event)
        _made = self.panel
