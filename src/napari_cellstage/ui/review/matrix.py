"""The confusion matrix: each entry, row and column a click away from its cells."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QPainter, QPen
from qtpy.QtWidgets import QAbstractItemView, QStyledItemDelegate, QTableView, QWidget

from napari_cellstage.core.review.confusion import Confusion, Entry
from napari_cellstage.ui.review.class_heads import ClassHead
from napari_cellstage.ui.review.matrix_model import MatrixModel
from napari_cellstage.ui.review.shades import blended, readable_on
from napari_cellstage.ui.theme import PanelTheme

RIGHT, WRONG = "#0072b2", "#d55e00"  # of Okabe and Ito
_STRONGEST = 0.9  # of the colour, in an entry that has its whole row
_OPENING = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
_WALKING = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End)


class MatrixView(QTableView):
    """The matrix; arrow keys walk in it, Enter or Space opens an entry.

    Signals
    -------
    entry_wanted : label and prediction of an entry that was clicked; 0: any.
    """

    entry_wanted = Signal(int, int)

    def __init__(self, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.counts = MatrixModel(self)
        self.setModel(self.counts)
        self.setItemDelegate(_EntryPainter(self))
        self.setHorizontalHeader(ClassHead(Qt.Orientation.Horizontal, theme, self.counts, self))
        self.setVerticalHeader(ClassHead(Qt.Orientation.Vertical, theme, self.counts, self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setCornerButtonEnabled(False)
        self.setShowGrid(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("Confusion matrix: rows are labels, columns are predictions")
        self.setTabKeyNavigation(False)
        self.clicked.connect(self._open)
        self.horizontalHeader().sectionClicked.connect(lambda n: self.entry_wanted.emit(0, self.counts.class_at(n)))
        self.verticalHeader().sectionClicked.connect(lambda n: self.entry_wanted.emit(self.counts.class_at(n), 0))
        theme.changed.connect(self._repaint)

    def show_counts(self, confusion: Confusion, names: dict[int, str], colors: dict[int, str]) -> None:
        """Show other counts; the entry that was walked to stays."""
        at = self.currentIndex()
        place = at.row(), at.column()
        self.counts.show(confusion, names, colors)
        self._size_sections()
        if min(place) >= 0 and max(place) < self.counts.rowCount():
            self.setCurrentIndex(self.counts.index(*place))

    def show_per_cent(self, on: bool) -> None:
        """Show per cent of the row, or counts."""
        self.counts.per_cent = on
        self.viewport().update()

    def outline(self, entries: frozenset[Entry]) -> None:
        """Outline the entries that selected cells are in."""
        if entries != self.counts.outlined:
            self.counts.outlined = entries
            self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Walk and open; every other key is left to the dock: numbers give classes."""
        if event is None:
            return
        if event.key() in _OPENING:
            self._open(self.currentIndex())
        elif event.key() in _WALKING:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As large as the entries."""
        head, side = self.horizontalHeader(), self.verticalHeader()
        return QSize(side.sizeHint().width() + head.length() + 4, head.sizeHint().height() + side.length() + 6)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return room for the names and a few entries; the rest scrolls."""
        return QSize(120, min(self.sizeHint().height(), 110))

    def resizeEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Use the width there is."""
        super().resizeEvent(event)
        self._size_sections()

    def _size_sections(self) -> None:
        count = self.counts.columnCount()
        if not count:
            return
        line = self.fontMetrics()
        low, high = line.height() + 4, self.height() - self.horizontalHeader().sizeHint().height() - 6
        tall = max(low, min(high // count, 2 * low))
        self.verticalHeader().setDefaultSectionSize(tall)
        least, all_cells = (line.horizontalAdvance("0" * max(2, len(one))) + 6 for one in self._longest())
        side, head = self.verticalHeader().sizeHint().width(), self.horizontalHeader()
        bar = self.verticalScrollBar().sizeHint().width() if tall * count > high else 0
        room = (self.width() - side - bar - all_cells - 6) // (count - 1)
        head.setDefaultSectionSize(max(least, min(room, 5 * line.height())))
        head.resizeSection(count - 1, all_cells)
        self.updateGeometries()

    def _longest(self) -> tuple[str, str]:
        """Return the longest number of a class, which is the total of its column, and that of all."""
        last = self.counts.columnCount() - 1
        return f"{max(self.counts.count(last, column) for column in range(last))}", f"{self.counts.count(last, last)}"

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.entry_wanted.emit(*self.counts.entry_at(index))

    def _repaint(self) -> None:
        for part in (self, self.horizontalHeader(), self.verticalHeader()):
            part.viewport().update()


class _EntryPainter(QStyledItemDelegate):
    """Paints an entry: the stronger the more of its row it has; blue where right, vermilion where wrong."""

    def __init__(self, view: MatrixView) -> None:
        super().__init__(view)
        self._view = view

    def paint(self, painter: QPainter | None, option: Any, index: QModelIndex) -> None:
        if painter is None:
            return
        theme, counts = self._view.theme, self._view.counts
        field = self._field(index)
        painter.save()
        painter.fillRect(option.rect, field)
        painter.setPen(theme.text if counts.is_total(index) else readable_on(field))
        painter.drawText(option.rect, Qt.AlignmentFlag.AlignCenter, str(index.data()))
        if counts.entry_at(index) in counts.outlined:
            painter.setPen(QPen(theme.text, 2))
            painter.drawRect(option.rect.adjusted(1, 1, -2, -2))
        if index == self._view.currentIndex() and self._view.hasFocus():
            painter.setPen(QPen(readable_on(field), 1, Qt.PenStyle.DotLine))
            painter.drawRect(option.rect.adjusted(3, 3, -4, -4))
        painter.restore()

    def _field(self, index: QModelIndex) -> QColor:
        theme, counts = self._view.theme, self._view.counts
        if counts.is_total(index):
            return theme.background
        color = QColor(RIGHT if index.row() == index.column() else WRONG)
        return blended(theme.field, color, _STRONGEST * counts.share(index.row(), index.column()) ** 0.5)
