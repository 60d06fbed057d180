"""Notices when a dock widget is closed for good: its × was pressed, or its window is gone. Hiding is not closing."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QApplication, QMainWindow, QWidget


class ClosingWatch(QObject):
    """Watches one dock widget.

    napari's × takes the inner widget out of its dock and forgets it, with no event but a change of parent; a closing
    window hides its children. Both are told from hiding here.

    Signals
    -------
    closing : emitted once, while all widgets are still alive.
    """

    closing = Signal()

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._window: QMainWindow | None = None
        self._was_docked = False
        self._told = False
        widget.installEventFilter(self)
        app = QApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.tell)

    def tell(self) -> None:
        """Emit `closing`, but not twice."""
        if not self._told:
            self._told = True
            self._widget.removeEventFilter(self)
            if self._window is not None:
                self._window.removeEventFilter(self)
            self.closing.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Look at what happens to the widget and its window."""
        kind = event.type()
        if watched is self._widget:
            if kind == QEvent.Type.ParentChange:
                self._on_parent()
            elif kind in (QEvent.Type.Close, QEvent.Type.DeferredDelete):
                self.tell()
        elif watched is self._window:
            if kind == QEvent.Type.DeferredDelete:
                self.tell()
            elif kind == QEvent.Type.Close and event.spontaneous():
                QTimer.singleShot(0, self._on_window_closed)  # napari asks the user first
            elif kind == QEvent.Type.Close:
                self.tell()
        return False

    def _on_parent(self) -> None:
        if self._widget.parentWidget() is None:
            if self._was_docked:
                self.tell()
            return
        self._was_docked = True
        self._watch_window()
        QTimer.singleShot(0, self._watch_window)  # the dock may not be in its window yet

    def _watch_window(self) -> None:
        if self._told:
            return
        window = self._widget.window()
        if isinstance(window, QMainWindow) and window is not self._window:
            if self._window is not None:
                self._window.removeEventFilter(self)
            self._window = window
            window.installEventFilter(self)

    def _on_window_closed(self) -> None:
        """Tell, unless the user has answered "cancel" to napari's question."""
        if self._window is not None and not self._window.isVisible():
            self.tell()
