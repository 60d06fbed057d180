"""What more labels would bring: a line with the button that finds out, which is also done after each training.

That of itself runs beside the one job that the runner has, and gives way as soon as there is another.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.scoring.gain import Gain
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import show, showing_errors
from napari_cellstage.ui.pieces import hint, on_click, small_button
from napari_cellstage.ui.training import missing_for_training
from napari_cellstage.ui.workers import Job, JobRunner, ShouldStop

TITLE = "estimating what more labels bring"
ASK = "What would more labels bring?"
LONGEST_S = 5.0  # that closing waits
CHEAP = 500  # labels, up to which it takes a few seconds and so is done without being asked for


class GainLine(QWidget):
    """The line.

    Parameters
    ----------
    session
        Whose labels.
    runner
        Where the work runs.
    """

    def __init__(self, session: Session, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._runner = runner
        self._beside: Job | None = None
        self._new_model = False
        self.line = hint(ASK)
        self.line.setTextFormat(Qt.TextFormat.PlainText)
        self.estimate = small_button(
            "Estimate",
            "Trains on parts of your labels and scores each on cells it has not seen; from how the score rises follows "
            "what 100 more labels would bring. The interval holds the truth 95 times of 100, if more labels are like "
            "those there are.",
            ASK,
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line, 1)
        row.addWidget(self.estimate)
        on_click(self.estimate, self.start)
        runner.started.connect(self._give_way)
        runner.ended.connect(self._on_ended)
        session.predictions_changed.connect(self._on_predictions)
        for signal in (session.labels_changed, session.people_changed):
            signal.connect(self.refresh)
        for signal in (session.project_changed, session.scheme_changed):
            signal.connect(self._begin_anew)
        self.refresh()

    def refresh(self, *_what: object) -> None:
        """Show the session as it is now."""
        enough = not missing_for_training(self.session)
        self.setVisible(len(self.session.scheme) > 0 and enough and not self.session.blind)
        self.estimate.setEnabled(enough and not self._runner.busy)

    def close_link(self) -> None:
        """Stop what runs beside, and wait for it, as it reads the project."""
        if self._beside is not None:
            self._beside.blockSignals(True)
            self._beside.stop()
            self._beside.wait(LONGEST_S)
            self._beside = None

    @showing_errors
    def start(self) -> None:
        """Estimate in a worker."""
        if self.session.project is None:
            return
        self._runner.start(self._job(self.session.project.cache))

    def _job(self, cache: Path) -> Job:
        job = Job(TITLE, estimating(self.session.snapshot(), cache), self)
        job.returned.connect(self._show)
        job.failed.connect(self._show_problem)
        return job

    def _on_predictions(self, *_what: object) -> None:
        self._new_model = self._runner.busy or self._new_model

    @showing_errors
    def _on_ended(self) -> None:
        """After a training that left a model, estimate of itself where that is cheap."""
        self.refresh()
        new, self._new_model = self._new_model, False
        project = self.session.project
        cheap = sum(self.session.counts().values()) <= CHEAP
        if not new or project is None or not cheap or self._runner.busy or self._beside or self.isHidden():
            return
        self._beside = self._job(project.cache)
        self._beside.ended.connect(self._on_beside_ended)
        self._beside.start()

    def _on_beside_ended(self) -> None:
        if self._beside is not None:
            self._beside.deleteLater()
        self._beside = None

    def _give_way(self, *_what: object) -> None:
        if self._beside is not None:
            self._beside.stop()
        self.refresh()

    def _show(self, gain: Gain | None) -> None:
        if gain is not None:
            self.line.setText(gain.text)

    def _show_problem(self, error: Exception) -> None:
        """Say in place why it could not be told, as that is no fault; anything unexpected as usual."""
        if isinstance(error, CellStageError):
            self.line.setText(str(error))
        else:
            show(error)

    def _begin_anew(self) -> None:
        self._new_model = False
        self._give_way()
        self.line.setText(ASK)


def estimating(snapshot: WorkSnapshot, cache: Path) -> Callable[[ShouldStop], Generator[Any, None, Gain | None]]:
    """Return the work of estimating the gain."""

    def work(should_stop: ShouldStop) -> Generator[Any, None, Gain | None]:
        from napari_cellstage.core.errors import TrainingStopped
        from napari_cellstage.core.feature_cache import FeatureCache
        from napari_cellstage.learn.learning_curve import expected_gain
        from napari_cellstage.learn.recipe import Recipe

        try:
            return (yield from expected_gain(snapshot, Recipe.load("quick"), FeatureCache(cache), should_stop))
        except TrainingStopped:
            return None

    return work
