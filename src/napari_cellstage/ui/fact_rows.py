"""The table of images and their facts: a line an image, the parts of its name coloured like the facts they gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QRect, Qt, Signal
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from napari_cellstage.core.classes import OKABE_ITO
from napari_cellstage.core.image_facts import FACTS, ImageFacts, dose_name, well_name
from napari_cellstage.ui.theme import PanelTheme

Span = tuple[str, int, int]
COLORS = dict(zip(FACTS, OKABE_ITO, strict=False)) | {"row": OKABE_ITO[1], "column": OKABE_ITO[1]}
_SPANS = Qt.ItemDataRole.UserRole
_FAINT = 110  # of 255: writing stays readable on it in every theme
_WRITTEN_AS: dict[str, Callable[[str], str]] = {"well": lambda text: well_name(text) or text, "dose": dose_name}


@dataclass(frozen=True)
class FactRow:
    """One line.

    Parameters
    ----------
    image_id
        Which image.
    name
        As shown.
    facts
        None when nothing was found in its name.
    spans
        Parts of the name with where they begin and end.
    """

    image_id: int
    name: str
    facts: ImageFacts | None
    spans: tuple[Span, ...] = ()


class FactModel(QAbstractTableModel):
    """Lines of images and facts.

    Signals
    -------
    edited : image_id, its facts as the user typed them.
    """

    edited = Signal(int, object)

    def __init__(self, editable: bool = False) -> None:
        super().__init__()
        self.rows: Sequence[FactRow] = ()
        self._editable = editable

    def show_rows(self, rows: Sequence[FactRow]) -> None:
        """Show these lines."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, _parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return how many images there are."""
        return len(self.rows)

    def columnCount(self, _parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return one for the name and one a fact."""
        return 1 + len(FACTS)

    def headerData(self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802
        """Return the title of a column."""
        if way == Qt.Orientation.Vertical or role != Qt.ItemDataRole.DisplayRole:
            return None
        return ("Image", *(name.capitalize() for name in FACTS))[section]

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Let facts be typed where that is wanted."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if self._editable and index.column() else flags

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        row = self.rows[index.row()]
        if role == _SPANS:
            return row.spans if index.column() == 0 else ()
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == 0:
            return row.name
        if role == Qt.ItemDataRole.BackgroundRole:
            return self._background(row, index.column())
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return None
        if index.column() == 0:
            return row.name
        return getattr(row.facts, FACTS[index.column() - 1]) if row.facts else ""

    def setData(self, index: QModelIndex, value: Any, _role: int = Qt.ItemDataRole.EditRole) -> bool:  # noqa: N802
        """Take what the user typed."""
        row, name = self.rows[index.row()], FACTS[index.column() - 1]
        text = _WRITTEN_AS.get(name, str)(" ".join(str(value).split()))
        self.edited.emit(row.image_id, replace(row.facts or ImageFacts(), **{name: text}))
        return True

    def _background(self, row: FactRow, column: int) -> QColor | None:
        if not column or not row.facts or not getattr(row.facts, FACTS[column - 1]):
            return None
        return _faint(FACTS[column - 1])


class FactTable(QTableView):
    """Shows a `FactModel`."""

    def __init__(self, model: FactModel, theme: PanelTheme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegateForColumn(0, _NameDelegate(theme, self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.verticalHeader().hide()
        self.setAccessibleName(name)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, model.columnCount()):
            header.resizeSection(column, 86)


class _NameDelegate(QStyledItemDelegate):
    """Paints a name with a colour behind each part that was found."""

    def __init__(self, theme: PanelTheme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Paint the colours, then the name over them; a name in which nothing was found is pale."""
        spans, name = index.data(_SPANS), index.data()
        row = index.model().rows[index.row()]
        box = option.rect.adjusted(4, 0, -4, 0)
        metrics = painter.fontMetrics()
        painter.save()
        painter.setClipRect(option.rect)
        start = box.left() + min(0, box.width() - metrics.horizontalAdvance(name))  # the end of a long name tells more
        for part, begins, ends in spans:
            left, width = metrics.horizontalAdvance(name[:begins]), metrics.horizontalAdvance(name[begins:ends])
            painter.fillRect(QRect(start + left, box.top() + 3, width, box.height() - 6), _faint(part))
        painter.setPen(self._theme.faint if row.facts is None else self._theme.text)
        room = QRect(start, box.top(), max(box.width(), metrics.horizontalAdvance(name)) + 4, box.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)
        painter.restore()


def _faint(part: str) -> QColor:
    color = QColor(COLORS[part])
    color.setAlpha(_FAINT)
    return color


def rows_of(names: Mapping[int, str], facts: Mapping[int, ImageFacts]) -> list[FactRow]:
    """Return a line for each image, with what is known of it."""
    return [FactRow(image_id, name, facts.get(image_id, ImageFacts())) for image_id, name in names.items()]
