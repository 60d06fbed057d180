"""The list of classes: key, colour, name, count and bar in one line each. It shows and asks; the session decides."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QModelIndex, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter
from qtpy.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.ui.theme import PanelTheme

_ID, _COLOR, _KEY, _COUNT, _SHARE = (Qt.ItemDataRole.UserRole + i for i in range(5))
_PAD = 6


class ClassList(QListWidget):
    """The classes in order; a click arms one, a double click renames it, a drag moves it.

    Signals
    -------
    armed : class id, or 0 when the armed class is clicked again.
    color_wanted : class id; its swatch was double clicked.
    renamed : class id, new name.
    moved : class id, new place.
    """

    armed = Signal(int)
    color_wanted = Signal(int)
    renamed = Signal(int, str)
    moved = Signal(int, int)

    def __init__(self, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._armed_id = 0
        self._filling = False
        self.setItemDelegate(_ClassDelegate(theme, self))
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setUniformItemSizes(True)
        self.setAccessibleName("Classes")
        self.setToolTip(
            "Click a class to arm it: each cell you click then gets it.\n"
            "Double click a name to change it, its colour to choose another; drag to reorder."
        )
        self.itemChanged.connect(self._on_item_changed)
        self.model().rowsMoved.connect(self._on_rows_moved)
        theme.changed.connect(self.viewport().update)

    @property
    def armed_id(self) -> int:
        """The class that a click on a cell gives; 0: none."""
        return self._armed_id

    @property
    def current_id(self) -> int:
        """The class whose line is chosen; 0: none."""
        item = self.currentItem()
        return int(item.data(_ID)) if item is not None else 0

    def show_scheme(self, scheme: ClassScheme, counts: Mapping[int, int], read_only: bool) -> None:
        """Show these classes and how many cells have each."""
        chosen = self.current_id
        self._filling = True
        self.clear()
        for one in scheme:
            item = QListWidgetItem(one.name)
            flags = item.flags() & ~Qt.ItemFlag.ItemIsDropEnabled
            item.setFlags(flags if read_only else flags | Qt.ItemFlag.ItemIsEditable)
            item.setData(_ID, one.id)
            item.setData(_COLOR, one.color)
            item.setData(_KEY, scheme.key_of(one.id) or "")
            self.addItem(item)
            if one.id == chosen:
                self.setCurrentItem(item)
        self._filling = False
        self.show_counts(counts)

    def show_counts(self, counts: Mapping[int, int]) -> None:
        """Show how many cells have each class."""
        most = max(counts.values(), default=0)
        self._filling = True
        for item in map(self.item, range(self.count())):
            count = counts.get(item.data(_ID), 0)
            item.setData(_COUNT, count)
            item.setData(_SHARE, count / most if most else 0.0)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.data(_KEY)} {item.text()}, {count:,} cells")
        self._filling = False

    def show_armed(self, class_id: int) -> None:
        """Mark the class that is armed; 0: none."""
        self._armed_id = class_id
        self.viewport().update()

    def rename_current(self) -> None:
        """Begin to change the chosen class's name."""
        if (item := self.currentItem()) is not None:
            self.editItem(item)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As tall as its lines, up to ten of them."""
        lines = min(max(self.count(), 3), 10)
        return QSize(220, lines * self.sizeHintForRow(0) + 6 if self.count() else 90)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Arm the class under the mouse, or disarm it when it is armed."""
        super().mouseReleaseEvent(event)
        item = self.itemAt(event.pos())
        if item is not None and event.button() == Qt.MouseButton.LeftButton:
            self._arm(item)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Change the colour or the name."""
        item = self.itemAt(event.pos())
        if item is None or not item.flags() & Qt.ItemFlag.ItemIsEditable:
            return
        if swatch_rect(self.visualItemRect(item), self.fontMetrics().height()).contains(event.pos()):
            self.color_wanted.emit(int(item.data(_ID)))
        else:
            self.editItem(item)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter and Space arm; letters and numbers go on to the viewer, whose keys they are."""
        item = self.currentItem()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and item is not None:
            self._arm(item)
        elif event.text().strip() and event.key() != Qt.Key.Key_F2:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _arm(self, item: QListWidgetItem) -> None:
        class_id = int(item.data(_ID))
        self.armed.emit(0 if class_id == self._armed_id else class_id)

    def _on_item_changed(self, item: QListWidgetItem) -> None:
        if not self._filling:
            self.renamed.emit(int(item.data(_ID)), item.text())

    def _on_rows_moved(self, _parent: QModelIndex, start: int, _end: int, _target: QModelIndex, row: int) -> None:
        if not self._filling:
            place = row - 1 if row > start else row
            self.moved.emit(int(self.item(place).data(_ID)), place)


def swatch_rect(line: QRect, size: int) -> QRect:
    """Return where a line's colour is painted: after the key, `size` pixels square."""
    return QRect(line.left() + _PAD + size, line.center().y() - size // 2 + 1, size, size)


class _ClassDelegate(QStyledItemDelegate):
    """Paints one class."""

    def __init__(self, theme: PanelTheme, parent: ClassList) -> None:
        super().__init__(parent)
        self._theme = theme
        self._list = parent

    def sizeHint(self, option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:  # noqa: N802 - Qt's name
        """One line with room to click."""
        return QSize(180, option.fontMetrics.height() + 10)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, _index: QModelIndex) -> None:  # noqa: N802
        """Edit the name where it stands."""
        size = option.fontMetrics.height()
        editor.setGeometry(option.rect.adjusted(2 * size + 2 * _PAD, 1, -2, -1))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Paint key, swatch, name, bar and count."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line, size = option.rect, option.fontMetrics.height()
        armed = index.data(_ID) == self._list.armed_id
        self._paint_back(painter, option, index, armed)
        font = painter.font()
        font.setBold(armed)
        painter.setFont(font)
        painter.setPen(self._theme.faint)
        painter.drawText(line.adjusted(_PAD, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, index.data(_KEY))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(index.data(_COLOR)))
        painter.drawRoundedRect(swatch_rect(line, size), 3, 3)
        painter.setPen(self._theme.text)
        self._paint_name_and_count(painter, line, size, index)
        painter.restore()

    def _paint_back(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex, armed: bool) -> None:
        """Paint the bar of the count, and a frame around the armed class."""
        line = option.rect.adjusted(1, 1, -1, -1)
        if index.row() == self._list.currentRow() and self._list.hasFocus():
            painter.fillRect(line, self._theme.selection)
        color = QColor(index.data(_COLOR))
        color.setAlpha(90)
        left = line.left() + 2 * option.fontMetrics.height() + 2 * _PAD - 3
        width = round((line.right() - left) * float(index.data(_SHARE) or 0.0))
        painter.fillRect(QRect(left, line.bottom() - 3, width, 3), color)
        if armed:
            painter.setPen(self._theme.text)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(line, 3, 3)

    def _paint_name_and_count(self, painter: QPainter, line: QRect, size: int, index: QModelIndex) -> None:
        metrics = painter.fontMetrics()
        count = f"{index.data(_COUNT) or 0:,}"
        room = max(metrics.horizontalAdvance("00000"), metrics.horizontalAdvance(count))
        name_box = line.adjusted(2 * size + 2 * _PAD, 0, -room - _PAD, 0)
        name = metrics.elidedText(index.data(), Qt.TextElideMode.ElideRight, name_box.width())
        painter.drawText(name_box, Qt.AlignmentFlag.AlignVCenter, name)
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(line.adjusted(0, 0, -_PAD, 0), right, count)
