"""What a class is given to: the cell that was clicked, its whole track, or its track from this frame on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from napari_cellstage.ui.pieces import shrinking

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from napari_cellstage.session import Session
    from napari_cellstage.session.base import Rows

CELL, TRACK, ONWARD = "cell", "track", "onward"
TITLES = {CELL: "this frame only", TRACK: "all frames of the cell", ONWARD: "this frame and later"}
NOT_FOLLOWED = "The cells have not been followed over time yet: step Cells, Follow the cells."


class LabelScope:
    """Labels cells of a session, with or without the rest of their tracks.

    Parameters
    ----------
    session
        Whose cells.
    """

    changed = Signal(str)

    def __init__(self, session: Session) -> None:
        self._session = session
        self._value = CELL

    @property
    def available(self) -> bool:
        """Whether the cells of the current image have been followed."""
        return self._session.tracks() is not None

    @property
    def value(self) -> str:
        """`CELL`, `TRACK` or `ONWARD`; `CELL` as long as there are no tracks."""
        return self._value if self.available else CELL

    @value.setter
    def value(self, value: str) -> None:
        if value != self._value:
            self._value = value
            self.changed.emit(value)

    def cycle(self) -> str:
        """Take the next scope; return what to tell the user."""
        if not self.available:
            return NOT_FOLLOWED
        order = list(TITLES)
        self.value = order[(order.index(self._value) + 1) % len(order)]
        return f"A class now goes to: {TITLES[self._value]}."

    def label(self, rows: ArrayLike, class_id: int, continues: bool = False) -> Rows:
        """Give cells of the current image a class, 0 to clear; return the rows whose class changed."""
        if self.value == CELL:
            return self._session.label_cells(rows, class_id, continues=continues)
        return self._session.label_track(rows, class_id, from_here=self.value == ONWARD, continues=continues)


class ScopeBox(QWidget):
    """The choice of the scope, shown where cells have been followed over time.

    Parameters
    ----------
    session
        Whose current image it is about.
    scope
        What is chosen.
    """

    def __init__(self, session: Session, scope: LabelScope, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scope = scope
        self.choice = shrinking(QComboBox())
        self.choice.setAccessibleName("What a class is given to")
        self.choice.setToolTip(
            "Whether a number key or a click labels the cell in this frame, or in other frames of its track too (T). "
            "A track ends where its cell divides."
        )
        for value, title in TITLES.items():
            self.choice.addItem(title, value)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel("A class goes to"))
        layout.addWidget(self.choice, 1)
        self.choice.activated.connect(self._choose)
        scope.changed.connect(self.refresh)
        for signal in (session.project_changed, session.current_changed, session.cells_changed, session.tracks_changed):
            signal.connect(self.refresh)
        self.refresh()

    def refresh(self, _what: object = None) -> None:
        """Show the scope as it is now."""
        self.setVisible(self._scope.available)
        self.choice.setCurrentIndex(self.choice.findData(self._scope.value))

    def _choose(self, index: int) -> None:
        self._scope.value = str(self.choice.itemData(index))
