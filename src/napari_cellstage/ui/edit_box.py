"""The box "Change cells by hand" in the step Cells: a button for each tool, and a line that says what to do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QGridLayout, QGroupBox, QPushButton, QVBoxLayout, QWidget

from napari_cellstage.ui.edit_tools import HINTS, Tool
from napari_cellstage.ui.pieces import hint, on_click, small_button

if TYPE_CHECKING:
    from napari_cellstage.ui.viewer_link import ViewerLink

START = "Add what was missed, mend what was found wrong. Ctrl+click selects several cells."
TOOLS: tuple[tuple[Tool, str, str], ...] = (
    ("add", "Add  (A)", "Click where a cell was missed: a disc as large as the other cells."),
    ("outline", "Outline  (P)", "Drag around a cell that was missed."),
    ("box", "Box  (B)", "Drag a box over a cell that was missed, from corner to corner."),
    ("split", "Split  (D)", "Drag a line across cells that were found as one."),
)


class EditBox(QGroupBox):
    """Buttons for the tools of a viewer.

    Parameters
    ----------
    link
        Whose tools.
    """

    def __init__(self, link: ViewerLink, parent: QWidget | None = None) -> None:
        super().__init__("Change cells by hand", parent)
        self._link = link
        self.tools = {tool: _tool_button(text, tip) for tool, text, tip in TOOLS}
        self.merge = small_button("Merge  (M)", "Make one cell of the selected ones.")
        self.delete = small_button(
            "Delete  (Del)", "Take the selected cells away. Undo brings them and their labels back."
        )
        self.hint = hint(START)
        grid, layout = QGridLayout(), QVBoxLayout(self)
        for place, widget in enumerate((*self.tools.values(), self.merge, self.delete)):
            grid.addWidget(widget, *divmod(place, 3))
        layout.addWidget(self.hint)
        layout.addLayout(grid)
        self._wire()
        self.refresh()

    def refresh(self, _what: object = None) -> None:
        """Show the session and the selection as they are now."""
        session, rows = self._link.session, self._link.selection.rows
        self.setEnabled(session.current is not None and not session.read_only)
        self.merge.setEnabled(len(rows) > 1)
        self.delete.setEnabled(len(rows) > 0)

    def _wire(self) -> None:
        link, session = self._link, self._link.session
        for tool, pressed in self.tools.items():
            on_click(pressed, partial(link.tools.toggle, tool))
        on_click(self.merge, link.tools.merge)
        on_click(self.delete, link.tools.delete)
        link.tools.changed.connect(self._on_tool)
        link.selection.changed.connect(self.refresh)
        for signal in (session.project_changed, session.images_changed, session.current_changed):
            signal.connect(self.refresh)

    def _on_tool(self, tool: str) -> None:
        for name, pressed in self.tools.items():
            pressed.setChecked(name == tool)
        self.hint.setText(f"<b>{HINTS[tool]}</b> Esc ends." if tool else START)


def _tool_button(text: str, tip: str) -> QPushButton:
    made = small_button(text, tip)
    made.setCheckable(True)
    return made
