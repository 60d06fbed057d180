"""What persons said of the chosen cells, and buttons that settle them."""

from __future__ import annotations

from functools import partial
from html import escape

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from napari_cellstage.core.people.answers import Answers
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import READ_ONLY, allow, clear_layout, hint, on_click, small_button

_ACROSS = 2
_LINES = 8  # persons in words; more are counted


class SettleBox(QWidget):
    """Settles chosen disputed cells."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.said = hint("")
        self.said.setTextFormat(Qt.TextFormat.PlainText)  # a name may hold anything
        self.choices = QWidget()
        self._grid = QGridLayout(self.choices)
        layout = QVBoxLayout(self)
        layout.setSpacing(4)
        for one in (layout, self._grid):
            one.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.said)
        layout.addWidget(self.choices)

    def refresh(self, disputed: CellRefs) -> None:
        """Show what was said of the chosen cells; with no chosen one that is disputed, what to do."""
        chosen = self.session.chosen
        chosen = chosen.take(chosen.isin(disputed)) if len(chosen) and len(disputed) else CellRefs()
        clear_layout(self._grid)
        if not len(disputed):
            self.said.setText("")
        elif not len(chosen):
            self.said.setText("Choose disputed cells in the gallery: here you see who said what, and settle them.")
        else:
            self._show(self.session.answers(), chosen)
        self.setVisible(len(disputed) > 0)

    def _show(self, answers: Answers, chosen: CellRefs) -> None:
        names = {one.id: one.name for one in self.session.scheme}
        told = answers.said_of(chosen)
        one_cell = len(chosen) == 1
        lines = [f"{who}: {names[class_id]}" + ("" if one_cell else f" ({count})") for who, class_id, count in told]
        more = f"\n… and {len(lines) - _LINES} more" if len(lines) > _LINES else ""
        head = "Said of this cell:" if one_cell else f"Said of these {len(chosen):,} cells:"
        self.said.setText("\n".join((head, *lines[:_LINES])) + more)
        votes: dict[int, int] = {}
        for _, class_id, count in told:
            votes[class_id] = votes.get(class_id, 0) + count
        for place, class_id in enumerate(sorted(votes, key=lambda one: -votes[one])):
            tip = f"Decide for all: {escape(names[class_id])}. What each person said stays; undo takes this back."
            made = small_button(f"Settle as {names[class_id]}".replace("&", "&&"), tip)
            made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            allow(made, READ_ONLY if self.session.read_only else "")
            on_click(made, partial(showing_errors(self.session.settle), chosen, class_id))
            self._grid.addWidget(made, place // _ACROSS, place % _ACROSS)
