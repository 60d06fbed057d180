"""The gallery: many cells at a glance, sorted, chosen and relabelled with the keys of the classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from psygnal import SignalInstance
from qtpy.QtCore import QRect, QRectF, QTimer
from qtpy.QtGui import QPainter, QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session import Session
from napari_cellstage.session.browsing import Shown
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.review.attention_part import AttentionPart
from napari_cellstage.ui.review.crop_looks import CropLooks
from napari_cellstage.ui.review.crop_reader import CropReader
from napari_cellstage.ui.review.gallery_head import GalleryHead
from napari_cellstage.ui.review.gallery_keys import GalleryKeys
from napari_cellstage.ui.review.gallery_menu import GalleryMenu
from napari_cellstage.ui.review.shown_cells import ShownCells
from napari_cellstage.ui.review.tile_grid import TileGrid
from napari_cellstage.ui.review.tile_words import tile_of, tip_of
from napari_cellstage.ui.review.tiles import TilePainter
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import JobRunner

REFRESH_MS = 400  # after the last change of what is said of cells
NOTHING_YET = "No cells are shown yet. Click an entry of the matrix or a list, or choose cells on the map."
NONE_LEFT = "There are no such cells. Click another entry of the matrix, or another list."


class Gallery(QWidget):
    """Shows `session.shown`; what is chosen here is `session.chosen`.

    Parameters
    ----------
    session
        Whose cells.
    runner
        Runs the work of "where the network looks".
    theme
        Colours.
    """

    def __init__(self, session: Session, runner: JobRunner, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.shown: ShownCells | None = None
        self._channels = session.network_channels
        self._looked_at: tuple[Path | None, ...] = ()
        self.reader = CropReader(self)
        self.reader.arrived.connect(self._on_arrived)
        self.tiles = TilePainter(theme, self.font())
        self.keys = GalleryKeys(session, self.chosen_here, self.predictions_here)
        self.grid = TileGrid(theme, self._paint_tile, self._tip, self.keys.is_key)
        self.head = GalleryHead()
        self.attention = AttentionPart(session, runner, self._to_explain, self)
        self.grid.set_tile(*self.tiles.size)
        self.menu = GalleryMenu(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self._refresh)
        self._build()
        self._wire()
        self._on_scheme()
        self.attention.allow(not session.blind)
        self._fill(session.shown)

    # what others ask for

    def chosen_here(self) -> CellRefs:
        """Return the chosen cells that are in the gallery, in its order."""
        return CellRefs() if self.shown is None else self.shown.cells.take(np.flatnonzero(self.grid.picks.mask))

    def predictions_here(self) -> NDArray[np.int64]:
        """Return what is predicted for the chosen cells."""
        mask = self.grid.picks.mask
        return np.zeros(0, np.int64) if self.shown is None else self.shown.table.predicted[mask]

    def choose_where(self, mask: NDArray[np.bool_]) -> None:
        """Choose cells of the gallery."""
        self.grid.picks.show(mask)
        self.grid.viewport().update()
        self._on_picked()

    def close_link(self) -> None:
        """Let go of the session and end the work."""
        self._timer.stop()
        for signal, listener in self._links():
            signal.disconnect(listener)
        self.reader.close_link()
        self.attention.close_link()

    # build

    def _build(self) -> None:
        self.setAccessibleName("Gallery of cells")
        self.grid.setAccessibleName("Cells")
        self.head.add(self.attention.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.head)
        layout.addWidget(self.attention.note)
        layout.addWidget(self.attention.silent)
        layout.addWidget(self.grid, 1)

    def _wire(self) -> None:
        self.head.order_chosen.connect(self._sort)
        self.head.size_changed.connect(self._resize_tiles)
        self.head.outline_toggled.connect(self._outline)
        self.grid.picked.connect(self._on_picked)
        self.grid.opened.connect(self._open)
        self.grid.menu_wanted.connect(self.menu.show)
        self.grid.key_pressed.connect(self.keys.press)
        self.grid.seen_changed.connect(self._want)
        self.attention.changed.connect(self.grid.viewport().update)
        for signal, listener in self._links():
            signal.connect(listener)

    def _links(self) -> tuple[tuple[SignalInstance, Callable[..., None]], ...]:
        session = self.session
        return (
            (session.shown_changed, self._fill),
            (session.chosen_changed, self._on_chosen),
            (session.labels_changed, self._on_labels),
            (session.cells_changed, self._on_cells),
            (session.images_changed, self._on_images),
            (session.review_changed, self._on_review),
            (session.scheme_changed, self._on_scheme),
            (session.project_changed, self._on_project),
            (session.settings_changed, self._on_settings),
            (session.people_changed, self._on_people),
        )

    # what the session says

    def _fill(self, shown: Shown) -> None:
        if not len(shown.cells):
            self.shown = None
        else:
            self.shown = ShownCells.of(self.session, shown.cells, shown.order)
        self.head.show_order(shown.order)
        self.grid.note = NONE_LEFT if shown.title else NOTHING_YET
        self._look_again()
        self._show_tiles(from_top=True)

    def _show_tiles(self, *, from_top: bool) -> None:
        count = 0 if self.shown is None else len(self.shown)
        self.grid.show_tiles(count, self._chosen_mask(), from_top=from_top)
        self._say()

    def _chosen_mask(self) -> NDArray[np.bool_]:
        if self.shown is None:
            return np.zeros(0, dtype=bool)
        if not len(self.session.chosen):
            return np.zeros(len(self.shown), dtype=bool)
        return self.shown.cells.isin(self.session.chosen)

    def _look_again(self) -> None:
        """Read crops from the project as it is now; what is open stays open where nothing has changed but labels."""
        project = self.session.project
        if project is None or self.shown is None or not len(self.shown):
            return
        run = self.shown.table.run
        folder = project.runs / run if run else None
        if self._looked_at != (project.folder, folder):
            self._looked_at = (project.folder, folder)
            self.reader.look_at(CropLooks(self.session.look(), folder))

    def _forget(self, image_id: int | None = None) -> None:
        self._looked_at = ()
        self.reader.forget(image_id)

    def _on_chosen(self, _cells: CellRefs) -> None:
        mask = self._chosen_mask()
        if not np.array_equal(mask, self.grid.picks.mask):
            self.grid.show_chosen(mask)
        self._say()
        self.attention.follow()

    def _on_labels(self, image_id: int, _rows: object) -> None:
        if self.shown is not None:
            self.shown.look_up_labels(self.session, image_id)
            self.grid.viewport().update()

    def _on_cells(self, image_id: int) -> None:
        self._forget(image_id)
        self._on_images()

    def _on_images(self) -> None:
        """Let go of cells that are not there any more."""
        self._looked_at = ()
        if self.shown is not None:
            self._refresh()
            self._look_again()
            self._want()

    def _on_review(self) -> None:
        self._timer.start()

    def _refresh(self) -> None:
        """Take what is said of the cells now; they stay where they are."""
        if self.shown is None:
            return
        bar = self.grid.verticalScrollBar()
        before = bar.value()
        self.shown = self.shown.refreshed(self.session)
        self._show_tiles(from_top=False)
        bar.setValue(before)

    def _on_scheme(self) -> None:
        self.tiles.use(self.session.scheme)
        self.grid.viewport().update()

    def _on_settings(self) -> None:
        """Other channels may be the network's now."""
        now = self.session.network_channels
        if now != self._channels:
            self._channels = now
            self._forget()
            self._look_again()
            self._want()

    def _on_people(self) -> None:
        """Show nothing that others or a model said to somebody who labels blind from now on: a title may say it."""
        blind = self.session.blind
        self.attention.allow(not blind)
        if blind:
            self.session.choose(CellRefs())
            self.session.show_cells(CellRefs(), "")

    def _on_project(self) -> None:
        self._forget()
        self.attention.forget()

    # what the user does

    def _on_picked(self) -> None:
        self.session.choose(self.chosen_here())
        self._say()

    @showing_errors
    def _open(self, place: int) -> None:
        if self.shown is not None:
            self.session.visit(*self.shown.name(place))

    def _sort(self, order: str) -> None:
        if self.shown is not None:
            self.shown = self.shown.sorted(order)
            self._show_tiles(from_top=True)

    def _resize_tiles(self, side: int) -> None:
        self.tiles.side = side
        self.grid.set_tile(*self.tiles.size)

    def _outline(self, on: bool) -> None:
        self.tiles.outlined = on
        self.grid.viewport().update()

    # crops

    def _want(self) -> None:
        """Ask for the crops that are seen, then for those a screen ahead and behind."""
        if self.shown is None or not self.isVisible():
            return
        seen, count = self.grid.seen, len(self.shown)
        screen = len(seen)
        ahead = range(seen.stop, min(seen.stop + screen, count))
        behind = range(max(0, seen.start - screen), seen.start)
        self.reader.want([self.shown.name(place) for part in (seen, ahead, behind) for place in part])
        self.attention.follow()

    def _on_arrived(self) -> None:
        self.grid.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Begin to read; while hidden nothing is read."""
        super().showEvent(event)
        self._want()

    def _to_explain(self) -> tuple[CellRefs, NDArray[np.int64], str]:
        """Return the cells whose maps are wanted: the chosen ones, or those that are seen; their classes; the run."""
        if self.shown is None:
            return CellRefs(), np.zeros(0, np.int64), ""
        mask = self.grid.picks.mask
        places = np.flatnonzero(mask) if mask.any() else np.array(self.grid.seen, dtype=np.int64)
        return self.shown.cells.take(places), self.shown.table.predicted[places], self.shown.table.run

    # painting

    def _paint_tile(self, painter: QPainter, rect: QRect, place: int, chosen: bool) -> None:
        shown = self.shown
        if shown is None:
            return
        name = shown.name(place)
        picture = self.reader.picture(name)

        def over(on: QPainter, crop: QRectF) -> None:
            if picture is not None and picture.pixels is not None:
                self.attention.paint(on, crop, name, picture.window)

        self.tiles.paint(painter, rect, tile_of(shown, place, picture, chosen), over)

    def _tip(self, place: int) -> str:
        return "" if self.shown is None else tip_of(self.session, self.shown, place)

    def _say(self) -> None:
        count = 0 if self.shown is None else len(self.shown)
        self.head.show_title(self.session.shown.title, count, int(self.grid.picks.mask.sum()))
