"""Applying trained models: which, to which images, and what came of it. It knows the session only."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFileDialog, QGroupBox, QHBoxLayout, QVBoxLayout, QWidget

from napari_cellstage.session import Session
from napari_cellstage.stain.card import read_stain_card
from napari_cellstage.stain.run_records import StainRun, read_stain_run
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import READ_ONLY, allow, hint, on_click, say, small_button, tab_in_order
from napari_cellstage.ui.stain.applying import Applying
from napari_cellstage.ui.stain.score_words import run_text
from napari_cellstage.ui.stain.stains_part import StainsPart
from napari_cellstage.ui.stain.ticks import Tick, Ticks
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import JobRunner

NOTES_SHOWN = 4
MODELS_SHOWN = 4
APART = 8  # pixels between them
OTHERS = "stain models"  # setting of the project: folders of models from elsewhere
NO_MODEL = "No model yet. Train one under Learn, from images that have transmitted light and the stain."


class ApplyPage(QWidget):
    """The trained models, and the predicted stains of the current image.

    Signals
    -------
    more_wanted : a model is to learn one more stain; its `StainRun`.

    Parameters
    ----------
    session
        Whose models and images.
    runner
        Where predicting runs.
    theme
        Colours of verdicts.
    """

    more_wanted = Signal(object)

    def __init__(self, session: Session, runner: JobRunner, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self._runner = session, runner
        self.work = Applying(session, runner, self)
        self.stains = StainsPart(session, theme)
        self._notes: list[str] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3, 6, 3, 3)
        layout.addWidget(self._build_models())
        layout.addWidget(self.stains)
        layout.addStretch(1)
        self._wire()
        tab_in_order(self)
        self.refresh()

    def refresh(self, *_what: object) -> None:
        """List the models there are now; those that were ticked stay so, and the first one is where none was."""
        runs, ticked = self._runs(), self.models.ticked
        lines = [Tick(str(one.folder), run_text(one), _tip(one), one.problem) for one in runs]
        able = [str(one.folder) for one in runs if not one.problem]
        self.models.put(lines, [one for one in ticked if one in able] or able[:1])
        self.models.setVisible(bool(runs))
        say(self.empty, "" if runs else NO_MODEL)
        for one in (self.here, self.everywhere, self.files, self.more):
            one.setVisible(bool(runs))
        self._enable()

    def tick(self, *names: str) -> None:
        """Tick these models, by the names of their runs."""
        self.models.tick(str(one.folder) for one in self._runs() if one.name in names)
        self._enable()

    @property
    def ticked(self) -> tuple[StainRun, ...]:
        """The models that are ticked."""
        folders = self.models.ticked
        return tuple(one for one in self._runs() if str(one.folder) in folders)

    # build

    def _build_models(self) -> QWidget:
        box = QGroupBox("Trained models")
        self.models = Ticks(
            "Trained models, the newest first",
            "Tick one or several; each predicts its stains, as channels of their own.",
            MODELS_SHOWN,
            APART,
        )
        self.empty, self.said = hint(""), hint("")
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.here = small_button("Apply to this image", "Predict the stains of the current image, all time points.")
        self.everywhere = small_button("To all images", "Predict the stains of every image of the project.")
        self.files = small_button("To files…", "Open image files into the project, and predict their stains.")
        self.more = small_button(
            "Teach it a stain…", "Let the ticked model learn one more stain, from few images; it keeps the others."
        )
        self.other = small_button(
            "Open a model…", "A model that was trained in another project or by the command line: choose its folder."
        )
        layout, row, second = QVBoxLayout(box), QHBoxLayout(), QHBoxLayout()
        layout.addWidget(self.empty)
        layout.addWidget(self.models)
        for place, one in ((row, self.here), (row, self.everywhere), (second, self.files), (second, self.more)):
            place.addWidget(one)
        layout.addLayout(row)
        layout.addLayout(second)
        layout.addWidget(self.other)
        layout.addWidget(self.said)
        say(self.said, "")
        return box

    def _wire(self) -> None:
        session = self.session
        for signal in (session.project_changed, session.stain_runs_changed):
            signal.connect(self.refresh)
        for other in (session.images_changed, session.current_changed):
            other.connect(self._enable)
        session.project_changed.connect(self._clear)
        self._runner.started.connect(self._enable)
        self._runner.ended.connect(self._enable)
        self.models.changed.connect(self._enable)
        on_click(self.here, self.apply_here)
        on_click(self.everywhere, self.apply_everywhere)
        on_click(self.files, self._ask_for_files)
        on_click(self.more, self._on_more)
        on_click(self.other, self._ask_for_model)
        self.work.began.connect(self._clear)
        self.work.noted.connect(self._note)
        self.work.said.connect(self._say)

    # show

    def _runs(self) -> tuple[StainRun, ...]:
        """Return the models of the project, and those from elsewhere that it was told of and that are there still."""
        told = (self.session.setting(OTHERS) or []) if self.session.project is not None else []
        others = (read_stain_run(Path(one)) for one in told)
        return (*self.session.stain_runs(), *(one for one in others if one is not None))

    def _enable(self, *_what: object) -> None:
        ticked = len(self.models.ticked)
        why_not = READ_ONLY if self.session.read_only else "Something else goes on." if self._runner.busy else ""
        why_not = why_not or ("" if ticked else "Tick a model.")
        allow(self.here, why_not or ("" if self.session.current is not None else "No image is shown."))
        allow(self.everywhere, why_not or ("" if self.session.images else "The project has no images."))
        allow(self.files, why_not)
        locked = READ_ONLY if self.session.read_only else ""
        allow(self.other, locked or ("" if self.session.project is not None else "Open an image first."))
        allow(self.more, why_not or ("" if ticked == 1 else "Tick one model only."))

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes = [*self._notes, text][-NOTES_SHOWN:]
        self._say("")

    def _say(self, text: str) -> None:
        say(self.said, "\n".join([*([text] if text else []), *(f"• {one}" for one in self._notes)]))

    def _clear(self) -> None:
        self._notes = []
        say(self.said, "")

    # what the user does

    @showing_errors
    def apply_here(self) -> None:
        """Apply the ticked models to the current image."""
        if self.session.current_id is not None:
            self.work.apply(self._folders(), [self.session.current_id])

    @showing_errors
    def apply_everywhere(self) -> None:
        """Apply the ticked models to all images."""
        self.work.apply(self._folders(), [one.image_id for one in self.session.images])

    @showing_errors
    def apply_to_files(self, files: list[Path]) -> None:
        """Open files and apply the ticked models to them."""
        self.work.apply_to_files(self._folders(), files)

    def _ask_for_files(self) -> None:
        names, _filter = QFileDialog.getOpenFileNames(self, "Open images, and predict their stains")
        if names:
            self.apply_to_files([Path(one) for one in names])

    @showing_errors
    def open_model(self, folder: Path) -> None:
        """List a model from elsewhere, for this project; its folder stays where it is."""
        read_stain_card(folder)
        told = [str(one) for one in self.session.setting(OTHERS) or []]
        if folder not in [one.folder for one in self._runs()]:
            self.session.put_setting(OTHERS, [*told, str(folder)])
        self.refresh()
        self.models.tick([str(folder)])
        self._enable()

    def _ask_for_model(self) -> None:
        if chosen := QFileDialog.getExistingDirectory(self, "Open a model: choose the folder of its run"):
            self.open_model(Path(chosen))

    def _on_more(self) -> None:
        if len(self.ticked) == 1:
            self.more_wanted.emit(self.ticked[0])

    def _folders(self) -> list[Path]:
        return [one.folder for one in self.ticked]


def _tip(run: StainRun) -> str:
    return "\n".join(one for one in (run.problem, f"Folder: {run.folder}") if one)
