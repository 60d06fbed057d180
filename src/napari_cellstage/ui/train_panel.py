"""The Train step: one button, what it will take, how it goes, what came out. It knows the session only."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.learn.events import EpochDone, Note
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.session import Session
from napari_cellstage.ui.device_probe import DeviceProbe, device_text
from napari_cellstage.ui.estimate import Speed, expected_seconds, expected_text
from napari_cellstage.ui.held_out_box import HeldOutBox
from napari_cellstage.ui.notices import show, showing_errors, shown, tell
from napari_cellstage.ui.pieces import Folded, button, hint, on_click
from napari_cellstage.ui.recipe_form import RecipeForm
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.training import (
    PLANS,
    amount,
    dropped_text,
    missing_for_training,
    plan_recipes,
    predicting,
    runs_folder,
    training,
)
from napari_cellstage.ui.workers import Job, JobRunner, Work

if TYPE_CHECKING:
    from napari_cellstage.ui.crop_preview import CropPreview

NOTES_SHOWN = 4
SOON_MS = 100
TITLE = "training"
PREDICTING = "predicting"


class TrainPanel(QWidget):
    """Training of a session.

    Parameters
    ----------
    session
        What is trained on, and what gets the predictions.
    runner
        Where the training runs.
    theme
        Colours of the curve.
    """

    def __init__(self, session: Session, runner: JobRunner, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.speed = Speed()
        self._runner = runner
        self._theme = theme
        self._notes: list[str] = []
        self._device = ""
        self._version = 0
        self._incomplete = True
        self._stopped_run = ""  # its model is still to predict
        self._taken: Any = None  # predictions of the job that runs, which the session was given already
        self._dropped = False  # it did not want them
        self._checking = False  # only cross-validation is left of the training that runs
        self._again = False  # train anew when it has ended
        self._runs = Path()  # of the project that the job began in
        self._curve: Any = None
        self.crops: CropPreview | None = None
        self._selected: int | None = None
        self.probe = DeviceProbe(self)
        layout = QVBoxLayout(self)
        for part in (self._build_button(), self._build_settings()):
            layout.addWidget(part)
        self.score, self.notes = hint(""), hint("")
        self.curve_place = QVBoxLayout()
        layout.addWidget(self.score)
        layout.addLayout(self.curve_place)
        layout.addWidget(self.notes)
        layout.addStretch(1)
        self._wire()
        self.refresh()

    def refresh(self, *_what: object) -> None:
        """Show the session as it is now."""
        missing = missing_for_training(self.session)
        self._incomplete = bool(missing)
        self.train.setEnabled(not missing and (self._checking or not self._runner.busy))
        self.settings.setEnabled(not self._runner.busy)
        self.plan.setEnabled(not self._runner.busy)
        self.forecast.setText(self._forecast_text(missing))

    def _refresh_soon(self, *_what: object) -> None:
        """Show the first labels, which enable training, at once, and all further ones when the keys rest."""
        if self._incomplete:
            self.refresh()
        else:
            self._soon.start()

    def select(self, row: int | None) -> None:
        """Note which cell is selected: its neighbours can be looked at."""
        self._selected = row
        if self.crops is not None:
            self.crops.refresh()

    def set_recipe(self, **choices: Any) -> None:
        """Change choices of the recipe form, as scripts and tests do."""
        self.form.value = self.form.value.but(**choices)
        self.form.changed.emit()

    def close_link(self, job: Job | None) -> None:
        """Take the answer of a training that was ended by closing, and end the process asked for the device."""
        self.probe.close()
        self._soon.stop()
        self.held_out.audit.close_link()
        if self.crops is not None:
            self.crops.close_link()
        if job is not None and job.title == TITLE:
            self._take(job.result)

    # build

    def _build_button(self) -> QWidget:
        box = QWidget()
        self.train = button("Train", "Learn from the cells you labelled, then say the class of every cell.")
        font = self.train.font()
        font.setBold(True)
        self.train.setFont(font)
        self.plan = QComboBox()
        self.plan.addItems(list(PLANS))
        self.plan.setAccessibleName("What is trained")
        self.plan.setToolTip(
            "quick: measures each cell's shape and texture; an answer in seconds.\n"
            "network: a neural network that looks at the cells themselves; takes minutes, often better.\n"
            "With both, the one that does better on cells kept aside is kept."
        )
        self.forecast = hint("")
        layout, row = QVBoxLayout(box), QHBoxLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.train, 1)
        row.addWidget(self.plan)
        layout.addLayout(row)
        layout.addWidget(self.forecast)
        return box

    def _build_settings(self) -> QWidget:
        self.form = RecipeForm(Recipe.load("finetune"), self)
        self.look = button("Show crops", "Show real cells as the network gets them, with the choices below.")
        seen, self.settings = QWidget(), QWidget()
        parts, layout = QVBoxLayout(seen), QVBoxLayout(self.settings)
        for one in (parts, layout):
            one.setContentsMargins(0, 0, 0, 0)
        parts.addWidget(self.look)
        parts.addWidget(self.form.seen)
        self.seen = Folded("What the model sees", seen, "How much of each cell, and of what is around it.")
        self.learning = Folded(
            "Recipe settings",
            self.form.learning,
            "Every choice of the training. What is there works for most images.",
        )
        self.held_out = HeldOutBox(self.session)
        self.measuring = Folded(
            "How the score is measured",
            self.held_out,
            "What is kept together when cells are held out, and cells set aside for the final check.",
        )
        for one in (self.seen, self.learning, self.measuring):
            layout.addWidget(one)
        return self.settings

    def _wire(self) -> None:
        session = self.session
        for signal in (session.project_changed, session.images_changed, session.scheme_changed):
            signal.connect(self.refresh)
        session.project_changed.connect(self._forget)
        # The forecast counts all labels, which a key press is not to wait for.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._soon.timeout.connect(self.refresh)
        session.labels_changed.connect(self._refresh_soon)
        session.cells_changed.connect(self.refresh)
        self._runner.started.connect(self.refresh)
        self._runner.ended.connect(self.refresh)
        self._runner.ended.connect(self._go_on)
        on_click(self.train, self.start)
        self.plan.currentTextChanged.connect(self.refresh)
        self.form.changed.connect(self.refresh)
        on_click(self.look, self.show_crops)
        self.probe.found.connect(self._on_device)

    # show

    def _forecast_text(self, missing: str) -> str:
        if missing:
            return missing
        device = self._device or "Looking for a graphics card"
        try:
            recipes = plan_recipes(self.plan.currentText(), self.form.value)
        except CellStageError as error:
            return str(error)
        seconds = expected_seconds(recipes, amount(self.session), self.speed)
        return f"{device}, {expected_text(seconds)}"

    def _on_device(self, text: str) -> None:
        self._device = device_text(text)
        self.refresh()

    def _curve_shown(self) -> Any:
        """Return the curve; it is made when it is first needed, as it takes a while to load."""
        if self._curve is None:
            from napari_cellstage.ui.curve import Curve

            self._curve = Curve(self._theme)
            self.curve_place.addWidget(self._curve)
        self._curve.show()
        return self._curve

    def _note(self, text: str) -> None:
        self._notes = [*self._notes, text][-NOTES_SHOWN:]
        self.notes.setText("\n".join(f"• {one}" for one in self._notes))

    def _clear(self) -> None:
        self._notes = []
        self.notes.clear()
        if self._curve is not None:
            self._curve.begin()
            self._curve.hide()

    def _forget(self) -> None:
        """Show nothing of a training of another project."""
        if self._elsewhere:
            self._clear()
            self.score.clear()
            self._dropped = True

    @property
    def _elsewhere(self) -> bool:
        """Whether the project is not the one that the last job began in."""
        return self.session.project is None or self.session.project.runs != self._runs

    # what the user does

    @showing_errors
    def show_crops(self) -> None:
        """Show real crops as the network will get them, in a window of their own."""
        if self.crops is None:
            from napari_cellstage.ui.crop_preview import CropPreview

            self.crops = CropPreview(self.session, lambda: self.form.value, lambda: self._selected, self)
            self.form.changed.connect(self.crops.refresh)
        self.crops.open()

    @showing_errors
    def start(self) -> None:
        """Train in a worker; what is left of the check of the model before is stopped for it."""
        if self._runner.busy and self._checking:
            self._again = True
            self._runner.stop()
            return
        recipes = plan_recipes(self.plan.currentText(), self.form.value)
        snapshot = self.session.snapshot()
        work = training(snapshot, recipes, runs_folder(self.session))
        self._clear()
        self._begin(TITLE, work, snapshot.version)

    def _begin(self, title: str, work: Work, version: int) -> None:
        job = Job(title, work)
        job.progressed.connect(self._on_event)
        job.returned.connect(self._take)
        job.failed.connect(show)
        self._version, self._taken, self._dropped = version, None, False
        self._runs = runs_folder(self.session)
        self._runner.start(job)

    @showing_errors
    def _go_on(self) -> None:
        """Once the worker has ended, do what had to wait: train again, or predict where it was stopped."""
        run, self._stopped_run = self._stopped_run, ""
        again, self._again, self._checking = self._again, False, False
        if again:
            self.start()
        elif run:
            snapshot = self.session.snapshot()
            self._begin(PREDICTING, predicting(snapshot, runs_folder(self.session) / run), snapshot.version)

    def _take(self, answer: Any) -> None:
        """Give an answer to the session, and show its score."""
        if answer is None:
            return
        if answer.to_predict and self._elsewhere:
            tell(self._dropped_text())
        elif answer.to_predict:
            self._stopped_run = answer.run
        else:
            self._show_answer(answer)

    def _show_answer(self, answer: Any) -> None:
        if answer.predictions is self._taken:  # they are shown since before the cross-validation
            self.session.note_run(answer.run)
        else:
            self._taken, self._dropped = answer.predictions, not self._show_predictions(answer)
        if not self._dropped:
            self.score.setText(score_text(answer))

    def _show_predictions(self, answer: Any) -> bool:
        """Give predictions to the session; return whether it took them all."""
        with shown():
            if self.session.set_predictions(answer.predictions, self._version):
                return True
            tell(self._dropped_text())
        return False

    def _dropped_text(self) -> str:
        return dropped_text(self.session, self._runs, "Press Train again.")

    def _on_event(self, event: Any) -> None:
        if isinstance(event, Note):
            self._note(event.text)
        elif isinstance(event, EpochDone) and event.epochs > 1:  # the quick recipe's one epoch is no curve
            self._curve_shown().add(event)
            if event.images_per_second > 0:
                self.speed = replace(self.speed, trained_per_second=event.images_per_second)
        elif hasattr(event, "predictions"):
            self._take(event)
            self._checking = event.checking
            self.refresh()


def score_text(answer: Any) -> str:
    """Return the score with its interval, its n and what to know before believing it, and which model it is of."""
    if answer.scores is None:
        return f"<b>{escape(answer.recipe_name)}</b>: too few labels to keep some aside, so there is no score yet."
    name, scores = escape(answer.recipe_name), answer.scores
    unseen = getattr(answer, "unseen", None)
    # Where two models were compared the score is of choosing between them on the held-out cells, whatever came after.
    every = unseen is not None and unseen.how == "out of fold" and len(unseen.truth) == scores.n
    how = "cross-validated" if every else "held-out"
    over = "" if scores.interval_over == "cells" else f", interval over {escape(scores.interval_over)}"
    told = "".join(f"<br>⚠ {escape(one)}" for one in scores.warnings)
    return f"<b>{name}</b>: {how} accuracy {scores.text}{over}{told}"
