"""The images of a project as a table model: what is known of each without reading it, one line an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.tally import ImageState

ID_ROLE = Qt.ItemDataRole.UserRole
NAME = 0
Column = tuple[str, str, Callable[[ImageState, ImageFacts], str]]

COLUMNS: tuple[Column, ...] = (
    ("Image", "Name of the image", lambda state, _facts: f"⚠ {state.name}" if state.missing else state.name),
    ("Well", "Well and field the image is of, and dose", lambda _state, facts: _place(facts)),
    ("Labelled", "How many cells have a class, of how many", lambda state, _facts: _counts(state)),
    ("✓", "✓: its cells were predicted by a model", lambda state, _facts: "✓" if state.predicted else ""),
)
# What the list can be narrowed to.
SHOWN: dict[str, Callable[[ImageState], bool]] = {
    "all": lambda _state: True,
    "no cells yet": lambda state: not state.cells,
    "no labels yet": lambda state: not state.labelled,
    "labelled": lambda state: state.labelled > 0,
    "not predicted": lambda state: not state.predicted,
    "file missing": lambda state: state.missing,
}


class ImageTable(QAbstractTableModel):
    """Images in the order they were added."""

    def __init__(self) -> None:
        super().__init__()
        self.states: tuple[ImageState, ...] = ()
        self.facts: dict[int, ImageFacts] = {}

    def put(self, states: Sequence[ImageState], facts: dict[int, ImageFacts]) -> None:
        """Show other states; the selection stays when the images are the same."""
        same = [s.image_id for s in states] == [s.image_id for s in self.states]
        if not same:
            self.beginResetModel()
        self.states, self.facts = tuple(states), facts
        if not same:
            self.endResetModel()
        elif states:
            self.dataChanged.emit(self.index(0, 0), self.index(len(states) - 1, len(COLUMNS) - 1))

    def row_of(self, image_id: int | None) -> int:
        """Return the row of an image, -1 when it is not there."""
        return next((row for row, state in enumerate(self.states) if state.image_id == image_id), -1)

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """How many images there are."""
        return 0 if parent is not None and parent.isValid() else len(self.states)

    def columnCount(self, _parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """How many columns there are."""
        return len(COLUMNS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, tooltip, alignment, or the number of the image."""
        state = self.states[index.row()]
        if role == ID_ROLE:
            return state.image_id
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[index.column()][2](state, self.facts.get(state.image_id, ImageFacts()))
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(state)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() > NAME:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Title and tooltip of a column."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        return {Qt.ItemDataRole.DisplayRole: COLUMNS[section][0], Qt.ItemDataRole.ToolTipRole: COLUMNS[section][1]}.get(
            Qt.ItemDataRole(role)
        )

    def _tip(self, state: ImageState) -> str:
        facts = self.facts.get(state.image_id, ImageFacts()).text
        missing = "Its file is not where it was." if state.missing else ""
        return "\n".join(line for line in (state.name, facts, missing) if line)


class Narrowed(QSortFilterProxyModel):
    """The images that a text and a choice leave; text may be part of the name, the well, the treatment or dose."""

    def __init__(self, table: ImageTable) -> None:
        super().__init__()
        self._table = table
        self._text, self._shown = "", SHOWN["all"]
        self.setSourceModel(table)

    def narrow(self, text: str, shown: str) -> None:
        """Show the images that fit."""
        self._text, self._shown = text.strip().lower(), SHOWN[shown]
        self.invalidateFilter()

    def filterAcceptsRow(self, row: int, _parent: QModelIndex) -> bool:  # noqa: N802 - Qt's name
        """Tell whether an image fits."""
        state = self._table.states[row]
        facts = self._table.facts.get(state.image_id, ImageFacts())
        return self._shown(state) and self._text in f"{state.name} {facts.text}".lower()


def _place(facts: ImageFacts) -> str:
    """Return such as ``"B03/1 0.1 µM"``: in a narrow list names are cut off where fields of a well differ."""
    field = f"/{facts.field}" if facts.well and facts.field else ""
    return f"{facts.well}{field} {facts.dose}".strip()


def _counts(state: ImageState) -> str:
    if state.cells is None:
        return f"{state.labelled:,} of ?"
    if state.cells and state.labelled == state.cells:
        return f"all {state.cells:,}"  # short: the name needs the room
    return f"{state.labelled:,}/{state.cells:,}" if state.cells or state.labelled else "no cells"
