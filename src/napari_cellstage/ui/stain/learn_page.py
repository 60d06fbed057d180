"""Learning a stain: what from, one button, what it will take, how it goes, what came out. It knows the session only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.session import Session
from napari_cellstage.stain.events import StainEpoch
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.ui.device_probe import device_text
from napari_cellstage.ui.estimate import expected_text
from napari_cellstage.ui.next_step import made_text
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import READ_ONLY, Folded, allow, button, hint, on_click, say, small_button, tab_in_order
from napari_cellstage.ui.stain.estimate import USUAL_SPEED, expected_seconds, measured
from napari_cellstage.ui.stain.learn_work import Learned
from napari_cellstage.ui.stain.learning import Learning
from napari_cellstage.ui.stain.outcome import Outcome
from napari_cellstage.ui.stain.shift_box import ShiftBox
from napari_cellstage.ui.stain.source_box import Layers, SourceBox
from napari_cellstage.ui.stain.stain_form import StainForm
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import JobRunner

if TYPE_CHECKING:
    from napari_cellstage.stain.run_records import StainRun


class LearnPage(QWidget):
    """Trains networks that predict stains.

    Signals
    -------
    apply_wanted : the model that came out is to be applied; the name of its run.

    Parameters
    ----------
    session
        Whose images, and where the models are kept.
    runner
        Where the training runs.
    theme
        Colours of picture and curve.
    layers
        The image layers open in napari.
    """

    apply_wanted = Signal(str)

    def __init__(
        self,
        session: Session,
        runner: JobRunner,
        theme: PanelTheme,
        layers: Callable[[], Layers],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.session, self._runner, self._theme = session, runner, theme
        self.work = Learning(session, runner, self)
        self.start_run: StainRun | None = None
        self._device, self._speed = "", USUAL_SPEED
        self._recipe = StainRecipe.load("stain-2d")
        self.form = StainForm(self._recipe, self)
        self.source = SourceBox(session, runner, layers, self.form)
        self._build()
        self._wire()
        tab_in_order(self)
        self.refresh()

    @property
    def recipe(self) -> StainRecipe:
        """How will be trained.

        Raises
        ------
        CellStageError
            If a choice can't be.
        """
        return self.form.value.but(register=self.shift.correct.isChecked())

    def set_recipe(self, **choices: Any) -> None:
        """Change choices of the recipe, as scripts and tests do."""
        self.form.value = self.form.value.but(**choices)
        self.form.changed.emit()

    def start_from(self, run: StainRun | None) -> None:
        """Let the next training add stains to a model; None: let it begin anew."""
        self.start_run = run
        self.source.channels.fix_inputs(() if run is None else run.inputs)
        say(self.start_said, "" if run is None else _start_text(run))
        self.anew.setVisible(run is not None)
        self.source.refresh()

    def show_device(self, answer: str) -> None:
        """Say on what will be trained, from the line that `DeviceProbe` found."""
        self._device = device_text(answer)
        self.refresh()

    def refresh(self, *_what: object) -> None:
        """Show the session as it is now."""
        missing, busy = self.source.missing, self._runner.busy
        why_not = READ_ONLY if self.session.read_only else missing or self._unfit()
        allow(self.train, why_not or ("Something else goes on." if busy else ""))
        allow(self.shift.measure, missing or ("Something else goes on." if busy else ""))
        for part in (self.source, self.settings, self.anew):
            part.setEnabled(not busy)
        self.forecast.setText(why_not or self._forecast_text())

    # build

    def _build(self) -> None:
        self.start_said = hint("")
        self.anew = small_button("Train anew instead", "Begin without the model; it stays as it is.")
        self.train = button("Train", "Learn to predict the ticked stains from the ticked transmitted light.")
        font = self.train.font()
        font.setBold(True)
        self.train.setFont(font)
        self.forecast, self.outcome = hint(""), Outcome(self._theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3, 6, 3, 3)
        for part in (self.start_said, self.anew, self.source, self.train, self.forecast, self.outcome):
            layout.addWidget(part)
        layout.addWidget(self._build_settings())
        layout.addStretch(1)
        for part in (self.start_said, self.anew):
            part.hide()

    def _build_settings(self) -> QWidget:
        self.settings, choices = QWidget(), QWidget()
        self.shift = ShiftBox()
        self.more = Folded("More choices", self.form.more, "The rest. What is there works for most images.")
        inner, outer = QVBoxLayout(choices), QVBoxLayout(self.settings)
        for one in (inner, outer):
            one.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.form.first)
        inner.addWidget(self.more)
        self.aligned = Folded("Alignment", self.shift, "Whether stain and transmitted light lie on each other.")
        self.learning = Folded("Recipe settings", choices, "How the training goes.")
        outer.addWidget(self.aligned)
        outer.addWidget(self.learning)
        return self.settings

    def _wire(self) -> None:
        session, work = self.session, self.work
        for signal in (session.project_changed, session.images_changed):
            signal.connect(self.source.refresh)
        session.project_changed.connect(self._forget)
        self.source.changed.connect(self.refresh)
        self.form.changed.connect(self.refresh)
        self._runner.started.connect(self.refresh)
        self._runner.ended.connect(self.refresh)
        on_click(self.train, self.start)
        on_click(self.anew, lambda: self.start_from(None))
        self.outcome.apply_wanted.connect(self.apply_wanted)
        self.shift.wanted.connect(self.measure)
        work.began.connect(self.outcome.clear)
        work.noted.connect(self.outcome.note)
        work.epoch_done.connect(self._on_epoch)
        work.learned.connect(self._on_learned)
        work.measured.connect(self.shift.add)
        work.measuring_ended.connect(self.shift.end)

    # show

    def _unfit(self) -> str:
        """Return why the model can't learn what is ticked, or nothing."""
        run, wanted = self.start_run, self.source.wanted
        if run is None:
            return ""
        if len(wanted.inputs) != len(run.inputs):
            looks = f"{len(run.inputs)} channel{'' if len(run.inputs) == 1 else 's'} ({', '.join(run.inputs)})"
            return f"The model looks at {looks}. Tick as many on the left, or train anew."
        if not set(wanted.stains) - set(run.stains):
            return "The model predicts these stains already. Tick one that it does not know, or train anew."
        return ""

    def _forecast_text(self) -> str:
        try:
            seconds = expected_seconds(self.recipe, self.source.pixels, self._speed)
        except CellStageError as error:
            return f"⚠ {error}"
        text = expected_text(seconds)
        return f"{self._device or 'Looking for a graphics card'}, {text if self.source.pixels else f'{text} at most'}"

    def _forget(self) -> None:
        """Show nothing of a training of another project."""
        self.outcome.clear()
        self.shift.forget()
        self.source.images.forget()
        self.start_from(None)

    def _on_epoch(self, epoch: StainEpoch) -> None:
        self.outcome.add(epoch)
        self._speed = measured(self._recipe, epoch, self._speed)

    def _on_learned(self, answer: Learned) -> None:
        self.outcome.end(answer)
        self.start_from(None)

    # what the user does

    @showing_errors
    def start(self) -> None:
        """Train in a worker."""
        recipe, source = self.recipe, self.source.source()  # said before a project is made
        start = None if self.start_run is None else self.start_run.folder
        self.work.ensure_project("stains")
        self.shift.correct.setChecked(recipe.register)  # as it was chosen, in a project that was made just now too
        self._recipe = recipe
        self.work.train(source, recipe, start)

    @showing_errors
    def measure(self) -> None:
        """Measure in a worker whether stain and transmitted light lie on each other."""
        source = self.source.source()
        self.work.measure(source)
        self.shift.begin()


def _start_text(run: StainRun) -> str:
    knows = ", ".join(run.stains)
    return f"Adds stains to the model of {made_text(run.made)}, which predicts {knows} and goes on doing so."
