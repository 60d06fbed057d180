"""Colours made of colours: one laid over another, and writing that can be read on it."""

from __future__ import annotations

from qtpy.QtGui import QColor

_TURNING = 0.179  # relative luminance at which black and white writing have the same contrast


def blended(ground: QColor, color: QColor, share: float) -> QColor:
    """Return a colour laid over another, 0 to 1 of it."""
    parts = zip(_rgb(ground), _rgb(color), strict=True)
    return QColor(*(round((1 - share) * a + share * b) for a, b in parts))


def readable_on(field: QColor) -> QColor:
    """Return black or white, whichever has more contrast."""
    red, green, blue = (_linear(one / 255) for one in _rgb(field))
    return QColor("black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _TURNING else "white")


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _rgb(color: QColor) -> tuple[int, int, int]:
    return color.red(), color.green(), color.blue()
