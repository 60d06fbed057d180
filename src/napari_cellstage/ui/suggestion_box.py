"""A list to choose from that also takes what is not in it, and a file where one may be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from psygnal import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog

CHOOSE = "choose a file…"


class SuggestionBox:
    """Looks to a form like one of magicgui's widgets.

    Parameters
    ----------
    value
        What is chosen first; it joins the list when it is not in it.
    suggestions
        The list.
    tooltip
        What the choice means.
    file_filter
        Qt's filter of the files that may be chosen, empty: none may.
    """

    changed = Signal(str)

    def __init__(self, value: str, suggestions: Sequence[str], tooltip: str = "", file_filter: str = "") -> None:
        self.native = QComboBox()
        self.native.addItems([*suggestions, *([CHOOSE] if file_filter else [])])
        self.native.setMinimumContentsLength(5)  # a long file name does not widen the dock
        self.native.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.native.setToolTip(tooltip)
        self.tooltip = tooltip
        self._filter, self._value = file_filter, ""
        self.value = value
        self.native.activated.connect(self._on_activated)

    @property
    def value(self) -> str:
        """What is chosen; a file by its whole path."""
        return self._value

    @value.setter
    def value(self, value: str) -> None:
        told, self._value = value != self._value and bool(self._value), value
        self.native.setCurrentIndex(self._place(value))
        if told:
            self.changed.emit(value)

    def _place(self, value: str) -> int:
        names = [self.native.itemData(i) or self.native.itemText(i) for i in range(self.native.count())]
        if value not in names:
            place = len(names) - bool(self._filter)
            self.native.insertItem(place, Path(value).name, value)
            return place
        return names.index(value)

    def _on_activated(self, index: int) -> None:
        if self._filter and index == self.native.count() - 1:
            chosen, _ = QFileDialog.getOpenFileName(self.native, "Choose a file", "", self._filter)
            self.native.setCurrentIndex(self._place(self._value))
            self.value = chosen or self._value
        else:
            self.value = self.native.itemData(index) or self.native.itemText(index)
