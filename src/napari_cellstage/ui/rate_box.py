"""The learning-rate finder in the dock: a button, the curve, and the suggestion that a click takes over."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from napari_cellstage.core.errors import TrainingError, TrainingStopped
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.learn.rate_curve import RateCurve
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import show, showing_errors
from napari_cellstage.ui.pieces import allow, button, hint, on_click
from napari_cellstage.ui.recipe_form import RecipeForm
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.training import missing_for_training, runs_folder
from napari_cellstage.ui.workers import Job, JobRunner, ShouldStop

TITLE = "finding the learning rate"


class RateBox(QWidget):
    """Finds a learning rate for the labelled cells and the recipe that the form shows.

    Parameters
    ----------
    session
        Whose labelled cells are tried.
    runner
        Where that runs.
    form
        Of the recipe; a suggestion that is taken over is put into it.
    theme
        Colours of the curve.
    """

    def __init__(
        self, session: Session, runner: JobRunner, form: RecipeForm, theme: PanelTheme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._runner, self._form, self._theme = session, runner, form, theme
        self.curve: RateCurve | None = None
        self._wanted: Job | None = None  # whose curve is to be shown
        self._runs = Path()  # of the project that was looked at
        self._plot: Any = None
        self.find = button(
            "Find the learning rate",
            "Train a network of its own for a minute with larger and larger steps, and see at which it learns fastest. "
            "Your model stays as it is.",
        )
        self.take = button("Use it", "Put the suggested learning rate into the recipe above.")
        self.take.hide()
        self.words = hint("")
        self.words.hide()
        layout, row = QVBoxLayout(self), QHBoxLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.find, 1)
        row.addWidget(self.take)
        layout.addLayout(row)
        layout.addWidget(self.words)
        on_click(self.find, self.start)
        on_click(self.take, self.use)
        session.project_changed.connect(self._forget_elsewhere)

    def allow(self, missing: str) -> None:
        """Let it be started, or say why not; where no network is trained there is nothing to start.

        Parameters
        ----------
        missing
            What has to be done before anything can be trained, or an empty text.
        """
        allow(self.find, missing)
        self.setVisible(self._form.kind == "finetune")

    def forget(self, *_what: object) -> None:
        """Show no curve any more, as it is of other cells or of another recipe."""
        self._wanted = None
        self.curve = None
        self.words.clear()
        for part in (self.words, self.take, *([self._plot] if self._plot is not None else [])):
            part.hide()

    @showing_errors
    def start(self) -> None:
        """Find it in a worker.

        Raises
        ------
        TrainingError
            Shown, not raised: if there is nothing to train on, or the recipe trains no network of its own.
        """
        recipe = self._form.value
        if missing := missing_for_training(self._session):
            raise TrainingError(missing)
        if self._form.kind != "finetune":
            raise TrainingError(f"The recipe '{recipe.name}' trains no network of its own, so it has no learning rate.")
        job = Job(TITLE, finding(self._session.snapshot(), recipe))
        job.returned.connect(partial(self._take, job))
        job.failed.connect(show)
        self._runner.start(job)
        self._wanted, self._runs = job, runs_folder(self._session)

    @showing_errors
    def use(self) -> None:
        """Put the suggestion into the form."""
        if self.curve is not None and self.curve.suggestion is not None:
            # Else the training would look for one by itself, and take that.
            self._form.value = self._form.value.but(learning_rate=self.curve.suggestion, find_rate=False)
            self._form.changed.emit()

    def _forget_elsewhere(self) -> None:
        project = self._session.project
        if project is None or project.runs != self._runs:
            self.forget()

    def _take(self, job: Job, curve: RateCurve | None) -> None:
        """Show what was found, unless another project or recipe was chosen meanwhile."""
        if curve is not None and job is self._wanted:
            self._show(curve)

    def _show(self, curve: RateCurve) -> None:
        self.curve = curve
        self.words.setText(curve.text)
        self.words.show()
        self.take.setVisible(curve.suggestion is not None)
        self._draw(curve)

    def _draw(self, curve: RateCurve) -> None:
        if self._plot is None:
            from napari_cellstage.ui.rate_plot import RatePlot  # takes a while to load

            self._plot = RatePlot(self._theme, self)
            self.layout().addWidget(self._plot)
        self._plot.show_curve(curve)
        self._plot.show()


def finding(snapshot: WorkSnapshot, recipe: Recipe) -> Callable[[ShouldStop], Generator[Any, None, RateCurve | None]]:
    """Return the work of finding a learning rate; None comes of it after a stop. Torch is loaded when it begins."""

    def work(should_stop: ShouldStop) -> Generator[Any, None, RateCurve | None]:
        from threadpoolctl import threadpool_limits

        from napari_cellstage.learn.data import TrainingSet
        from napari_cellstage.learn.device import cpu_count
        from napari_cellstage.learn.finetune import find_rate

        data = TrainingSet.from_snapshot(snapshot, recipe)
        with threadpool_limits(max(1, cpu_count() - 1)), suppress(TrainingStopped):
            return (yield from find_rate(data, recipe, should_stop))
        return None

    return work
