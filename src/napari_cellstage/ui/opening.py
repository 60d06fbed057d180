"""Opening images in a worker: files may lie on a slow drive, and be many. It knows the session only."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import ENDINGS, ImageStack
from napari_cellstage.core.label_companions import Companion
from napari_cellstage.core.reading.gather import Gathered, axes_key
from napari_cellstage.core.reading.series_names import Series
from napari_cellstage.session import Session
from napari_cellstage.session.companions import Adopted, Adoption, adopting, cells_of
from napari_cellstage.ui.job_bar import JobBar
from napari_cellstage.ui.notices import show, showing_errors, warn
from napari_cellstage.ui.opening_again import replace_readings
from napari_cellstage.ui.opening_labels import LabelAnswer, companions_question, tell_adoption
from napari_cellstage.ui.opening_questions import Answer, Question, axes_question, series_question
from napari_cellstage.ui.opening_sheets import (
    SHEET,
    Looked,
    ReadSheet,
    SheetOffer,
    SheetQuestion,
    reading_sheet,
)
from napari_cellstage.ui.opening_work import looking, opening, opening_as, opening_series
from napari_cellstage.ui.workers import Job, JobRunner, ShouldStop

PROJECT_ENDING = ".cellstage"
ANSWERS = "axes"  # the setting that keeps which axes files have that do not say
SHOWN = 3  # failures that are shown one by one
Opened = Gathered | Looked | ReadSheet | Adoption
Opens = Callable[[ShouldStop], Generator[Any, None, Opened]]


class Opening(QWidget):
    """Opens files, folders and projects; shows how far it is, and asks what can't be told.

    It has a runner of its own, so that images can be opened while a model is trained.

    Parameters
    ----------
    session
        Where they are opened.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._waiting: list[Callable[[], Opens]] = []
        self._labels_answer = ""  # what to do with label images, once it was said
        self._questions: list[Question] = []
        self.runner = JobRunner(self)
        self.runner.ended.connect(self._next)
        self.bar = JobBar(self.runner)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self.bar)

    @property
    def busy(self) -> bool:
        """Whether files are being opened, or wait for it."""
        return self.runner.busy or bool(self._waiting)

    @property
    def question(self) -> Question | None:
        """What is asked now."""
        return self._questions[0] if self._questions else None

    @showing_errors
    def open_paths(self, paths: Iterable[Path]) -> None:
        """Open images, folders of images, and a project folder; what can't be opened is said, the rest goes on."""
        images = []
        for path in paths:
            if path.suffix == PROJECT_ENDING:
                self._session.open_project(path)
            else:
                images.append(path)
        if images:
            self._start(partial(looking, images, {} if self._is_open(images) else self._answers(), self._known()))

    def choose_files(self) -> None:
        """Ask for files, and open them."""
        endings = " ".join(f"*{ending}" for ending in (*ENDINGS, *(one.upper() for one in ENDINGS)))
        files, _filter = QFileDialog.getOpenFileNames(self, "Open images", "", f"Images ({endings});;All files (*)")
        self.open_paths([_image_of(Path(file)) for file in files])

    def choose_folder(self) -> None:
        """Ask for a folder, and open its images."""
        if folder := QFileDialog.getExistingDirectory(self, "Open a folder of images, or an OME-Zarr image"):
            self.open_paths([Path(folder)])

    def close_link(self) -> None:
        """Stop; files that are not open yet are left."""
        self._waiting.clear()
        self.runner.close()

    # work

    def _is_open(self, paths: Sequence[Path]) -> bool:
        """Whether this is one file of the project, opened again: the way to give another answer about its axes."""
        known = {entry.record.path for entry in self._session.images} if len(paths) == 1 else set()
        return any(str(path.absolute()) in known for path in paths)

    def _answers(self) -> dict[str, str]:
        return dict(self._session.setting(ANSWERS) or {})

    def _known(self) -> list[Path]:
        return [entry.place for entry in self._session.images]

    def _start(self, work: Opens) -> None:
        """Open now, or after what is being opened."""
        self._start_made(lambda: work)

    def _start_made(self, make: Callable[[], Opens]) -> None:
        """Start what depends on which images are open by then."""
        if self.runner.busy:
            self._waiting.append(make)
            return
        job = Job("opening images", make())
        job.progressed.connect(self._on_progress)
        job.returned.connect(self._on_opened)
        job.failed.connect(show)
        self.runner.start(job)

    def _next(self) -> None:
        if self._waiting and not self.runner.busy:
            self._start_made(self._waiting.pop(0))

    @showing_errors
    def _on_progress(self, event: object) -> None:
        if isinstance(event, Adopted):
            event.put(self._session)

    @showing_errors
    def _on_opened(self, opened: Opened) -> None:
        if isinstance(opened, Adoption):
            tell_adoption(opened)
        elif isinstance(opened, ReadSheet):
            self._add_sheet(opened)
        elif isinstance(opened, Looked):
            for offer in opened.offers:
                asked = SheetQuestion(offer)
                self._ask(asked, partial(self._use_folders, offer, asked))
            self._on_gathered(opened.opened)
        else:
            self._on_gathered(opened)

    def _on_gathered(self, opened: Gathered) -> None:
        tell_failures(opened.failed)
        for stacks in opened.unsure.values():
            self._ask(axes_question(stacks), partial(self._use_axes, stacks))
        for series in opened.series:
            self._ask(series_question(series), partial(self._use_series, series))
        self._add(opened.stacks, opened.channels)
        if opened.companions:
            self._ask_labels(opened.companions, {stack.path for stack in opened.stacks})

    @showing_errors
    def _add(self, stacks: Sequence[ImageStack], channels: Mapping[int, int]) -> None:
        added = self._session.add_images(stacks)
        self._session.suggest_channels(channels)
        replace_readings(self._session, added)
        for note in (note for stack in stacks for note in stack.notes):
            warn(note)

    def _add_sheet(self, read: ReadSheet) -> None:
        self._session.add_sheet(read.crops, read.root, read.prepared)
        self._session.suggest_channels(read.channels)
        for note in read.crops.notes:
            warn(note)
        tell_failures(read.crops.skipped)

    # questions

    def _ask(self, question: Question, use: Callable[[str], None]) -> None:
        """Ask after what is asked already."""
        question.answered.connect(partial(self._on_answer, question, use))
        self._questions.append(question)
        self._layout.insertWidget(0, question)
        question.setVisible(question is self.question)

    def _on_answer(self, question: Question, use: Callable[[str], None], answer: str) -> None:
        self._questions.remove(question)
        self._layout.removeWidget(question)
        question.hide()
        question.deleteLater()
        if self.question is not None:
            self.question.show()
        if answer != Answer.NOT_NOW:
            use(answer)

    @showing_errors
    def _use_axes(self, stacks: list[ImageStack], axes: str) -> None:
        """Open images with the axes they were said to have, and remember that."""
        self._start(partial(opening_as, stacks, axes))
        self._session.put_setting(ANSWERS, {**self._answers(), axes_key(stacks[0]): axes})

    def _use_folders(self, offer: SheetOffer, asked: SheetQuestion, answer: str) -> None:
        if answer == SHEET:
            self._start(partial(reading_sheet, offer, asked.group_from))
        else:
            self._start(partial(opening, [offer.root], self._answers(), False, None))

    def _use_series(self, series: Series, answer: str) -> None:
        if answer == Answer.ONE:
            self._start(partial(opening_series, series, self._answers()))
        else:
            self._start(partial(opening, series.paths(), self._answers(), False, None))

    def _ask_labels(self, companions: list[Companion], opened: set[Path | None]) -> None:
        """Ask what label images are for; as was said before, when their images were opened with them."""
        if self._labels_answer and any(one.image.absolute() in opened for one in companions):
            self._use_labels(companions, self._labels_answer)
        else:
            have = cells_of(self._session, companions)
            self._ask(companions_question(companions, have), partial(self._use_labels, companions))

    def _use_labels(self, companions: list[Companion], answer: str) -> None:
        if answer == Answer.SEPARATE:
            files = [one.labels for one in companions]
            self._start(partial(opening, files, self._answers(), True, None))
        else:
            anew = answer == LabelAnswer.ANEW
            self._start_made(lambda: adopting(self._session, companions, anew))
        self._labels_answer = LabelAnswer.CELLS if answer == LabelAnswer.ANEW else answer


def tell_failures(failed: Sequence[str]) -> None:
    """Show the first sentences, and how many more there are: a folder of 900 text files should not fill the screen."""
    for text in failed[:SHOWN]:
        show(ImageError(text))
    if len(failed) > SHOWN:
        warn(f"{len(failed) - SHOWN} more files can't be opened. Open them one by one to see why.")


def _image_of(file: Path) -> Path:
    """Return the OME-Zarr image when a file in it was chosen: a dialog for files can't choose folders."""
    if file.name in (".zattrs", ".zgroup", ".zarray", "zarr.json"):
        return next((folder for folder in reversed(file.parents) if folder.suffix == ".zarr"), file.parent)
    return file
