"""Small fields of colour before the names of classes."""

from __future__ import annotations

from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap

_SIDE, _GAP = 10, 3


def pair_icon(first: str, second: str) -> QIcon:
    """Return two fields side by side: label and prediction."""
    made = QPixmap(2 * _SIDE + _GAP, _SIDE)
    made.fill(QColor(0, 0, 0, 0))
    painter = QPainter(made)
    painter.fillRect(0, 0, _SIDE, _SIDE, QColor(first))
    painter.fillRect(_SIDE + _GAP, 0, _SIDE, _SIDE, QColor(second))
    painter.end()
    return QIcon(made)
