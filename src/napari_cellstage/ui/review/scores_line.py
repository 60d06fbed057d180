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
    """Score and what has changed since; warnings, calibration and the figures of each class unfold."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.score, self.changed, self.more = hint(""), hint(""), hint("")
        for one in (self.score, self.changed, self.more):
            one.setTextFormat(Qt.TextFormat.PlainText)
        self.classes, details = ClassScoresTable(), QWidget()
        inside = QVBoxLayout(details)
        inside.setContentsMargins(0, 0, 0, 0)
        for part in (self.more, self.classes):
            inside.addWidget(part)
        self.folded = Folded("", details, "What to know of this score, and that of each class.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        for part in (self.score, self.changed, self.folded):
            layout.addWidget(part)

    def refresh(self) -> None:
        """Show the reviewed run."""
        run = "" if self._session.blind else self._session.review_run
        scores = self._session.review_scores() if run else None
        self.setVisible(bool(run))
        if not run:
            return
        self.score.setText(score_text(self._session, run, scores))
        self.changed.setText(
            "\n".join(filter(None, (held_out_text(self._session, run), changed_text(self._session, run))))
        )
        self.changed.setVisible(bool(self.changed.text()))
        self.folded.setVisible(scores is not None)
        if scores is not None:
            self._show_details(scores)

    def _show_details(self, scores: Scores) -> None:
        told = list(scores.warnings)
        warned = f"⚠ {len(told)} warning{'' if len(told) == 1 else 's'} · " if told else ""
        self.folded.head.setText(
            f"{warned}calibration, each class" if scores.ece is not None else f"{warned}each class"
        )
        lines = [f"⚠ {one}" for one in told]
        if scores.ece is not None:
            lines.append(calibration_text(scores.ece, scores.ece_before))
        self.more.setText("\n".join(lines))
        self.classes.show_scores(scores)


def score_text(session: Session, run: str, scores: Scores | None) -> str:
    """Return run and score: ``"Model of 14:02, cross-validated: accuracy 0.86 (0.79–0.91), 212 cells"``."""
    known = session.run(run)
    if known is None:
        return ""
    how = "cross-validated" if known.cross_validated else "held out"
    which = f"{known.recipe} of {made_text(known.made)}, {how}" if known.recipe else f"Run {run}, whose card is damaged"
    said = f"accuracy {scores.text}" if scores is not None else "none of its cells has a label now"
    return f"{which}: {said}"


def held_out_text(session: Session, run: str) -> str:
    """Return how few of the labelled cells are reviewed where a run was not cross-validated; empty where all are."""
    known, seen = session.run(run), session.unseen(run)
    labelled = sum(session.counts().values())
    if known is None or known.cross_validated or seen is None or len(seen) >= labelled:
        return ""
    return (
        f"Only the {len(seen):,} cells held out of {labelled:,} labelled ones are reviewed. "
        "Cross-validate it in Runs to review all."
    )


def changed_text(session: Session, run: str) -> str:
    """Return how many labels have changed since a run; empty where none has."""
    changed = session.changed_since(run)
    known = session.run(run)
    if not changed or known is None:
        return ""
    have = "has" if changed == 1 else "have"
    of = made_text(session.labels_seen(run) or known.made)
    return f"Labels of {of}; {changed:,} {have} changed since. The score is by those of today."


def calibration_text(after: float, before: float | None) -> str:
    """Return calibration errors in words."""
    was = "" if before is None else f" (before calibration {before:.2f})"
    return f"The confidence shown is off by {after:.2f} on average{was}."
