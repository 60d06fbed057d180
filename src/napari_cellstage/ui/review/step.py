"""The Review step as the dock opens it: empty until it is first shown, so that the dock opens at once."""

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
    from napari_cellstage.ui.review.panel import ReviewPanel


class ReviewStep(QWidget):
    """Makes a `ReviewPanel` when it is first needed; see there.

    Signals
    -------
    training_wanted : nothing is trained.
    explained : where the network looks, for the viewer; a `learn.attention.Attention`.
    """

    training_wanted = Signal()
    explained = Signal(object)

    def __init__(
        self,
        session: Session,
        runner: JobRunner,
        theme: PanelTheme,
        press_key: Callable[[str], bool],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._what = session, runner, theme, press_key
        self._panel: ReviewPanel | None = None
        QVBoxLayout(self).setContentsMargins(6, 3, 6, 3)

    @property
    def panel(self) -> ReviewPanel:
        """The panel, made if it was not."""
        if self._panel is None:
            from napari_cellstage.ui.review.panel import ReviewPanel

            self._panel = ReviewPanel(*self._what)
            self._panel.training_wanted.connect(self.training_wanted)
            self._panel.gallery.attention.explained.connect(self.explained)
            if (layout := self.layout()) is not None:
                layout.addWidget(self._panel)
        return self._panel

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Make the panel."""
        super().showEvent(event)
        _made = self.panel

    def close_link(self) -> None:
        """Let go of the session."""
        if self._panel is not None:
            self._panel.close_link()
