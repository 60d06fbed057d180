"""A window of its own for a part of the dock that wants room; closing it gives the part back."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QCloseEvent, QKeyEvent, QKeySequence
from qtpy.QtWidgets import QVBoxLayout, QWidget

_HELD = (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr)


class OwnWindow(QWidget):
    """Holds a part while it is open.

    Parameters
    ----------
    title
        Of the window.
    press_key
        Does what a key does on the canvas, such as ``"3"``; returns whether it is one that does anything.
    parent
        The window goes with it.

    Signals
    -------
    left : the window is being closed.
    """

    left = Signal()

    def __init__(self, title: str, press_key: Callable[[str], bool], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._press_key = press_key
        self.setWindowTitle(title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As large as most screens allow."""
        return QSize(1200, 760)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Do what the key does on the canvas."""
        key = "" if event is None else key_text(event)
        if not key or not self._press_key(key):
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Give the part back."""
        self.left.emit()
        super().closeEvent(event)


def key_text(event: QKeyEvent) -> str:
    """Return a key as napari writes it: ``"3"``, ``"Ctrl+Z"``; empty for one that is only held with others."""
    if event.key() in _HELD:
        return ""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    held = modifiers.value if hasattr(modifiers, "value") else int(modifiers)
    text = str(QKeySequence(held | int(event.key())).toString(QKeySequence.SequenceFormat.PortableText))
    return {"Esc": "Escape", "PgDown": "PageDown", "PgUp": "PageUp"}.get(text, text)
