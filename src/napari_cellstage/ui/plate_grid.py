"""A plate seen from above: a field a well, coloured and written on; wells are chosen by mouse or arrow keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qtpy.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_cellstage.core.image_facts import row_name, well_at
from napari_cellstage.ui.theme import PanelTheme

SHAPES = ((8, 12), (16, 24), (32, 48))
Well = tuple[int, int]
_ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}
_PICKING = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)


@dataclass(frozen=True)
class WellLook:
    """How a well is shown.

    Parameters
    ----------
    color
        Of its field; None for a well whose value isn't known.
    text
        Written on it, as far as there is room.
    tip
        Said when the mouse rests on it.
    """

    color: QColor | None
    text: str
    tip: str


class PlateGrid(QWidget):
    """The wells of one plate. A click chooses one, a drag many, Ctrl adds; a click beside the wells chooses none.

    Signals
    -------
    chosen_changed : other wells are chosen.
    """

    chosen_changed = Signal()

    def __init__(self, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._looks: Mapping[Well, WellLook] = {}
        self._shape = SHAPES[0]
        self.chosen: frozenset[Well] = frozenset()
        self._cursor: Well = (1, 1)
        self._began: Well | None = None
        self._kept: frozenset[Well] = frozenset()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(200)
        self.setAccessibleName("Wells of the plate")
        theme.changed.connect(self.update)

    def show_wells(self, looks: Mapping[Well, WellLook]) -> None:
        """Show these wells, by row and column from 1, on the smallest plate that has them."""
        self._looks = looks
        last = [max((well[axis] for well in looks), default=1) for axis in (0, 1)]
        self._shape = next(one for one in SHAPES if one[0] >= last[0] and one[1] >= last[1])
        self._choose(frozenset(well for well in self.chosen if well in looks))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As wide as the window."""
        return QSize(640, 300)

    def place_of(self, well: Well) -> QRect:
        """Return where a well is painted."""
        left, top, width, height = self._frame()
        corner = QPoint(round(left + (well[1] - 1) * width), round(top + (well[0] - 1) * height))
        opposite = QPoint(round(left + well[1] * width) - 1, round(top + well[0] * height) - 1)
        return QRect(corner, opposite).adjusted(1, 1, -1, -1)

    def well_at(self, point: QPoint) -> Well | None:
        """Return the well at a place, None beside them."""
        left, top, width, height = self._frame()
        row, column = int((point.y() - top) // height) + 1, int((point.x() - left) // width) + 1
        return (row, column) if 1 <= row <= self._shape[0] and 1 <= column <= self._shape[1] else None

    # painting

    def _frame(self) -> tuple[float, float, float, float]:
        """Return left, top, width and height of the first well."""
        line = self.fontMetrics().height()
        left, top = float(self.fontMetrics().horizontalAdvance("AAA")), line + 2.0
        return left, top, (self.width() - left) / self._shape[1], (self.height() - top) / self._shape[0]

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint the wells, their rows and columns."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_axes(painter)
        for row in range(1, self._shape[0] + 1):
            for column in range(1, self._shape[1] + 1):
                self._paint_well(painter, (row, column))

    def _paint_axes(self, painter: QPainter) -> None:
        left, top, width, height = self._frame()
        painter.setPen(self._theme.faint)
        step = 1 if width >= self.fontMetrics().horizontalAdvance("000") else 2
        middle = Qt.AlignmentFlag.AlignCenter
        for column in range(0, self._shape[1], step):
            painter.drawText(QRectF(left + column * width, 0, width * step, top), middle, str(column + 1))
        for row in range(self._shape[0]):
            painter.drawText(QRectF(0, top + row * height, left, height), middle, row_name(row + 1))

    def _paint_well(self, painter: QPainter, well: Well) -> None:
        box, look = self.place_of(well), self._looks.get(well)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(self._theme.field)
        if look is not None:
            painter.setBrush(look.color or self._theme.field)
            painter.setPen(self._theme.faint)
        painter.drawRoundedRect(box, 4, 4)
        if look is not None and box.height() > self.fontMetrics().height():
            self._paint_text(painter, box, look)
        if well in self.chosen or (well == self._cursor and self.hasFocus()):
            self._paint_ring(painter, box, 3 if well in self.chosen else 1)

    def _paint_ring(self, painter: QPainter, box: QRect, width: int) -> None:
        """Paint a ring that is seen on light and dark wells alike: the colour of writing within that behind it."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for color, wide in ((self._theme.background, width + 4), (self._theme.text, width)):
            painter.setPen(QPen(color, wide))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 4, 4)

    def _paint_text(self, painter: QPainter, box: QRect, look: WellLook) -> None:
        back = look.color or self._theme.field
        dark = 0.3 * back.redF() + 0.59 * back.greenF() + 0.11 * back.blueF() < 0.5
        painter.setPen(QColor("white" if dark else "black"))
        room = box.adjusted(3, 0, -3, 0)
        text = painter.fontMetrics().elidedText(look.text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)

    # choosing

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Begin to choose."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        well = self.well_at(event.pos())
        adds = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self._kept = self.chosen if adds else frozenset()
        self._began = well
        if well is None:
            self._choose(frozenset())
        else:
            self._cursor = well
            single = frozenset({well}) & self._looks.keys()
            self._choose(self._kept ^ single)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose the wells between here and where the mouse went down; without a button say what is here."""
        well = self.well_at(event.pos())
        if not event.buttons() & Qt.MouseButton.LeftButton:
            look = self._looks.get(well) if well else None
            QToolTip.showText(self.mapToGlobal(event.pos()), look.tip if look else "", self)
        elif well and self._began and well != self._cursor:
            self._cursor = well
            self._choose(self._kept | self._between(self._began, well))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Arrows go from well to well, Space or Enter chooses, with Ctrl beside those chosen before."""
        if step := _ARROWS.get(event.key()):
            row, column = (min(max(a + b, 1), n) for a, b, n in zip(self._cursor, step, self._shape, strict=True))
            self._cursor = (row, column)
            self._tell_cursor()
            self.update()
        elif event.key() in _PICKING:
            adds = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            here = frozenset({self._cursor}) & self._looks.keys()
            self._choose((self.chosen if adds else frozenset()) ^ here)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """Show where the arrows are."""
        super().focusInEvent(event)
        self._tell_cursor()
        self.update()

    def _tell_cursor(self) -> None:
        look = self._looks.get(self._cursor)
        self.setAccessibleDescription(look.tip if look else f"{well_at(*self._cursor)}: no image")

    def _between(self, one: Well, other: Well) -> frozenset[Well]:
        rows, columns = (sorted(pair) for pair in zip(one, other, strict=True))
        return frozenset(
            well for well in self._looks if rows[0] <= well[0] <= rows[1] and columns[0] <= well[1] <= columns[1]
        )

    def _choose(self, wells: frozenset[Well]) -> None:
        if wells != self.chosen:
            self.chosen = wells
            self.update()
            self.chosen_changed.emit()
