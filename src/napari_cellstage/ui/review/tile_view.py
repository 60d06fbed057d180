"""Many tiles that scroll smoothly: only what is seen is painted. What is on a tile is none of its business.

Qt's own list views keep what is chosen as ranges; cells that are chosen on a map lie all over the grid, and thousands
of ranges take them seconds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from qtpy.QtCore import QEvent, QPoint, QRect, Qt, Signal
from qtpy.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from napari_cellstage.ui.review.grid_places import GridPlaces, Mask, Picks
from napari_cellstage.ui.theme import PanelTheme

PaintTile = Callable[[QPainter, QRect, int, bool], None]


class TileView(QAbstractScrollArea):
    """Tiles, painted; which of them are chosen is shown, and changed by `TileGrid`.

    Parameters
    ----------
    theme
        Colours.
    paint_tile
        Paints a tile: painter, rectangle, place, whether it is chosen.
    tip_of
        Returns what is said of a tile when the mouse rests on it.

    Signals
    -------
    seen_changed : other tiles are seen.
    """

    seen_changed = Signal()

    def __init__(
        self, theme: PanelTheme, paint_tile: PaintTile, tip_of: Callable[[int], str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._paint_tile, self._tip_of = theme, paint_tile, tip_of
        self._tile = (96, 116)
        self.count = 0
        self.note = ""  # painted where there are no tiles
        self.picks = Picks(np.zeros(0, dtype=bool))
        self._band: QRect | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # else the width depends on the height
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        theme.changed.connect(self.viewport().update)

    # what is shown

    def show_tiles(self, count: int, mask: Mask, *, from_top: bool = True) -> None:
        """Show so many tiles, some of them chosen."""
        before, self.picks = self.picks, Picks(mask.copy())
        if not from_top and count == self.count:
            self.picks.current, self.picks.anchor = before.current, before.anchor
        self.count = count
        self.picks.show(mask)
        self._fit()
        if from_top:
            self.verticalScrollBar().setValue(0)
        self.viewport().update()
        self.seen_changed.emit()

    def show_chosen(self, mask: Mask) -> None:
        """Mark what was chosen elsewhere, and scroll to it where none of it is seen."""
        self.picks.show(mask)
        seen = self.seen
        if mask.any() and not mask[seen.start : seen.stop].any():
            self.scroll_to(int(mask.argmax()))
        self.viewport().update()

    def set_tile(self, width: int, height: int) -> None:
        """Give tiles another size; the first tile that is seen stays in sight."""
        first = self.seen.start
        self._tile = (width, height)
        self._fit()
        self.verticalScrollBar().setValue(self.places.corner(first)[1] - 6 if first else 0)
        self.viewport().update()
        self.seen_changed.emit()

    @property
    def places(self) -> GridPlaces:
        """Where tiles lie."""
        return GridPlaces(self.count, self.viewport().width(), self._tile)

    @property
    def seen(self) -> range:
        """Tiles that are seen, at least in part."""
        top = self.verticalScrollBar().value()
        return self.places.between(top, top + self.viewport().height())

    def scroll_to(self, place: int) -> None:
        """Bring a tile into sight."""
        top, bar = self.places.corner(place)[1], self.verticalScrollBar()
        if top < bar.value():
            bar.setValue(top - 6)
        elif top + self._tile[1] > bar.value() + self.viewport().height():
            bar.setValue(top + self._tile[1] + 6 - self.viewport().height())

    def rect_of(self, place: int) -> QRect:
        """Return where a tile is now, in the viewport."""
        x, y = self.places.corner(place)
        return QRect(x, y - self.verticalScrollBar().value(), *self._tile)

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the tiles that are seen."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), self._theme.background)
        if not self.count:
            self._paint_note(painter)
        for place in self.seen:
            rect = self.rect_of(place)
            if rect.intersects(event.rect()):
                self._paint_tile(painter, rect, place, bool(self.picks.mask[place]))
        self._paint_band(painter)
        painter.end()

    def _paint_note(self, painter: QPainter) -> None:
        painter.setPen(self._theme.faint)
        room = self.viewport().rect().adjusted(16, 16, -16, -16)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self.note)

    def _paint_band(self, painter: QPainter) -> None:
        if self._band is None:
            return
        fill = QColor(self._theme.text)
        fill.setAlpha(40)
        painter.setPen(self._theme.text)
        painter.setBrush(fill)
        painter.drawRect(self._band.translated(0, -self.verticalScrollBar().value()))

    def viewportEvent(self, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Say what a tile is."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            point = self._in_grid(event.pos())
            place = self.places.place_at(point.x(), point.y())
            text = self._tip_of(place) if place is not None else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return bool(super().viewportEvent(event))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Fit the rows to the width; what was seen first stays in sight."""
        first = GridPlaces(self.count, event.oldSize().width(), self._tile).between(self._top, self._top + 1).start
        super().resizeEvent(event)
        self._fit()
        if first and event.oldSize().width() != event.size().width():
            self.verticalScrollBar().setValue(self.places.corner(first)[1] - 6)
        self.seen_changed.emit()

    @property
    def _top(self) -> int:
        return int(self.verticalScrollBar().value())

    def _on_scrolled(self) -> None:
        self.viewport().update()
        self.seen_changed.emit()

    def _fit(self) -> None:
        room, bar = self.viewport().height(), self.verticalScrollBar()
        bar.setRange(0, max(0, self.places.height - room))
        bar.setPageStep(room)
        bar.setSingleStep(max(1, self.places.pitch // 3))

    def _scroll_towards(self, y: int) -> None:
        """Scroll while the mouse is above or below."""
        over = y - self.viewport().height() if y > self.viewport().height() else min(y, 0)
        if over:
            self.verticalScrollBar().setValue(self._top + over)

    def _in_grid(self, point: QPoint) -> QPoint:
        return QPoint(point.x(), point.y() + self._top)
