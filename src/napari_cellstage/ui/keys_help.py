"""The page behind the ? button: every key and what the mouse does."""

from __future__ import annotations

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

KEYS: tuple[tuple[str, str], ...] = (
    ("Click", "select the cell under the mouse; with an armed class, give it that class"),
    ("1 to 9", "give the selected cell (else the one under the mouse) this class"),
    ("0", "take its label away"),
    ("Shift-drag", "give the armed class to every cell on the way"),
    ("Enter", "accept the prediction of the selected cell as its label"),
    ("N", "next cell to label, chosen as the Label step says"),
    ("T", "in a movie, what a class goes to: this frame, all frames of the cell, this and later"),
    ("Ctrl-click", "select one more cell, or let go of it; 1 to 9 then go to all of them"),
    ("A", "add missed cells by clicking: on, off"),
    ("P", "draw a missed cell by dragging around it: on, off"),
    ("B", "draw a missed cell as a box, from corner to corner: on, off"),
    ("M", "merge the selected cells into one"),
    ("D", "split a cell by dragging a line across it; D once more: at the waist of the selected cell"),
    ("Delete", "delete the selected cells"),
    (
        "In the gallery",
        "1 to 9, 0 and Enter as above, for all chosen cells; Space or double-click goes to the cell;\n"
        "Ctrl+A chooses all, Shift-click as far as here; arrows walk; a right click offers more",
    ),
    ("In the matrix", "arrows walk; Enter, Space or a click shows the cells of an entry, a row or a column"),
    ("On the map", "drag around cells to choose them, Ctrl adds; double-click goes to a cell; the wheel zooms"),
    ("PgDn, PgUp", "next image, image before"),
    ("Ctrl+Z", "undo"),
    ("Ctrl+Shift+Z", "redo"),
    ("Esc", "put the tool down, let go of the armed class, or of the selected cells"),
)


WHERE = "They work while the mouse is over the image, whichever layer is chosen, and in the window of the review."


class KeysHelp(QDialog):
    """Shows the keys; leaves the viewer usable."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys of Cellstage")
        layout, grid = QVBoxLayout(self), QGridLayout()
        grid.setHorizontalSpacing(16)
        for row, (key, what) in enumerate(KEYS):
            grid.addWidget(QLabel(f"<b>{key}</b>"), row, 0)
            grid.addWidget(QLabel(what), row, 1)
        layout.addLayout(grid)
        layout.addWidget(QLabel(WHERE))
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.close)
        layout.addWidget(close)
