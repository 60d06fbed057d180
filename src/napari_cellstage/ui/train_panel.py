"""The Train step: one button, what it will take, how it goes, what came out. It knows the session only."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.learn.events import EpochDone
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.session import Session
from napari_cellstage.ui.classes_box import ClassesBox
from napari_cellstage.ui.device_probe import DeviceProbe, device_text
from napari_cellstage.ui.estimate import Speed, forecast, measured
from napari_cellstage.ui.held_out_box import HeldOutBox
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import Folded, button, hint, on_click, say
from napari_cellstage.ui.rate_box import RateBox
from napari_cellstage.ui.recipe_box import RecipeBox
from napari_cellstage.ui.recipe_form import RecipeForm
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.training import amount, fit_note, missing_for_training
from napari_cellstage.ui.training_work import TrainingWork
from napari_cellstage.ui.workers import Job, JobRunner

if TYPE_CHECKING:
    from napari_cellstage.ui.crop_preview import CropPreview

NOTES_SHOWN = 4
SOON_MS = 100


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
        self._trained = Recipe.load("finetune")  # by which the last training went; the form may be another by its end
        self._runner = runner
        self.work = TrainingWork(session, runner, self)
        self._theme = theme
        self._notes: list[str] = []
        self._device = ""
        self._incomplete = True
        self._curve: Any = None
        self.crops: CropPreview | None = None
        self._selected: int | None = None
        self.probe = DeviceProbe(self)
        self.form = RecipeForm(Recipe.load("finetune"), self)
        layout = QVBoxLayout(self)
        self.score, self.notes = hint(""), hint("")
        self.curve_place = QVBoxLayout()
        for line in (self.score, self.notes):
            line.hide()
        # What came of it is above the choices, which are too many to look for it below them.
        layout.addWidget(self._build_button())
        layout.addWidget(self.score)
        layout.addLayout(self.curve_place)
        layout.addWidget(self.notes)
        layout.addWidget(self._build_settings())
        layout.addStretch(1)
        self._wire()
        self.refresh()

    def refresh(self, *_what: object) -> None:
        """Show the session as it is now."""
        missing = missing_for_training(self.session)
        self._incomplete = bool(missing)
        self.train.setEnabled(not missing and (self.work.checking or not self._runner.busy))
        self.settings.setEnabled(not self._runner.busy)
        self.plan.setEnabled(not self._runner.busy)
        self.forecast.setText(self._forecast_text(missing))
        say(self.about, self.plan.about)
        self.rate.allow(missing or ("Something else goes on." if self._runner.busy else ""))

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
        self.work.close_link(job)

    # build

    def _build_button(self) -> QWidget:
        box = QWidget()
        self.train = button("Train", "Learn from the cells you labelled, then say the class of every cell.")
        font = self.train.font()
        font.setBold(True)
        self.train.setFont(font)
        self.plan = RecipeBox(self.form)
        self.about, self.forecast = hint(""), hint("")
        layout, row = QVBoxLayout(box), QHBoxLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.train, 2)
        row.addWidget(self.plan, 3)
        layout.addLayout(row)
        for line in (self.about, self.forecast):
            layout.addWidget(line)
        return box

    def _build_settings(self) -> QWidget:
        self.look = button("Show crops", "Show real cells as the network gets them, with the choices below.")
        self.save = button("Save as a recipe…", "Keep these choices in a file, to use them again or hand them on.")
        seen, learning, self.settings = QWidget(), QWidget(), QWidget()
        parts, choices, layout = QVBoxLayout(seen), QVBoxLayout(learning), QVBoxLayout(self.settings)
        for one in (parts, choices, layout):
            one.setContentsMargins(0, 0, 0, 0)
        self.rate = RateBox(self.session, self._runner, self.form, self._theme)
        for row, widget in ((parts, self.look), (parts, self.form.seen), (choices, self.form.learning)):
            row.addWidget(widget)
        self.more = Folded("More choices", self.form.more, "The rest. What is there works for most images.")
        for part in (self.rate, self.more, self.save):
            choices.addWidget(part)
        self.seen = Folded("What the model sees", seen, "How much of each cell, and of what is around it.")
        self.learning = Folded(
            "Recipe settings",
            learning,
            "How the training goes. What is there works for most images.",
        )
        self.held_out = HeldOutBox(self.session)
        self.measuring = Folded(
            "How the score is measured",
            self.held_out,
            "What is kept together when cells are held out, and cells set aside for the final check.",
        )
        self.classes = ClassesBox(self.session)
        for one in (self.classes, self.seen, self.learning, self.measuring):
            layout.addWidget(one)
        return self.settings

    def _wire(self) -> None:
        session = self.session
        for signal in (
            session.project_changed,
            session.images_changed,
            session.scheme_changed,
            session.settings_changed,
        ):
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
        self.work.began.connect(self._clear)
        self.work.noted.connect(self._note)
        self.work.epoch_done.connect(self._on_epoch)
        self.work.scored.connect(partial(say, self.score))
        self.work.answered.connect(self.refresh)
        on_click(self.train, self.start)
        self.plan.chosen.connect(self._on_chosen)
        self.form.changed.connect(self.refresh)
        on_click(self.look, self.show_crops)
        on_click(self.save, self.plan.ask_where_to_save)
        self.probe.found.connect(self._on_device)

    # show

    def _forecast_text(self, missing: str) -> str:
        if missing:
            return missing
        device = self._device or "Looking for a graphics card"
        try:
            recipes = self.plan.recipes
            note = fit_note(self.session, recipes)
        except CellStageError as error:
            return f"⚠ {error}"
        return f"{device}, {forecast(recipes, amount(self.session), self.speed)}{note}"

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
        say(self.notes, "\n".join(f"• {one}" for one in self._notes))

    def _clear(self) -> None:
        self._notes = []
        say(self.notes, "")
        if self._curve is not None:
            self._curve.begin()
            self._curve.hide()

    def _forget(self) -> None:
        """Show nothing of a training of another project."""
        if self.work.elsewhere:
            self._clear()
            say(self.score, "")
            self.work.drop()

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
        recipes = self.plan.recipes
        fit_note(self.session, recipes)  # said before anything is read
        self.work.train(recipes)
        self._trained = recipes[-1]

    def _on_chosen(self) -> None:
        self.rate.forget()
        self.refresh()

    def _on_epoch(self, event: EpochDone) -> None:
        self._curve_shown().add(event)
        self.speed = measured(self.speed, self._trained, event)
