"""Heads of the confusion matrix: names of classes with their colours, upright where there is little room."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QRect, QSize, Qt
from qtpy.QtGui import QColor, QHelpEvent, QPainter
from qtpy.QtWidgets import QHeaderView, QToolTip, QWidget

from napari_cellstage.ui.review.matrix_model import MatrixModel
from napari_cellstage.ui.theme import PanelTheme

_SWATCH, _GAP = 9, 4  # pixels
_LONGEST, _TALLEST = 150, 42  # pixels of a name beside a row; above a column where the matrix is low


class ClassHead(QHeaderView):
    """Names of the classes along one side."""

    def __init__(self, orientation: Qt.Orientation, theme: PanelTheme, model: MatrixModel, parent: QWidget) -> None:
        super().__init__(orientation, parent)
        self._theme, self._counts = theme, model
        self._across = orientation == Qt.Orientation.Horizontal
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setMinimumSectionSize(12)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Predictions" if self._across else "Labels")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return room for the longest name, but not for all of a long one."""
        line = self.fontMetrics()
        names = [self._counts.names.get(one, "") for one in self._counts.ids] or ["class"]
        view = self.parentWidget()
        most = max(_TALLEST, view.height() // 4) if self._across else min(_LONGEST, view.width() // 4)
        longest = min(max(line.horizontalAdvance(name) for name in names), most) + _SWATCH + 3 * _GAP
        if self._across and not self._upright():
            return QSize(longest, line.height() + 2 * _GAP)
        return QSize(line.height() + _GAP, longest) if self._across else QSize(longest, line.height())

    def paintSection(self, painter: QPainter | None, rect: QRect, place: int) -> None:  # noqa: N802 - Qt's name
        """Paint a name beside its colour."""
        if painter is None:
            return
        painter.save()
        painter.fillRect(rect, self._theme.background)
        painter.translate(rect.topLeft())
        width, height = rect.width(), rect.height()
        if self._across and self._upright():
            painter.translate(0, height)
            painter.rotate(-90)
            width, height = height, width
        self._paint_name(painter, place, width, height)
        painter.restore()

    def _paint_name(self, painter: QPainter, place: int, width: int, height: int) -> None:
        class_id = self._counts.class_at(place)
        start = _GAP
        if class_id:
            swatch = QRect(_GAP, (height - _SWATCH) // 2, _SWATCH, _SWATCH)
            painter.fillRect(swatch, QColor(self._counts.colors.get(class_id, "#808080")))
            start += _SWATCH + _GAP
        name = str(self._counts.headerData(place, self.orientation()))
        room = max(width - start - 2, 0)
        painter.setPen(self._theme.text if class_id else self._theme.faint)
        text = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, room)
        painter.drawText(
            QRect(start, 0, room, height), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text
        )

    def _upright(self) -> bool:
        line = self.fontMetrics()
        names = [self._counts.names.get(one, "") for one in self._counts.ids]
        widest = max((line.horizontalAdvance(name) for name in names), default=0)
        return bool(widest + _SWATCH + 3 * _GAP > self.defaultSectionSize())

    def viewportEvent(self, event: Any) -> bool:  # noqa: N802 - Qt's name
        """Say the whole name and the number of cells where the mouse rests."""
        if not isinstance(event, QHelpEvent):
            handled: bool = super().viewportEvent(event)
            return handled
        place = self.logicalIndexAt(event.pos())
        if place >= 0:
            last = len(self._counts.ids)
            count = self._counts.count(last, place) if self._across else self._counts.count(place, last)
            said = self._counts.headerData(place, self.orientation(), Qt.ItemDataRole.AccessibleTextRole)
            QToolTip.showText(event.globalPos(), f"{said}: {count:,} cells", self)
        return True
