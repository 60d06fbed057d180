"""The learning-rate finder in the dock: a button, the curve, and the suggestion that a click takes over."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

import numpy as np
from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from napari_cellstage.core.errors import TrainingError, TrainingStopped
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.learn.rate_curve import RateCurve
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import show, showing_errors
from napari_cellstage.ui.pieces import button, hint, on_click
from napari_cellstage.ui.recipe_form import RecipeForm
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import Job, JobRunner, ShouldStop

TITLE = "finding the learning rate"
HEIGHT = 130


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

    @showing_errors
    def start(self) -> None:
        """Find it in a worker."""
        recipe = self._form.value
        if recipe.kind != "finetune":
            raise TrainingError(f"The recipe '{recipe.name}' trains no network of its own, so it has no learning rate.")
        job = Job(TITLE, finding(self._session.snapshot(), recipe))
        job.returned.connect(self._show)
        job.failed.connect(show)
        self._runner.start(job)

    @showing_errors
    def use(self) -> None:
        """Put the suggestion into the form."""
        if self.curve is not None and self.curve.suggestion is not None:
            self._form.value = self._form.value.but(learning_rate=self.curve.suggestion)
            self._form.changed.emit()

    def _show(self, curve: RateCurve | None) -> None:
        if curve is None:
            return
        self.curve = curve
        self.words.setText(curve.text)
        self.words.show()
        self.take.setVisible(curve.suggestion is not None)
        self._draw(curve)

    def _draw(self, curve: RateCurve) -> None:
        import pyqtgraph as pg

        from napari_cellstage.ui.curve import ACCURACY_COLOR, LOSS_COLOR

        if self._plot is None:
            self._plot = pg.PlotWidget(self)
            self._plot.setFixedHeight(HEIGHT)
            self._plot.setMouseEnabled(x=False, y=False)
            self._plot.setMenuEnabled(False)
            self._plot.hideButtons()
            self.layout().addWidget(self._plot)
        self._plot.clear()
        self._plot.setBackground(self._theme.field)
        for side, text in (("left", "loss"), ("bottom", "learning rate (powers of ten)")):
            self._plot.getAxis(side).setLabel(text, color=self._theme.text.name())
            self._plot.getAxis(side).setTextPen(self._theme.text)
            self._plot.getAxis(side).setPen(self._theme.faint)
        rates = np.log10(curve.rates)
        self._plot.plot(rates, curve.losses, pen=None, symbol="o", symbolSize=3, symbolBrush=self._theme.faint)
        self._plot.plot(rates, curve.smooth, pen=pg.mkPen(LOSS_COLOR, width=2))
        self._plot.setYRange(float(curve.smooth.min()), float(curve.smooth[: _shown(curve)].max()), padding=0.1)
        if curve.suggestion is not None:
            self._plot.addLine(x=float(np.log10(curve.suggestion)), pen=pg.mkPen(ACCURACY_COLOR, width=2))


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


def _shown(curve: RateCurve) -> int:
    """Return how many steps are shown in full: up to the lowest loss; what diverges after it may leave the picture."""
    return int(curve.smooth.argmin()) + 1
