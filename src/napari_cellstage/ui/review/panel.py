"""The Review step: score, sections, and the gallery below them. It knows the session only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.lists import first_look
from napari_cellstage.session import Session
from napari_cellstage.session.browsing import Shown
from napari_cellstage.ui.pieces import button, hint, on_click, small_button
from napari_cellstage.ui.review.gallery import Gallery
from napari_cellstage.ui.review.lists import ListsPart
from napari_cellstage.ui.review.matrix_part import MatrixPart
from napari_cellstage.ui.review.own_window import OwnWindow
from napari_cellstage.ui.review.runs_part import RunsPart
from napari_cellstage.ui.review.scores_line import ScoresLine
from napari_cellstage.ui.review.sections import LISTS, MAP, MATRIX, PEOPLE, RUNS, Maker, Sections
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import JobRunner

SOON_MS = 150
NO_KEY: Callable[[str], bool] = lambda _key: False  # noqa: E731 - a constant, not a function anybody looks for


class ReviewPanel(QWidget):
    """What the model gets wrong, and the cells behind it.

    Parameters
    ----------
    session
        Whose cells.
    runner
        Where long work runs.
    theme
        Colours.
    press_key
        Does what a key does on the canvas, for keys pressed in the panel's own window.

    Signals
    -------
    training_wanted : nothing is trained; the step Train is where that is done.
    """

    training_wanted = Signal()

    def __init__(
        self,
        session: Session,
        runner: JobRunner,
        theme: PanelTheme,
        press_key: Callable[[str], bool] = NO_KEY,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.session, self.runner, self.theme = session, runner, theme
        self._stale = True
        self._first = Shown(), ""  # what the gallery shows before anything was chosen, and of which run
        self.scores = ScoresLine(session)
        self.sections = Sections(self._makers())
        self.gallery = Gallery(session, runner, theme)
        self.window_ = OwnWindow("Review", press_key, self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._soon.timeout.connect(self._refresh_seen)
        self._build()
        self._wire()
        self.refresh()

    @property
    def is_large(self) -> bool:
        """Whether it is in its own window."""
        return self.content.parentWidget() is self.window_

    def enlarge(self) -> None:
        """Put everything into its own window, gallery beside the sections."""
        if self.is_large:
            self.window_.activateWindow()
            return
        self._move_to(self.window_.layout(), Qt.Orientation.Horizontal)
        self.away.show()
        self.window_.resize(self.window_.sizeHint())
        self.window_.show()

    def come_back(self) -> None:
        """Put everything back into the dock."""
        if self.is_large:
            self._move_to(self.layout(), Qt.Orientation.Vertical)
            self.away.hide()
            self.window_.hide()

    def refresh(self) -> None:
        """Show the session as it is now."""
        self._stale = False
        self._soon.stop()
        self.sections.outdate()
        self.missing_text.setText(missing_for_review(self.session))
        self.missing.setVisible(bool(self.missing_text.text()))
        self.train.setVisible(not self.session.blind)  # nothing is trained in blind labelling
        self.sections.allow((PEOPLE,) if self.session.blind else ())
        self.scores.refresh()
        self.sections.refresh()
        self._show_first()

    def refresh_soon(self, *_what: object) -> None:
        """Show what has changed when the keys rest, or when the panel is seen again."""
        self._stale = True
        self._soon.start()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Show what has changed meanwhile."""
        super().showEvent(event)
        if self._stale:
            self._soon.start(0)

    def close_link(self) -> None:
        """Let go of the session."""
        self._soon.stop()
        for signal, listener in self._links():
            signal.disconnect(listener)
        self.sections.close_link()
        self.gallery.close_link()
        self.window_.close()

    # build

    def _makers(self) -> dict[str, Maker]:
        return {
            MATRIX: lambda: MatrixPart(self.session, self.theme),
            LISTS: lambda: ListsPart(self.session, self.theme),
            MAP: self._make_map,
            RUNS: lambda: RunsPart(self.session, self.runner),
            PEOPLE: self._make_people,
        }

    def _make_map(self) -> QWidget:
        from napari_cellstage.ui.review.cell_map import CellMap

        return CellMap(self.session, self.runner, self.theme)

    def _make_people(self) -> QWidget:
        from napari_cellstage.ui.review.people_part import PeoplePart

        return PeoplePart(self.session, self.theme)

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.away = QWidget()
        row = QHBoxLayout(self.away)
        row.addWidget(hint("The review is in its own window."), 1)
        self.back = button("Back here", "Close the window and show the review here.")
        row.addWidget(self.back)
        self.away.hide()
        layout.addWidget(self.away)
        self._build_content()
        layout.addWidget(self.content, 1)

    def _build_content(self) -> None:
        self.content, self.top = QWidget(), QWidget()
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setChildrenCollapsible(False)
        self.larger = small_button("Larger", "Show the review in its own window, with more room.")
        self.sections.setCornerWidget(self.larger)
        top, content = QVBoxLayout(self.top), QVBoxLayout(self.content)
        for one in (top, content):
            one.setContentsMargins(0, 0, 0, 0)
        for part in (self._build_missing(), self.scores):
            top.addWidget(part)
        top.setSpacing(2)
        top.addWidget(self.sections, 1)
        self.split.addWidget(self.top)
        self.split.addWidget(self.gallery)
        self.split.setSizes([485, 515])  # shares: the window is not laid out yet
        for place in range(2):
            self.split.setStretchFactor(place, 1)
        content.addWidget(self.split)

    def _build_missing(self) -> QWidget:
        self.missing, self.missing_text = QWidget(), hint("")
        self.train = button("Train", "Show the step where a model is trained.")
        row = QHBoxLayout(self.missing)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.missing_text, 1)
        row.addWidget(self.train)
        return self.missing

    def _links(self) -> tuple[tuple[Any, Callable[..., None]], ...]:  # psygnal says no type of its instances
        session = self.session
        later = (
            session.review_changed, session.runs_changed, session.suspects_changed, session.predictions_changed,
            session.labels_changed, session.cells_changed, session.scheme_changed, session.images_changed,
            session.people_changed, session.history_changed,
        )  # fmt: skip
        return (*((one, self.refresh_soon) for one in later), (session.chosen_changed, self._on_chosen))

    def _wire(self) -> None:
        for signal, listener in self._links():
            signal.connect(listener)
        on_click(self.train, self.training_wanted.emit)
        on_click(self.larger, self.enlarge)
        on_click(self.back, self.come_back)
        self.window_.left.connect(self.come_back)

    # what the wires do

    def _refresh_seen(self) -> None:
        if self._stale and (self.content.isVisible()):
            self.refresh()

    def _show_first(self) -> None:
        """Fill a gallery that nobody has filled; again after another training, unless cells are chosen in it."""
        session, (first, of_run) = self.session, self._first
        run, shown = session.review_run, session.shown
        untouched = shown is first and run != of_run and not len(session.chosen)
        if session.blind or not run or not (untouched or shown == Shown()):
            return
        cells, title, order = first_look(session.review_table())
        if title:
            session.show_cells(cells, title, order)
            self._first = session.shown, run

    def _on_chosen(self, chosen: CellRefs) -> None:
        if self.content.isVisible():
            self.sections.mark(chosen)

    def _move_to(self, layout: Any, orientation: Qt.Orientation) -> None:
        layout.addWidget(self.content)
        self.split.setOrientation(orientation)
        self.larger.setVisible(orientation == Qt.Orientation.Vertical)
        self.content.show()


def missing_for_review(session: Session) -> str:
    """Return what has to be done before a model can be reviewed; empty when one can."""
    if session.blind:
        return "Blind labelling is on: what the model and others say is hidden. Switch it off under People to review."
    if not session.runs():
        return "Nothing is trained yet. Train once; cross-validation then says what the model gets wrong."
    if not session.review_run:
        return (
            "No run has answers for cells that its model had not seen. Select one under Runs and press "
            "Cross-validate, or train again with more labels."
        )
    return ""
