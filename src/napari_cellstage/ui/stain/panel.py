"""The Stain page: learn a stain, apply what was learned. It knows the session only."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QSizePolicy, QTabWidget, QVBoxLayout, QWidget

from napari_cellstage.session import Session
from napari_cellstage.stain.run_records import StainRun
from napari_cellstage.ui.stain.apply_page import ApplyPage
from napari_cellstage.ui.stain.learn_page import LearnPage
from napari_cellstage.ui.stain.source_box import Layers
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import JobRunner

LEARN, APPLY = "Learn", "Apply"
_CAUTION = "What is predicted is no measurement: layers, files and exports say of it that it is predicted."
_TIPS = {
    LEARN: f"Train a network on images that have transmitted light and fluorescence. {_CAUTION}",
    APPLY: f"Predict the fluorescence of images that lack it. {_CAUTION}",
}


class StainPanel(QWidget):
    """Two pages: `LEARN` and `APPLY`.

    Signals
    -------
    compare_wanted : channels of the current image to show side by side; empty: give the view back.
    cells_wanted : cells are to be found in a predicted stain.
    map_wanted : as of `StainsPart`.

    Parameters
    ----------
    session, runner, theme, layers
        As for `LearnPage`.
    """

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
        self._session = session
        self.learn = LearnPage(session, runner, theme, layers)
        self.apply = ApplyPage(session, runner, theme)
        self.pages = QTabWidget()
        self.pages.setDocumentMode(True)
        for title, page in ((LEARN, self.learn), (APPLY, self.apply)):
            self.pages.setTabToolTip(self.pages.addTab(page, title), _TIPS[title])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pages, 1)
        self.pages.currentChanged.connect(self._fit)
        self._fit()
        self.learn.apply_wanted.connect(self._on_apply)
        self.apply.more_wanted.connect(self._on_more)
        self.apply.stains.compare_wanted.connect(self.compare_wanted)
        self.apply.stains.map_wanted.connect(self.map_wanted)
        self.apply.stains.cells_wanted.connect(self.cells_wanted)
        session.project_changed.connect(self._on_project)
        self._on_project()

    def open(self, title: str) -> None:
        """Show `LEARN` or `APPLY`."""
        self.pages.setCurrentIndex((LEARN, APPLY).index(title))

    def _fit(self, _place: int = 0) -> None:
        """Let only the page that is seen say how much room is needed; Qt asks all of them."""
        for place in range(self.pages.count()):
            seen = place == self.pages.currentIndex()
            height = QSizePolicy.Policy.Preferred if seen else QSizePolicy.Policy.Ignored
            self.pages.widget(place).setSizePolicy(QSizePolicy.Policy.Preferred, height)
        self.pages.updateGeometry()

    def _on_project(self) -> None:
        if self._session.stain_runs():
            self.open(APPLY)

    def _on_apply(self, run: str) -> None:
        self.apply.tick(run)
        self.open(APPLY)

    def _on_more(self, run: StainRun) -> None:
        self.learn.start_from(run)
        self.open(LEARN)
