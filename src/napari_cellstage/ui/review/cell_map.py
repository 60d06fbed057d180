"""The map of all cells: alike cells lie side by side; a lasso chooses them. It knows the session only."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtGui import QCursor, QResizeEvent, QShowEvent
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.projections import (
    KINDS,
    MOST_OF,
    Floats,
    Kind,
    check_installed,
    principal_places,
    project,
    shown_rows,
)
from napari_cellstage.core.review.table import ReviewTable
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import show, showing_errors
from napari_cellstage.ui.pieces import hint
from napari_cellstage.ui.review.cell_plot import CellPlot
from napari_cellstage.ui.review.map_colors import COLORINGS, ORDER, Group
from napari_cellstage.ui.review.map_order import MapOrder
from napari_cellstage.ui.review.map_words import legend_text, point_text
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import Job, JobRunner, ShouldStop

Rows = NDArray[np.intp]
SOON_MS = 150
NOTHING_YET = "Train once; then every cell has its place here."
HOW = "Draw around cells to choose them; Ctrl adds. Double-click goes to a cell."


class CellMap(QWidget):
    """A point for each cell.

    Parameters
    ----------
    session
        Whose cells.
    runner
        Where t-SNE and UMAP are computed.
    theme
        Colours.
    """

    def __init__(self, session: Session, runner: JobRunner, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self.runner, self.theme = session, runner, theme
        self._table: ReviewTable | None = None
        self._rows: Rows = np.zeros(0, dtype=np.intp)  # of the table, one a point
        self._maps: dict[str, tuple[Rows, Floats]] = {}
        self._shown_kind: Kind = "PCA"
        self._stale = True
        self.order = MapOrder(session, self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._soon.timeout.connect(self._refresh_seen)
        self._build()
        self._wire()

    @property
    def rows(self) -> Rows:
        """Rows of the review table, one a point."""
        return self._rows

    def refresh(self) -> None:
        """Show the session's cells as they are now; a map is computed again only when cells have moved."""
        self._stale = False
        self._soon.stop()
        table = self.session.review_table()
        if self._table is None or not table.same_places(self._table):
            self._maps = {}
        self._table = table
        there = table.embedding is not None and len(shown_rows(table.embedding)) > 0
        self.content.setVisible(there)
        self.missing.setVisible(not there)
        if there:
            self._show_map()

    def close_link(self) -> None:
        """Let go of the session; a map that is still being computed is not shown any more."""
        self._soon.stop()
        self.order.close_link()
        self._table = None
        for signal, listener in self._links():
            signal.disconnect(listener)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Show what has changed meanwhile."""
        super().showEvent(event)
        if self._stale:
            self.refresh()

    # build

    def _build(self) -> None:
        self.kind, self.coloring = QComboBox(), QComboBox()
        self.kind.addItems(KINDS)
        self.kind.setToolTip(
            "PCA: at once, distances mean what they say. t-SNE and UMAP: groups are easier to see, distances between "
            "them mean little; they take a minute."
        )
        self.coloring.addItems(list(COLORINGS))
        self.coloring.setToolTip(
            "What the colour of a point says. Order: cells along the cycle, by how alike the model sees them, "
            "which was not told in which order the classes come. Doses have such an order, too."
        )
        self.plot = CellPlot(self.theme)
        self.legend, self.note, self.missing = _Legend(), hint(HOW), hint(NOTHING_YET)
        self.content = QWidget()
        layout, inner = QVBoxLayout(self), QVBoxLayout(self.content)
        for one in (layout, inner):
            one.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        inner.addLayout(self._choices())
        inner.addWidget(self.plot, 1)
        inner.addWidget(self.legend)
        inner.addWidget(self.note)
        layout.addWidget(self.missing)
        layout.addWidget(self.content, 1)
        self.content.hide()

    def _choices(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.kind.setAccessibleName("Kind of map")
        self.coloring.setAccessibleName("Coloured by")
        for box in (self.kind, self.coloring):
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.setMinimumWidth(60)
        row.addWidget(self.kind, 2)
        row.addWidget(QLabel("coloured by"))
        row.addWidget(self.coloring, 3)
        return row

    def _links(self) -> tuple[tuple[Any, Callable[..., None]], ...]:
        session = self.session
        later = (session.review_changed, session.labels_changed, session.scheme_changed)
        return (*((one, self._refresh_soon) for one in later), (session.chosen_changed, self._on_chosen))

    def _wire(self) -> None:
        for signal, listener in self._links():
            signal.connect(listener)
        self.kind.currentTextChanged.connect(showing_errors(self._on_kind))
        self.coloring.currentTextChanged.connect(self._recolor)
        self.order.found.connect(self._recolor)
        self.plot.lassoed.connect(self._on_lasso)
        self.plot.clicked.connect(self._on_clicked)
        self.plot.double_clicked.connect(self._on_double_clicked)
        self.plot.hovered.connect(self._on_hovered)

    # what is shown

    def _show_map(self) -> None:
        """Show the map that is chosen, or the PCA while there is none of that kind for these cells."""
        kind = self._shown_kind if self._shown_kind in self._maps else "PCA"
        if kind not in self._maps:
            rows, embedded = self._embedded("PCA")
            self._maps["PCA"] = rows, principal_places(embedded)
        self._shown_kind = kind
        self._say_kind(kind)
        self._rows = self._maps[kind][0]
        self._recolor()

    def _recolor(self, *_what: object) -> None:
        if self._table is None or self._shown_kind not in self._maps:
            return
        names = {one.image_id: one.name for one in self.session.images}
        how = self.coloring.currentText()
        table = replace(self._table, order=self.order.of(self._table)) if how == ORDER else self._table
        groups = COLORINGS[how](table.take(self._rows), names)
        self.plot.show_points(self._maps[self._shown_kind][1], groups)
        self.legend.setText(self._legend(groups, how, ordered=table.order is not None))
        self.note.setText(self._note())
        self._on_chosen(self.session.chosen)

    def _legend(self, groups: list[Group], how: str, ordered: bool) -> str:
        if how == ORDER and not ordered:
            return escape(self.order.text)  # why there is none, where it is seen
        return legend_text(groups, how, self.order.short if how == ORDER else "")

    def _note(self) -> str:
        table = self._table
        if table is None or table.embedding is None:
            return HOW
        placed = int(np.isfinite(table.embedding).all(axis=1).sum())
        ordered = self.coloring.currentText() == ORDER and self.order.is_found
        parts = [self.order.text] if ordered else [HOW]
        if placed > len(self._rows):
            parts.insert(0, f"{len(self._rows):,} of {placed:,} cells are shown, drawn at random.")
        if missing := len(table) - placed:
            have = "cell has" if missing == 1 else "cells have"
            parts.insert(0, f"{missing:,} {have} no place yet: the model has not predicted all.")
        return " ".join(parts)

    def _say_kind(self, kind: str) -> None:
        before = self.kind.blockSignals(True)
        self.kind.setCurrentText(kind)
        self.kind.blockSignals(before)

    def _embedded(self, kind: Kind) -> tuple[Rows, Floats]:
        table = self._table
        if table is None or table.embedding is None:
            return np.zeros(0, dtype=np.intp), np.zeros((0, 2), dtype=np.float32)
        rows = shown_rows(table.embedding, MOST_OF[kind])
        return rows, table.embedding[rows]

    # computing

    def _on_kind(self, text: str) -> None:
        kind = next(one for one in KINDS if one == text)
        if self._table is None or kind in self._maps:
            self._shown_kind = kind
            self._show_map()
            return
        self._say_kind(self._shown_kind)  # until the other is there
        check_installed(kind)
        rows, embedded = self._embedded(kind)
        job = Job(f"computing {kind}", partial(_mapping, embedded, kind))
        job.returned.connect(partial(self._on_map, self._table, kind, rows))
        job.failed.connect(show)
        self.runner.start(job)

    def _on_map(self, table: ReviewTable, kind: Kind, rows: Rows, places: Floats | None) -> None:
        if places is None or self._table is None or not table.same_places(self._table):
            return  # stopped, or the cells are others by now
        self._maps[kind] = rows, places
        self._shown_kind = kind
        self._show_map()

    # what the mouse does, and the others

    def _cells(self, places: NDArray[np.intp]) -> CellRefs:
        return CellRefs() if self._table is None else self._table.cells.take(self._rows[places])

    def _on_lasso(self, places: NDArray[np.intp], adds: bool) -> None:
        cells = self._with_chosen(self._cells(places)) if adds else self._cells(places)
        self.session.choose(cells)
        if len(cells):
            self.session.show_cells(cells, f"lasso of {len(cells):,} cell{'' if len(cells) == 1 else 's'}")

    def _on_clicked(self, place: int, adds: bool) -> None:
        one = self._cells(np.array([place]))
        self.session.choose(self._with_chosen(one) if adds else one)

    def _with_chosen(self, cells: CellRefs) -> CellRefs:
        chosen = self.session.chosen
        return CellRefs.joined([chosen, cells.take(~cells.isin(chosen))])

    def _on_double_clicked(self, place: int) -> None:
        one = self._cells(np.array([place]))
        self.session.visit(int(one.image_id[0]), int(one.t[0]), int(one.cell_id[0]))

    def _on_hovered(self, place: int) -> None:
        if place < 0 or self._table is None or place >= len(self._rows):
            QToolTip.hideText()
            return
        QToolTip.showText(QCursor.pos(), point_text(self._table, int(self._rows[place])), self.plot)

    def _on_chosen(self, chosen: CellRefs) -> None:
        if self._table is not None and len(self._rows):
            self.plot.ring(np.flatnonzero(self._table.cells.take(self._rows).isin(chosen)))

    def _refresh_soon(self, *_what: object) -> None:
        self._stale = True
        self._soon.start()

    def _refresh_seen(self) -> None:
        if self._stale and self.isVisible():
            self.refresh()


class _Legend(QScrollArea):
    """A legend that leaves the room to the map: two lines are always seen, more where there is room."""

    def __init__(self) -> None:
        super().__init__()
        self._words = hint("")
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self._words.setSizePolicy(policy)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setWidget(self._words)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def text(self) -> str:
        """Return what it says."""
        return str(self._words.text())

    def setText(self, text: str) -> None:  # noqa: N802 - as a label has it
        """Say something else, which may need another height."""
        self._words.setText(text)
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Two lines."""
        return QSize(0, min(2 * self.fontMetrics().height() + 4, self.sizeHint().height()))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """All of it, at the width there is."""
        width = max(self.viewport().width(), 1)
        border = self.height() - self.viewport().height()  # the style's
        return QSize(width, max(self._words.heightForWidth(width), 1) + border)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """At another width it has another height."""
        super().resizeEvent(event)
        self.updateGeometry()


def _mapping(embedded: Floats, kind: Kind, should_stop: ShouldStop) -> Generator[BatchDone, None, Floats | None]:
    work = project(embedded, kind, should_stop)
    while True:
        try:
            done, total = next(work)
        except StopIteration as end:
            found: Floats | None = end.value
            return found
        yield BatchDone(f"computing {kind}", done, total)
