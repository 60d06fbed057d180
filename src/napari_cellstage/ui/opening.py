"""Opening images in a worker: files may lie on a slow drive, and be many. It knows the session only."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import ENDINGS, ImageStack
from napari_cellstage.core.reading.gather import Gathered, axes_key, gather, open_series, with_axes
from napari_cellstage.core.reading.series_names import Series
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.session import Session
from napari_cellstage.ui.job_bar import JobBar
from napari_cellstage.ui.notices import show, showing_errors, warn
from napari_cellstage.ui.opening_questions import Answer, Question, axes_question, series_question
from napari_cellstage.ui.opening_sheets import (
    SHEET,
    Looked,
    ReadSheet,
    SheetOffer,
    SheetQuestion,
    reading_sheet,
    sheet_offers,
)
from napari_cellstage.ui.workers import Job, JobRunner, ShouldStop

PROJECT_ENDING = ".cellstage"
ANSWERS = "axes"  # the setting that keeps which axes files have that do not say
SHOWN = 3  # failures that are shown one by one
Opens = Callable[[ShouldStop], Generator[Any, None, Gathered | Looked | ReadSheet]]


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
        self._waiting: list[Opens] = []
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
            self._start(partial(_looking, images, {} if self._is_open(images) else self._answers()))

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

    def _start(self, work: Opens) -> None:
        """Open now, or after what is being opened."""
        if self.runner.busy:
            self._waiting.append(work)
            return
        job = Job("opening images", work)
        job.returned.connect(self._on_opened)
        job.failed.connect(show)
        self.runner.start(job)

    def _next(self) -> None:
        if self._waiting and not self.runner.busy:
            self._start(self._waiting.pop(0))

    @showing_errors
    def _on_opened(self, opened: Gathered | Looked | ReadSheet) -> None:
        if isinstance(opened, ReadSheet):
            self._add_sheet(opened)
            return
        if isinstance(opened, Looked):
            for offer in opened.offers:
                asked = SheetQuestion(offer)
                self._ask(asked, partial(self._use_folders, offer, asked))
            opened = opened.opened
        _tell_failures(opened.failed)
        for stacks in opened.unsure.values():
            self._ask(axes_question(stacks), partial(self._use_axes, stacks))
        for series in opened.series:
            self._ask(series_question(series), partial(self._use_series, series))
        self._add(opened.stacks)

    @showing_errors
    def _add(self, stacks: Sequence[ImageStack]) -> None:
        self._session.add_images(stacks)
        for note in (note for stack in stacks for note in stack.notes):
            warn(note)

    def _add_sheet(self, read: ReadSheet) -> None:
        self._session.add_sheet(read.crops, read.root, read.prepared)
        _tell_failures(read.crops.skipped)

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
        self._start(partial(_opening_as, stacks, axes))
        self._session.put_setting(ANSWERS, {**self._answers(), axes_key(stacks[0]): axes})

    def _use_folders(self, offer: SheetOffer, asked: SheetQuestion, answer: str) -> None:
        if answer == SHEET:
            self._start(partial(reading_sheet, offer, asked.group_from))
        else:
            self._start(partial(_opening, [offer.root], self._answers(), False))

    def _use_series(self, series: Series, answer: str) -> None:
        if answer == Answer.ONE:
            self._start(partial(_opening_series, series, self._answers()))
        else:
            self._start(partial(_opening, series.paths(), self._answers(), False))


def _opening(
    paths: list[Path], answers: dict[str, str], with_series: bool, should_stop: ShouldStop
) -> Generator[BatchDone, None, Gathered]:
    """Open files, telling how far it is."""
    work = gather(paths, answers, should_stop, with_series)
    while True:
        try:
            done, total = next(work)
        except StopIteration as end:
            opened: Gathered = end.value
            return opened
        yield BatchDone("opening images", done, total)


def _looking(paths: list[Path], answers: dict[str, str], should_stop: ShouldStop) -> Generator[BatchDone, None, Looked]:
    """Open files, but for class folders: those are asked about."""
    offers = sheet_offers(paths)
    others = [path for path in paths if path not in {offer.root for offer in offers}]
    return Looked((yield from _opening(others, answers, True, should_stop)), offers)


def _opening_series(
    series: Series, answers: dict[str, str], _should_stop: ShouldStop
) -> Generator[BatchDone, None, Gathered]:
    yield from ()
    made = Gathered()
    made.add(open_series(series, answers))
    return made


def _opening_as(stacks: list[ImageStack], axes: str, should_stop: ShouldStop) -> Generator[BatchDone, None, Gathered]:
    made = Gathered()
    for done, stack in enumerate(stacks):
        yield BatchDone("opening images", done, len(stacks))
        if should_stop():
            break
        try:
            made.add(with_axes(stack, axes))
        except ImageError as error:
            made.failed.append(str(error))
    return made


def _tell_failures(failed: Sequence[str]) -> None:
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
