"""The trainings of stains that the page starts: what they need, what they report, what came of them. No widgets."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.store import free_folder
from napari_cellstage.learn.events import Note
from napari_cellstage.session import Session
from napari_cellstage.stain.events import StainEpoch
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.ui.notices import show, tell
from napari_cellstage.ui.stain.learn_work import Learned, Measured, learning, measuring
from napari_cellstage.ui.stain.sources import Source
from napari_cellstage.ui.workers import Job, JobRunner

TITLE = "learning a stain"


class Learning(QObject):
    """Starts trainings and measurements of shifts.

    Signals
    -------
    began : a training.
    noted : a sentence.
    epoch_done : a `StainEpoch`.
    learned : a `Learned`.
    measured : a `Measured`.
    measuring_ended : all pairs are measured, or it was stopped or failed.

    Parameters
    ----------
    session
        Where the runs are kept.
    runner
        Where the work runs.
    """

    began = Signal()
    noted = Signal(str)
    epoch_done = Signal(object)
    learned = Signal(object)
    measured = Signal(object)
    measuring_ended = Signal()

    def __init__(self, session: Session, runner: JobRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._runner = session, runner
        self._runs: Path | None = None  # of the project that the job began in

    def ensure_project(self, name: str) -> None:
        """Begin a project for the model, where none is open."""
        if self._session.project is None:
            self._session.new_project(free_folder(self._session.home, name))

    def train(self, source: Source, recipe: StainRecipe, start: Path | None) -> None:
        """Train; a start is the run folder of a model that learns more stains.

        Raises
        ------
        CellStageError
            If other work goes on, or there is no project.
        """
        project = self._session.project
        if project is None:
            raise CellStageError("No project is open, so a model can't be kept. Open an image first.")
        job = Job(TITLE, learning(source, recipe, project.runs, start))
        job.returned.connect(partial(self._on_learned, project.runs))
        self._start(job)
        self.began.emit()

    def measure(self, source: Source) -> None:
        """Measure shifts.

        Raises
        ------
        CellStageError
            If other work goes on.
        """
        job = Job("measuring shifts", measuring(source))
        job.ended.connect(self.measuring_ended)
        self._start(job)

    def _start(self, job: Job) -> None:
        job.progressed.connect(self._on_event)
        job.failed.connect(self._on_failed)
        self._runner.start(job)
        self._runs = self._runs_now()

    def _runs_now(self) -> Path | None:
        return None if self._session.project is None else self._session.project.runs

    def _on_event(self, event: Any) -> None:
        if self._runs_now() != self._runs:
            return  # of another project, of which nothing is shown
        if isinstance(event, Note):
            self.noted.emit(event.text)
        elif isinstance(event, StainEpoch):
            self.epoch_done.emit(event)
        elif isinstance(event, Measured):
            self.measured.emit(event)

    def _on_failed(self, error: BaseException) -> None:
        show(error)
        if isinstance(error, CellStageError) and self._runs_now() == self._runs:
            self.noted.emit(str(error))  # what napari shows of it goes after a moment

    def _on_learned(self, runs: Path, answer: Learned | None) -> None:
        if answer is None:
            return
        if self._runs_now() != runs:
            tell(f"The project was closed meanwhile. The model is kept in it: '{runs / answer.run}'.")
            return
        self._session.note_stain_run()
        self.learned.emit(answer)
