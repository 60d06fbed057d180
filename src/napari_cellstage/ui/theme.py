"""Colours of napari's theme, for the few things here that paint themselves: bars, swatches and curves."""

from __future__ import annotations

from napari.utils.theme import get_theme
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QColor


class PanelTheme(QObject):
    """The colours of a viewer's theme now; `changed` is emitted when the user takes another theme or font size.

    Parameters
    ----------
    viewer
        The napari viewer whose theme is followed.
    """

    changed = Signal()

    def __init__(self, viewer: object, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        viewer.events.theme.connect(self._on_theme)  # type: ignore[attr-defined]

    def close_link(self) -> None:
        """Give the viewer's signal back."""
        self._viewer.events.theme.disconnect(self._on_theme)  # type: ignore[attr-defined]

    @property
    def background(self) -> QColor:
        """Behind the panels."""
        return self._color("background")

    @property
    def field(self) -> QColor:
        """Behind lists and curves."""
        return self._color("foreground")

    @property
    def text(self) -> QColor:
        """Writing."""
        return self._color("text")

    @property
    def faint(self) -> QColor:
        """Writing that matters less: halfway between text and background."""
        text, background = self.text, self.background
        return QColor(*((3 * a + 2 * b) // 5 for a, b in zip(_rgb(text), _rgb(background), strict=True)))

    @property
    def selection(self) -> QColor:
        """Behind what is chosen."""
        return self._color("highlight")

    def _color(self, name: str) -> QColor:
        color = getattr(get_theme(self._viewer.theme), name)  # type: ignore[attr-defined]
        return QColor(color.as_hex(format="long")[:7])

    def _on_theme(self) -> None:
        self.changed.emit()


def _rgb(color: QColor) -> tuple[int, int, int]:
    return color.red(), color.green(), color.blue()
