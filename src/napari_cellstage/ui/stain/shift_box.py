"""Whether stain and transmitted light lie on each other: the shift measured and shown, corrected if wanted."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_cellstage.ui.pieces import hint, on_click, say, small_button
from napari_cellstage.ui.stain.learn_work import Measured

LISTED = 5
NOTICED = 2.0  # pixels; less can't be told from none


class ShiftBox(QWidget):
    """A button that measures, what came of it, and the tick to correct.

    Signals
    -------
    wanted : measure now.
    """

    wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.found: list[Measured] = []
        self.measure = small_button(
            "Measure the shift", "By how many pixels the stain lies beside the transmitted light, by their texture."
        )
        self.correct = QCheckBox("Correct it while training")
        self.correct.setToolTip(
            "Move each stain to where it fits its transmitted light best. Files and layers stay as they are."
        )
        self.said = hint("")
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.measure, self.said, self.correct):
            layout.addWidget(part)
        say(self.said, "")
        on_click(self.measure, self.wanted.emit)

    def forget(self) -> None:
        """Show nothing, as when another project is opened."""
        self.found = []
        say(self.said, "")
        self.correct.setChecked(False)

    def begin(self) -> None:
        """Forget what was measured."""
        self.found = []
        say(self.said, "Measuring…")

    def add(self, one: Measured) -> None:
        """Show one more."""
        self.found.append(one)
        say(self.said, shifts_text(self.found))

    def end(self) -> None:
        """Show what came of it, also when that is nothing."""
        say(self.said, shifts_text(self.found))


def shifts_text(found: list[Measured]) -> str:
    """Return measured shifts in words, the largest first, and whether to correct them."""
    if not found:
        return ""
    known = [one for one in found if one.shift.trusted]
    if not known:
        return "The shift can't be told from these images: they share too little texture. Look at them side by side."
    known.sort(key=lambda one: -one.shift.length)
    lines = [f"{one.name}: {one.shift.text}" for one in known[:LISTED]]
    if len(known) > LISTED:
        lines.append(f"{len(known) - LISTED:,} more are shifted less.")
    if len(found) > len(known):
        lines.append(f"Of {len(found) - len(known):,} it can't be told.")
    moved = known[0].shift.length >= NOTICED
    lines.append("Tick the box below to correct this." if moved else "They lie on each other: nothing to correct.")
    return "\n".join(lines)
