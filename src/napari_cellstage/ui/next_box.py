"""Which cell comes next: the choice, what is predicted of the selected cell, how far and how fast it goes."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.review.pace import Pace
from napari_cellstage.core.review.queue import BY_MODEL, CLASS, MODES
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import hint, shrinking

SOON_MS = 100
MOST_AT_ONCE = 50  # cells that one act labels; more are given by rule and not by looking
FASTEST = 240  # labels a minute; what is above was given by a script
LOOKED_AT = ("hand", "accepted", "review")
WORDS = {
    "uncertain": ("uncertain", "Cells that the model can hardly decide on, no two alike. Needs a model."),
    "class": ("weakest class", "Cells that may be of the class with fewest labels, or that is found worst."),
    "random": ("by lot", "Cells by lot from all images."),
    "in order": ("in reading order", "Cell by cell through each image, then the next image."),
    "audit": ("set aside", "Cells that were set aside to check the model; no training sees them."),
}


class NextBox(QWidget):
    """The choice of the next cell, and lines about it.

    Parameters
    ----------
    session
        What is labelled.
    now
        A clock that only goes forward, in seconds.

    Signals
    -------
    going_on : whether the next cell is gone to when one has got its class.
    """

    going_on = Signal(bool)

    def __init__(
        self, session: Session, now: Callable[[], float] = time.monotonic, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.session = session
        self.pace = Pace()
        self._now = now
        self._row: int | None = None
        self._build()
        self._soon = QTimer(self)  # a key press is not to wait for the lines
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._soon.timeout.connect(self.refresh_lines)
        for signal in (session.queue_changed, session.predictions_changed, session.cells_changed):
            signal.connect(self._refresh_soon)
        for signal in (session.project_changed, session.scheme_changed, session.images_changed, session.people_changed):
            signal.connect(self.refresh)
        session.queue_changed.connect(self._show_mode)
        session.labels_changed.connect(self._on_labels)
        session.project_changed.connect(self.pace.forget)
        self.refresh()

    def show_cell(self, row: int | None) -> None:
        """Say what is predicted of the selected cell."""
        self._row = row
        self._show_prediction()

    def refresh(self, *_what: object) -> None:
        """Show the session as it is now."""
        self.setVisible(len(self.session.scheme) > 0)
        self.mode.setEnabled(self.session.project is not None and not self.session.read_only)
        self._show_mode()
        self.refresh_lines()

    def refresh_lines(self) -> None:
        """Show how far the batch has come, and what is predicted."""
        batch = self.session.batch
        said = [self.session.batch_progress().text, _pace_text(self.pace.per_minute)]
        self._tell(self.progress, " · ".join(one for one in said if one))
        plain = batch.mode == self.session.queue_mode and len(batch.cells) and batch.mode != CLASS
        self._tell(self.why, "" if plain else batch.why)
        self._show_prediction()

    def _build(self) -> None:
        self.mode = shrinking(QComboBox())
        self.mode.setAccessibleName("Which cell is next")
        for mode in MODES:
            self.mode.addItem(WORDS[mode][0], mode)
            self.mode.setItemData(self.mode.count() - 1, WORDS[mode][1], Qt.ItemDataRole.ToolTipRole)
        self.mode.activated.connect(self._choose)
        self.go_on = QCheckBox("go on")
        self.go_on.setToolTip("When a cell got its class, by Enter or a number key, the next one is shown.")
        self.go_on.toggled.connect(self.going_on)
        self.predicted, self.progress, self.why = hint(""), hint(""), hint("")
        layout, row = QVBoxLayout(self), QHBoxLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Next:"))
        row.addWidget(self.mode, 1)
        row.addWidget(self.go_on)
        layout.addLayout(row)
        for line in (self.predicted, self.progress, self.why):
            line.setTextFormat(Qt.TextFormat.PlainText)  # names of classes may hold anything
            layout.addWidget(line)

    @showing_errors
    def _choose(self, place: int) -> None:
        try:
            self.session.queue_mode = self.mode.itemData(place)
        finally:
            self._show_mode()

    def _show_mode(self) -> None:
        model = self.mode.model()
        for place, mode in enumerate(MODES):
            if isinstance(model, QStandardItemModel):
                model.item(place).setEnabled(not (self.session.blind and mode in BY_MODEL))
        now = self.session.queue_mode
        self.mode.setCurrentIndex(MODES.index(now))
        self.mode.setToolTip(WORDS[now][1])

    def _refresh_soon(self, *_what: object) -> None:
        self._soon.start()

    def _on_labels(self, image_id: int, rows: object) -> None:
        given = np.atleast_1d(np.asarray(rows, dtype=np.int64))
        if 0 < len(given) <= MOST_AT_ONCE:
            looked_at = int(np.isin(self.session.origins(image_id, given), LOOKED_AT).sum())
            if looked_at:
                self.pace.note(self._now(), looked_at)
        self._refresh_soon()

    def _show_prediction(self) -> None:
        self._tell(self.predicted, prediction_text(self.session, self._row))

    def _tell(self, line: QLabel, text: str) -> None:
        line.setText(text)
        line.setVisible(bool(text))


def prediction_text(session: Session, row: int | None) -> str:
    """Return what Enter would accept: ``"Predicted metaphase 0.54 / anaphase 0.31: Enter accepts, a number corrects"``.

    Empty for a cell that has a label or no prediction, and in blind labelling.
    """
    found = None if session.blind or session.current_id is None else session.predictions()
    if row is None or found is None or not 0 <= row < len(found) or session.class_ids()[row] != UNLABELLED:
        return ""
    chances = found.probabilities[row]
    if np.isnan(chances[0]):
        return ""
    names = {one.id: one.name for one in session.scheme}
    best = np.argsort(-chances, kind="stable")[:2].tolist()
    first = " / ".join(f"{names.get(found.class_ids[k], '?')} {chances[k]:.2f}" for k in best)
    unlike = ", unlike the training cells" if found.flagged[row] else ""
    return f"Predicted {first}{unlike}: Enter accepts, a number corrects"


def _pace_text(pace: float | None) -> str:
    return "" if pace is None or pace > FASTEST else f"{pace:.0f} labels a minute"
