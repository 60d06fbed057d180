"""A grid of tiles to choose from, by mouse and keys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from qtpy.QtCore import QEvent, QPoint, QRect, Qt, Signal
from qtpy.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_cellstage.ui.review.grid_places import Mask
from napari_cellstage.ui.review.tile_view import PaintTile, TileView
from napari_cellstage.ui.theme import PanelTheme

Key = Qt.Key
_STEPS = {Key.Key_Left: -1, Key.Key_Right: 1, Key.Key_Home: -(10**9), Key.Key_End: 10**9}
_ROWS = {Key.Key_Up: -1, Key.Key_Down: 1}
_OPEN = (Key.Key_Space,)
_OWN = (*_STEPS, *_ROWS, *_OPEN, Key.Key_PageUp, Key.Key_PageDown, Key.Key_Escape)


class TileGrid(TileView):
    """Tiles, and which of them are chosen; see `TileView`.

    Parameters
    ----------
    is_key
        Returns whether a key that the grid does not know means something to whoever hears `key_pressed`.

    Signals
    -------
    picked : the user has chosen other tiles.
    opened : place of a tile that was clicked twice, or Space was pressed on.
    menu_wanted : point on the screen.
    key_pressed : a key that means nothing to the grid; accept the event to keep it from others.
    """

    picked = Signal()
    opened = Signal(int)
    menu_wanted = Signal(QPoint)
    key_pressed = Signal(object)

    def __init__(
        self,
        theme: PanelTheme,
        paint_tile: PaintTile,
        tip_of: Callable[[int], str],
        is_key: Callable[[QKeyEvent], bool],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, paint_tile, tip_of, parent)
        self._is_key = is_key
        self._press: QPoint | None = None  # in the grid, not on the screen
        self._before: Mask = self.picks.mask
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose a tile, or begin a band."""
        point = self._in_grid(event.pos())
        place = self.places.place_at(point.x(), point.y())
        adds, extends = _modifiers(event)
        if event.button() == Qt.MouseButton.RightButton:
            if place is not None and not self.picks.mask[place]:
                self.picks.click(place)
                self._on_picked()
            return
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._press, self._before = point, self.picks.mask.copy()
        if place is not None:
            self.picks.click(place, adds=adds, extends=extends)
        elif not adds and not extends:
            self.picks.none()
        if not adds and not extends:
            self._before = np.zeros(self.count, dtype=bool)
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the band, scrolling at the edges."""
        if self._press is None or len(self._before) != self.count:  # cells went meanwhile
            return
        point = self._in_grid(event.pos())
        if self._band is None and (point - self._press).manhattanLength() < QApplication.startDragDistance():
            return
        self._scroll_towards(event.pos().y())
        point = self._in_grid(event.pos())
        self._band = QRect(self._press, point).normalized()
        band = self._band
        touched = self.places.within(band.left(), band.top(), band.right(), band.bottom())
        self.picks.mask = self._before.copy()
        self.picks.mask[touched] = True
        self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """End the band; only now others hear what is chosen."""
        if event.button() == Qt.MouseButton.LeftButton and self._press is not None:
            self._press = self._band = None
            self._on_picked()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Open a tile."""
        point = self._in_grid(event.pos())
        place = self.places.place_at(point.x(), point.y())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit(place)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 - Qt's name
        """Ask for the menu, at the mouse or at the current tile."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard and self.picks.current >= 0
        here = self.rect_of(self.picks.current).center() if by_key else event.pos()
        self.menu_wanted.emit(self.viewport().mapToGlobal(here))

    # keys and other events

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Move, choose and open; other keys are told."""
        extends = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        key, control = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key == Key.Key_A and control:
            self.picks.all()
            self._on_picked()
        elif key == Key.Key_Escape and self.picks.mask.any():
            self.picks.none()
            self._on_picked()
        elif key in _OPEN and self.picks.current >= 0:
            self.opened.emit(self.picks.current)
        elif by := self._steps(key):
            self.picks.step(by, extends=extends)
            self.scroll_to(max(self.picks.current, 0))
            self._on_picked()
        else:
            event.ignore()
            self.key_pressed.emit(event)

    def event(self, event: QEvent) -> bool:
        """Keep our keys from the window's shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride:
            control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            if event.key() in _OWN or (event.key() == Key.Key_A and control) or self._is_key(event):
                event.accept()
                return True
        return bool(super().event(event))

    def _steps(self, key: int) -> int:
        rows = max(1, self.viewport().height() // self.places.pitch)
        pages = {Key.Key_PageUp: -rows, Key.Key_PageDown: rows}
        return _STEPS.get(key, 0) or (_ROWS.get(key, 0) or pages.get(key, 0)) * self.places.columns

    def _on_picked(self) -> None:
        self.viewport().update()
        self.picked.emit()


def _modifiers(event: QMouseEvent) -> tuple[bool, bool]:
    """Return whether Ctrl and Shift are held."""
    held = event.modifiers()
    return bool(held & Qt.KeyboardModifier.ControlModifier), bool(held & Qt.KeyboardModifier.ShiftModifier)
