"""The score of the reviewed run in a line or two: interval, number of cells, calibration, what to know before it."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.session import Session
from napari_cellstage.ui.next_step import made_text
from napari_cellstage.ui.pieces import Folded, hint
from napari_cellstage.ui.review.class_scores import ClassScoresTable


class ScoresLine(QWidget):
    """Score, warnings, calibration, and the figures of each class folded away."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.score, self.more = hint(""), hint("")
        for one in (self.score, self.more):
            one.setTextFormat(Qt.TextFormat.PlainText)
        self.classes = ClassScoresTable()
        self.folded = Folded("Each class", self.classes, "Precision, recall and F1 of each class, with 95 % intervals.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for part in (self.score, self.more, self.folded):
            layout.addWidget(part)

    def refresh(self) -> None:
        """Show the reviewed run."""
        run = self._session.review_run
        scores = self._session.review_scores() if run else None
        self.setVisible(bool(run))
        self.score.setText(score_text(self._session, run, scores))
        self.more.setText(" ".join(more_texts(self._session, run, scores)))
        self.more.setVisible(bool(self.more.text()))
        self.folded.setVisible(scores is not None and bool(scores.per_class))
        if scores is not None:
            self.classes.show_scores(scores)


def score_text(session: Session, run: str, scores: Scores | None) -> str:
    """Return run and score: ``"Model of 14:02, cross-validated: accuracy 0.86 (0.79–0.91), 212 cells"``."""
    known = session.run(run)
    if known is None:
        return ""
    how = f"cross-validated ({known.cross_validated} folds)" if known.cross_validated else "held-out cells"
    said = f"accuracy {scores.text}" if scores is not None else "none of its cells has a label now"
    return f"{known.recipe} of {made_text(known.made)}, {how}: {said}"


def more_texts(session: Session, run: str, scores: Scores | None) -> list[str]:
    """Return what to know of a score, as sentences."""
    texts = []
    if changed := session.changed_since(run):
        known = session.run(run)
        made = made_text(known.made) if known is not None else ""
        texts.append(f"Labels of {made}; {changed:,} {'has' if changed == 1 else 'have'} changed since. Train again.")
    if scores is not None:
        texts += [f"⚠ {one}" for one in scores.warnings]
        if scores.ece is not None:
            texts.append(calibration_text(scores.ece, scores.ece_before))
    return texts


def calibration_text(after: float, before: float | None) -> str:
    """Return calibration errors in words."""
    was = "" if before is None else f" (before calibration {before:.2f})"
    return f"The confidence shown is off by {after:.2f} on average{was}."
