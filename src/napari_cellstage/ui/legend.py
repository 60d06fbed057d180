"""The legend of the overlay, painted in the colours that the overlay has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QBrush, QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_cellstage.ui.overlay import OPACITY_OF, UNLIKE_COLOR, UNSURE_COLOR, class_colors, confidence_colors

if TYPE_CHECKING:
    from napari_cellstage.ui.viewer_link import ViewerLink

SWATCHES = 6
NO_CLASSES = np.array([[0.34, 0.71, 0.91, 1.0]], dtype=np.float32)
UNLIKE_TEXT = "unlike the training cells"
BACKGROUND = QColor("#202020")  # the overlay is looked at over a dark image, in every theme


class Legend(QWidget):
    """Says what a fill, an outline, gray and a colour mean.

    Parameters
    ----------
    link
        Whose overlay.
    """

    def __init__(self, link: ViewerLink) -> None:
        super().__init__()
        self._link = link
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Filled and faint: predicted. Outlined and strong: labelled by you. Gray stripes: unsure. "
            "Thin stripes the other way: unlike all cells that the model was trained on, so it is given no class."
        )

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return three lines of text."""
        return QSize(200, 3 * self._line)

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_kinds(painter)
        self._paint_confidence(painter)
        if self._link.settings.flag_unlike:
            self._paint_unlike(painter)
        painter.end()

    @property
    def _line(self) -> int:
        return int(self.fontMetrics().height()) + 8

    def _paint_kinds(self, painter: QPainter) -> None:
        color = self._colors()[0]
        filled = self._link.settings.style == "filled"
        x = 0.0
        dense, striped, empty = Qt.BrushStyle.SolidPattern, Qt.BrushStyle.BDiagPattern, Qt.BrushStyle.NoBrush
        for text, rgba, brush in (
            ("predicted", (*color[:3], 0.5), dense if filled else empty),
            ("labelled", (*color[:3], 1.0), empty),
            ("unsure", UNSURE_COLOR, striped),
        ):
            x = self._paint_entry(painter, x, text, QColor.fromRgbF(*map(float, rgba)), brush)

    def _paint_unlike(self, painter: QPainter) -> None:
        top = self._line * (1 if self._link.settings.confidence == "off" else 2)
        color = QColor.fromRgbF(*UNLIKE_COLOR)
        self._paint_entry(painter, 0, UNLIKE_TEXT, color, Qt.BrushStyle.FDiagPattern, top)

    def _paint_entry(
        self, painter: QPainter, x: float, text: str, color: QColor, brush: Qt.BrushStyle, top: int = 0
    ) -> float:
        side = self._line - 8
        box = QRectF(x + 1, top + 3, side, side)
        painter.fillRect(box, BACKGROUND)
        if brush == Qt.BrushStyle.NoBrush:
            painter.setPen(QPen(color, 2.5))
            painter.drawRect(box.adjusted(2, 2, -2, -2))
        else:
            painter.fillRect(box, QBrush(color, brush))
        width = float(self.fontMetrics().horizontalAdvance(text))
        painter.setPen(self.palette().windowText().color())
        painter.drawText(QRectF(x + side + 5, top, width + 4, side + 6), Qt.AlignmentFlag.AlignVCenter, text)
        return float(x + side + width + 18)

    def _paint_confidence(self, painter: QPainter) -> None:
        kind = self._link.settings.confidence
        if kind == "off":
            return
        height, top = self._line - 8, self._line + 3
        painter.setPen(self.palette().windowText().color())
        text, end = "unsure", "sure"
        left = self.fontMetrics().horizontalAdvance(text) + 6
        painter.drawText(QRectF(0, top - 2, left, height + 4), Qt.AlignmentFlag.AlignVCenter, text)
        for step, rgba in enumerate(self._ramp(kind)):
            box = QRectF(left + step * height * 1.3, top, height * 1.3, height)
            painter.fillRect(box, BACKGROUND)
            painter.fillRect(box, QColor.fromRgbF(*map(float, rgba)))
        right = left + SWATCHES * height * 1.3 + 6
        painter.drawText(QRectF(right, top - 2, 80, height + 4), Qt.AlignmentFlag.AlignVCenter, end)

    def _ramp(self, kind: str) -> list[tuple[float, ...]]:
        steps, style = np.linspace(0, 1, SWATCHES), self._link.settings.style
        faintest, strongest = OPACITY_OF[style]
        if kind == "colour map":
            return [tuple(rgba) for rgba in confidence_colors(steps, style).tolist()]
        red, green, blue = self._colors()[0][:3].tolist()
        return [(red, green, blue, float(faintest + (strongest - faintest) * step)) for step in steps]

    def _colors(self) -> np.ndarray:
        colors = class_colors(self._link.session.scheme)
        return colors if len(colors) else NO_CLASSES
