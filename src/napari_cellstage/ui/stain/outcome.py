"""How a training of a stain goes, and what came out: picture, curve, score, notes."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from napari_cellstage.stain.events import StainEpoch
from napari_cellstage.ui.pieces import button, hint, on_click, say
from napari_cellstage.ui.stain.learn_work import Learned
from napari_cellstage.ui.stain.live_picture import LivePicture
from napari_cellstage.ui.stain.score_words import score_text
from napari_cellstage.ui.theme import PanelTheme

NOTES_SHOWN = 5
MARGIN = 8  # pixels below the curve


class Outcome(QWidget):
    """Shows one training; takes no room before there is one.

    Signals
    -------
    apply_wanted : the model that came out is to be applied; the name of its run.

    Parameters
    ----------
    theme
        Colours of picture and curve.
    """

    apply_wanted = Signal(str)

    def __init__(self, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._notes: list[str] = []
        self._run = ""
        self.curve: Any = None
        self.score, self.notes = hint(""), hint("")
        self.apply = button("Apply it ▸", "Predict the stain of images that lack it, by this model.")
        self.picture = LivePicture(theme)
        self._curve_place = QVBoxLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.score, self.apply, self.picture):
            layout.addWidget(part)
        layout.addLayout(self._curve_place)
        layout.addWidget(self.notes)
        on_click(self.apply, lambda: self.apply_wanted.emit(self._run))
        self.clear()

    def clear(self) -> None:
        """Show nothing, as when another training begins."""
        self._notes, self._run = [], ""
        for line in (self.notes, self.score):
            say(line, "")
        self.apply.hide()
        self.picture.forget()
        if self.curve is not None:
            self.curve.begin()
            self.curve.hide()

    def note(self, text: str) -> None:
        """Show one more sentence; the oldest go."""
        self._notes = [*self._notes, text][-NOTES_SHOWN:]
        say(self.notes, "\n".join(f"• {one}" for one in self._notes))

    def add(self, epoch: StainEpoch) -> None:
        """Show an epoch."""
        self.picture.show_picture(epoch.picture, epoch.pearson)
        self._shown_curve().add(epoch)
        if epoch.epoch == 1:
            QTimer.singleShot(0, self._bring_in_sight)

    def end(self, answer: Learned) -> None:
        """Show what came out."""
        self._run = answer.run
        say(self.score, score_text(answer))
        self.apply.show()

    def _shown_curve(self) -> Any:
        """Return the curve; it is made when it is first needed, as it takes a while to load."""
        if self.curve is None:
            from napari_cellstage.ui.stain.r_curve import RCurve

            self.curve = RCurve(self._theme)
            self._curve_place.addWidget(self.curve)
        self.curve.show()
        return self.curve

    def _bring_in_sight(self) -> None:
        """Scroll to the live picture and its curve, which lie below the choices."""
        area = self.parentWidget()
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        if area is not None and self.curve is not None:
            end = self.curve.mapTo(area.widget(), self.curve.rect().bottomLeft())  # of a plot Qt takes the top alone
            area.ensureVisible(end.x(), end.y(), 0, MARGIN)
