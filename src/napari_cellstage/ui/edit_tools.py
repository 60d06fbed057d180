"""The tools that change cells by hand: which is in use, and what a drag or a key does with it. No widgets."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from psygnal import Signal

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.ui.drawing import Drawing
from napari_cellstage.ui.notices import tell

if TYPE_CHECKING:
    from napari_cellstage.ui.viewer_link import ViewerLink

Tool = Literal["", "add", "outline", "box", "split"]
LOOKS = 200  # places along a cut at which the cell under it is looked up
UNDO = "Ctrl+Z brings both cells and their classes back."
SHORTEST = 2.0  # pixels; a shorter drag was a click

HINTS: dict[str, str] = {
    "": "",
    "add": "Click where a cell was missed: a disc as large as the other cells.",
    "outline": "Drag around a cell, from where you began to where you began.",
    "box": "Drag from one corner of a cell to the other.",
    "split": "Drag a line right across the cell, or press D again to cut the selected one at its waist.",
}


class EditTools:
    """Tools of one viewer.

    Parameters
    ----------
    link
        Knows the viewer, the session and what is selected.
    """

    changed = Signal(str)  # the tool in use, "" for none

    def __init__(self, link: ViewerLink) -> None:
        self._link = link
        self._session = link.session
        self._tool: Tool = ""
        self.drawing = Drawing(link.viewer)

    @property
    def tool(self) -> Tool:
        """The tool in use, ``""`` for none."""
        return self._tool

    @tool.setter
    def tool(self, tool: Tool) -> None:
        if tool == self._tool:
            return
        self._tool = tool
        if tool:
            self._link.armed_class = UNLABELLED
            self._link.viewer.status = HINTS[tool]
        self.changed.emit(tool)

    def key_actions(self) -> dict[str, Callable[[], None]]:
        """Return what each key does."""
        return {
            "A": lambda: self.toggle("add"),
            "P": lambda: self.toggle("outline"),
            "B": lambda: self.toggle("box"),
            "M": self.merge,
            "D": self.split_key,
            "Delete": self.delete,
            "Backspace": self.delete,
        }

    def toggle(self, tool: Tool) -> None:
        """Take a tool, or put it down when it is in use."""
        self.tool = "" if self._tool == tool else tool

    @property
    def drags(self) -> bool:
        """Whether a drag on the image is for the tool in use."""
        return self._tool in ("outline", "box", "split")

    def merge(self) -> None:
        """Make one cell of the selected ones."""
        rows = self._link.selection.rows
        if len(rows) < 2:
            self._say("Choose the cells to merge with Ctrl+click, two or more; then press M.")
            return
        classes = self._session.class_ids()[list(rows)]
        self._select(lambda: (self._session.merge_cells(rows),))
        self._tell_dropped(classes)

    def _tell_dropped(self, classes: np.ndarray) -> None:
        """Say which classes a merge has dropped: one cell has one."""
        row, scheme = self._link.selected_row, self._session.scheme
        kept = 0 if row is None else int(self._session.class_ids()[row])
        others = sorted({int(one) for one in classes} - {UNLABELLED, kept})
        if len(self._link.selection.rows) == 1 and kept and others:
            names = ", ".join(f"'{scheme.by_id(one).name}'" for one in others)
            tell(
                f"The merged cells had different classes: '{scheme.by_id(kept).name}' stays, {names} is dropped. {UNDO}"
            )

    def delete(self) -> None:
        """Take the selected cells away."""
        rows = self._link.selection.rows
        if not rows:
            self._say("Click the cell to delete first; Ctrl+click chooses more.")
        elif self._link.guard(lambda: self._session.delete_cells(rows)):
            self._say(f"{'1 cell' if len(rows) == 1 else f'{len(rows):,} cells'} deleted. Ctrl+Z brings them back.")

    def split_key(self) -> None:
        """Take the splitting tool; when it is in use already, cut the selected cell at its waist."""
        row = self._link.selected_row
        if self._tool == "split" and row is not None:
            self.split_at_waist()
        else:
            self.toggle("split")

    def split_at_waist(self) -> None:
        """Cut the selected cell where it is thinnest."""
        row = self._link.selected_row
        if row is None:
            self._say("Click the cell to split first.")
        else:
            self._select(lambda: self._session.split_cell(row))

    def drag(self, event: Any) -> Generator[None, None, None]:
        """Follow the mouse, show what is being drawn, and make it when the button is let go."""
        start = self._link.place(event)
        if start is None or len(event.dims_displayed) != 2:
            self._say("Drawing works in the flat view: press the cube below the layer list to leave 3D.")
            return
        points = [start]
        try:
            while event.type != "mouse_release":
                yield
                if (here := self._link.place(event)) is not None and here != points[-1]:
                    points.append(here)
                    self.drawing.show(self._shape(points), self._link.layers.placement)
        finally:
            self.drawing.hide()
        ends = np.array(points)[:, 2:]
        if np.abs(ends - ends[0]).max() >= SHORTEST:
            self._make(np.array(points))
        else:
            self._say(HINTS[self._tool])

    def _shape(self, points: list[tuple[float, ...]]) -> np.ndarray:
        """Return the outline to show for what was dragged, ``(n, 4)``."""
        all_points = np.array(points)
        first, last = all_points[0], all_points[-1]
        if self._tool == "split":
            return np.stack((first, last))
        if self._tool == "outline":
            return np.concatenate((all_points, first[None]))
        corners = np.repeat(first[None], 5, axis=0)
        corners[1:3, 2], corners[2:4, 3] = last[2], last[3]
        return corners

    def _make(self, points: np.ndarray) -> None:
        t, z = (int(n) for n in np.floor(points[0, :2] + 0.5))
        first, last = points[0, 2:], points[-1, 2:]
        if self._tool == "outline":
            self._select(lambda: (self._session.draw_cell(t, z, points[:, 2:]),))
        elif self._tool == "box":
            self._select(lambda: (self._session.add_box(t, z, *first, *last),))
        else:
            self._split_along(t, z, first, last)

    def _split_along(self, t: int, z: int, first: np.ndarray, last: np.ndarray) -> None:
        looks = np.linspace(first, last, LOOKS)
        rows = [row for y, x in looks if (row := self._session.cell_at(t, z, y, x)) is not None]
        if not rows:
            self._say("There is no cell under that line. Drag it right across the cell.")
            return
        row = max(set(rows), key=rows.count)
        line = ((float(first[0]), float(first[1])), (float(last[0]), float(last[1])))
        self._select(lambda: self._session.split_cell(row, line))

    def _select(self, change: Any) -> None:
        """Make a change and select the cells it returns."""
        made: list[tuple[int, ...]] = []
        if self._link.guard(lambda: made.append(change())):
            self._link.selection.choose(*made[0])

    def _say(self, text: str) -> None:
        self._link.viewer.status = text
