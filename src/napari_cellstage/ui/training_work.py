"""The work that the Train step starts, and its answers: given to the session as they come. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_cellstage.learn.events import EpochDone, Note
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import show, showing_errors, shown, tell
from napari_cellstage.ui.training import dropped_text, predicting, runs_folder, training
from napari_cellstage.ui.workers import Job, JobRunner, Work

TITLE = "training"
PREDICTING = "predicting"


class TrainingWork(QObject):
    """Trainings of a session, one after the other.

    Signals
    -------
    began : a training, so that what was shown of the one before can go.
    noted : a sentence.
    epoch_done : an `EpochDone` of a network.
    scored : the score, as rich text.
    answered : the session has got an answer.

    Parameters
    ----------
    session
        What is trained on, and what gets the predictions.
    runner
        Where the training runs.
    """

    began = Signal()
    noted = Signal(str)
    epoch_done = Signal(object)
    scored = Signal(str)
    answered = Signal()

    def __init__(self, session: Session, runner: JobRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.checking = False  # only cross-validation is left of the training that runs
        self._session, self._runner = session, runner
        self._again: Sequence[Recipe] = ()  # to train by when the worker has ended
        self._stopped_run = ""  # its model is still to predict
        self._taken: Any = None  # predictions of the job that runs, which the session was given already
        self._dropped = False  # it did not want them
        self._version = 0
        self._runs = Path()  # of the project that the job began in
        runner.ended.connect(self._go_on)

    @property
    def elsewhere(self) -> bool:
        """Whether the project is not the one that the last job began in."""
        return self._session.project is None or self._session.project.runs != self._runs

    def train(self, recipes: Sequence[Recipe]) -> None:
        """Train; what is left of the check of the model before is stopped for it.

        Raises
        ------
        CellStageError
            If there is nothing to train on, or other work goes on.
        """
        if self._runner.busy and self.checking:
            self._again = recipes
            self._runner.stop()
            return
        snapshot = self._session.snapshot()
        work = training(snapshot, tuple(recipes), runs_folder(self._session))
        self.began.emit()
        self._begin(TITLE, work, snapshot.version)

    def drop(self) -> None:
        """Show no score of the job that runs, as it is of another project."""
        self._dropped = True

    def close_link(self, job: Job | None) -> None:
        """Take the answer of a training that was ended by closing."""
        if job is not None and job.title == TITLE:
            self._take(job.result)

    def _begin(self, title: str, work: Work, version: int) -> None:
        job = Job(title, work)
        job.progressed.connect(self._on_event)
        job.returned.connect(self._take)
        job.failed.connect(show)
        self._version, self._taken, self._dropped = version, None, False
        self._runs = runs_folder(self._session)
        self._runner.start(job)

    @showing_errors
    def _go_on(self) -> None:
        """Once the worker has ended, do what had to wait: train again, or predict where it was stopped."""
        run, self._stopped_run = self._stopped_run, ""
        again, self._again, self.checking = self._again, (), False
        if again:
            self.train(again)
        elif run:
            snapshot = self._session.snapshot()
            self._begin(PREDICTING, predicting(snapshot, runs_folder(self._session) / run), snapshot.version)

    def _on_event(self, event: Any) -> None:
        if isinstance(event, Note):
            self.noted.emit(event.text)
        elif isinstance(event, EpochDone) and event.epochs > 1:  # the quick recipe's one epoch is no curve
            self.epoch_done.emit(event)
        elif hasattr(event, "predictions"):
            self._take(event)
            self.checking = event.checking
            self.answered.emit()

    def _take(self, answer: Any) -> None:
        """Give an answer to the session, and say its score."""
        if answer is None:
            return
        if answer.to_predict and self.elsewhere:
            tell(self._dropped_text())
        elif answer.to_predict:
            self._stopped_run = answer.run
        else:
            self._give(answer)

    def _give(self, answer: Any) -> None:
        if answer.predictions is self._taken:  # they are shown since before the cross-validation
            self._session.note_run(answer.run)
        else:
            self._taken, self._dropped = answer.predictions, not self._give_predictions(answer)
        if not self._dropped:
            self.scored.emit(score_text(answer))

    def _give_predictions(self, answer: Any) -> bool:
        """Give predictions to the session; return whether it took them all."""
        with shown():
            if self._session.set_predictions(answer.predictions, self._version):
                return True
            tell(self._dropped_text())
        return False

    def _dropped_text(self) -> str:
        return dropped_text(self._session, self._runs, "Press Train again.")


def score_text(answer: Any) -> str:
    """Return the score with its interval, its n and what to know before believing it, and which model it is of."""
    task = _task_text(getattr(answer, "left_out", ()))
    name, scores = escape(answer.recipe_name), answer.scores
    if scores is None:
        return f"<b>{name}</b>: too few labels to keep some aside, so there is no score yet.{task}"
    unseen = getattr(answer, "unseen", None)
    # Where two models were compared the score is of choosing between them on the held-out cells, whatever came after.
    every = unseen is not None and unseen.how == "out of fold" and len(unseen.truth) == scores.n
    how = "cross-validated" if every else "held-out"
    over = "" if scores.interval_over == "cells" else f", interval over {escape(scores.interval_over)}"
    told = "".join(f"<br>⚠ {escape(one)}" for one in scores.warnings)
    return f"<b>{name}</b>: {how} accuracy {scores.text}{over}{task}{told}"


def _task_text(left_out: Sequence[str]) -> str:
    """Say which classes were not told apart; nothing where all were."""
    if not left_out:
        return ""
    names = ", ".join(map(escape, left_out))
    return f"<br>Left out: {names}. Their cells are neither trained on nor scored; none is predicted so."
