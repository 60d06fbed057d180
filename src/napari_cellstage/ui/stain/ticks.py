"""A list of names with a box each to tick: channels, images, models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qtpy.QtCore import QEvent, QModelIndex, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

_KEY = Qt.ItemDataRole.UserRole
_TICKABLE = Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled


@dataclass(frozen=True)
class Tick:
    """One line: what it stands for, what it says, and why it can't be ticked."""

    key: object
    text: str
    tip: str = ""
    why_not: str = ""


class Ticks(QListWidget):
    """Names to tick, by mouse or the space bar.

    Signals
    -------
    changed : the user ticked a line, or took its tick away.

    Parameters
    ----------
    name
        Read aloud.
    tip
        What ticking does.
    most
        Lines shown before it scrolls.
    apart
        Pixels between them, where they have several rows of text.
    """

    changed = Signal()

    def __init__(self, name: str, tip: str, most: int = 5, apart: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._most = most
        self.setItemDelegate(_Apart(apart, self))
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setMinimumWidth(60)
        self.itemChanged.connect(self._on_changed)

    def put(self, ticks: Sequence[Tick], ticked: Iterable[object]) -> None:
        """List these, some of them ticked; one that can't be is not."""
        wanted = set(ticked)
        self.blockSignals(True)
        self.clear()
        for one in ticks:
            item = QListWidgetItem(one.text)
            item.setData(_KEY, one.key)
            item.setToolTip(one.why_not or one.tip or one.text)
            item.setFlags(Qt.ItemFlag.NoItemFlags if one.why_not else _TICKABLE)
            on = one.key in wanted and not one.why_not
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
            self.addItem(item)
        self.blockSignals(False)
        self._fit()

    @property
    def ticked(self) -> tuple[object, ...]:
        """What is ticked, in the order of the list."""
        return tuple(one.data(_KEY) for one in self._items() if one.checkState() == Qt.CheckState.Checked)

    @property
    def keys(self) -> tuple[object, ...]:
        """All that is listed."""
        return tuple(one.data(_KEY) for one in self._items())

    @property
    def able(self) -> tuple[object, ...]:
        """All that can be ticked."""
        return tuple(one.data(_KEY) for one in self._items() if one.flags() & Qt.ItemFlag.ItemIsEnabled)

    def tick(self, keys: Iterable[object]) -> None:
        """Tick exactly these."""
        wanted = set(keys)
        self.blockSignals(True)
        for one in self._items():
            on = one.data(_KEY) in wanted and bool(one.flags() & Qt.ItemFlag.ItemIsEnabled)
            one.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.blockSignals(False)

    def _fit(self) -> None:
        """Take the height of the first lines; a line may have several rows of text."""
        heights = [self.sizeHintForRow(row) for row in range(min(self.count(), self._most))]
        self.setFixedHeight(max(sum(heights), self.fontMetrics().height()) + 2 * self.frameWidth() + 4)

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Keep to the lines when the font becomes another."""
        super().changeEvent(event)
        if event is not None and event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _items(self) -> list[QListWidgetItem]:
        return [item for i in range(self.count()) if (item := self.item(i)) is not None]

    def _on_changed(self, _item: QListWidgetItem) -> None:
        self.changed.emit()


class _Apart(QStyledItemDelegate):
    """Keeps lines apart; spacing of the list's own would take from their width too."""

    def __init__(self, pixels: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._pixels = pixels

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802 - Qt's name
        """Return the room that a line takes."""
        return super().sizeHint(option, index) + QSize(0, self._pixels)
