"""What the confusion matrix says in each entry. No painting."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from napari_cellstage.core.review.confusion import Confusion, Entry, entry_text

_NONE = QModelIndex()


class MatrixModel(QAbstractTableModel):
    """Counts by label and prediction; a last row and column for all."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.confusion: Confusion | None = None
        self.names: dict[int, str] = {}
        self.colors: dict[int, str] = {}
        self.per_cent = False
        self.outlined: frozenset[Entry] = frozenset()

    def show(self, confusion: Confusion, names: dict[int, str], colors: dict[int, str]) -> None:
        """Show other counts."""
        self.beginResetModel()
        self.confusion, self.names, self.colors = confusion, names, colors
        self.endResetModel()

    def rowCount(self, _parent: QModelIndex = _NONE) -> int:  # noqa: N802 - Qt's name
        """One a class, and one for all."""
        return len(self.ids) + 1 if self.ids else 0

    def columnCount(self, _parent: QModelIndex = _NONE) -> int:  # noqa: N802 - Qt's name
        """One a class, and one for all."""
        return self.rowCount()

    @property
    def ids(self) -> tuple[int, ...]:
        """The classes, in order."""
        return self.confusion.ids if self.confusion is not None else ()

    def class_at(self, place: int) -> int:
        """Return the class of a row or column; 0 for all."""
        return self.ids[place] if 0 <= place < len(self.ids) else 0

    def entry_at(self, index: QModelIndex) -> Entry:
        """Return label and prediction of an entry."""
        return self.class_at(index.row()), self.class_at(index.column())

    def is_total(self, index: QModelIndex) -> bool:
        """Return whether an entry is of the last row or column."""
        return len(self.ids) in (index.row(), index.column())

    def count(self, row: int, column: int) -> int:
        """Return how many cells an entry has."""
        if self.confusion is None:
            return 0
        rows, columns = (slice(n, n + 1) if n < len(self.ids) else slice(None) for n in (row, column))
        return int(self.confusion.counts[rows, columns].sum())

    def share(self, row: int, column: int) -> float:
        """Return an entry's share of its row."""
        return self.count(row, column) / max(self.count(row, len(self.ids)), 1)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what an entry says."""
        count = self.count(index.row(), index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            if self.per_cent and count and index.column() < len(self.ids):
                return f"{100 * self.share(index.row(), index.column()):.0f}"
            return f"{count}" if count else ""
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return entry_text(self.entry_at(index), self.names, count)
        return None

    def headerData(self, place: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802
        """Return the name of a class."""
        name = self.names.get(self.class_at(place), "all")
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"Labelled {name}" if orientation == Qt.Orientation.Vertical else f"Predicted as {name}"
        return None
