"""Which cells are selected: one by a click, several with Ctrl. Kept by name, so that rows may move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

if TYPE_CHECKING:
    from napari_cellstage.session import Session

Name = tuple[int, int]


class Selection:
    """Selected cells of the current image.

    Parameters
    ----------
    session
        Whose cells.
    """

    changed = Signal(tuple)  # rows, the last selected last

    def __init__(self, session: Session) -> None:
        self._session = session
        self.rows: tuple[int, ...] = ()
        self._names: tuple[Name, ...] = ()

    @property
    def row(self) -> int | None:
        """The cell that was selected last, None when none is."""
        return self.rows[-1] if self.rows else None

    def choose(self, *rows: int) -> None:
        """Select these and no others."""
        if rows == self.rows:
            return
        cells = self._session.cells()
        self.rows = rows
        self._names = tuple((int(cells.t[row]), int(cells.cell_id[row])) for row in rows)
        self.changed.emit(rows)

    def toggle(self, row: int) -> None:
        """Select one more, or let go of it."""
        others = tuple(one for one in self.rows if one != row)
        self.choose(*others, *(() if row in self.rows else (row,)))

    def clear(self) -> None:
        """Select nothing."""
        self.choose()

    def follow(self) -> None:
        """Stay with the selected cells after rows have moved; those that are gone are let go."""
        found = ((name, self._session.row_of(*name)) for name in self._names)
        kept = [(name, row) for name, row in found if row is not None]
        rows = tuple(row for _, row in kept)
        moved = rows != self.rows
        self._names, self.rows = tuple(name for name, _ in kept), rows
        if moved or rows:  # the ring goes with the pixels, also where the row stays
            self.changed.emit(rows)
