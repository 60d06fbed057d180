"""Models applied to images: predictions given to the session as they come, and what came of them in words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.reading.gather import Gathered, in_words
from napari_cellstage.learn.events import Note
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import show, showing_errors, shown, tell, warn
from napari_cellstage.ui.opening import ANSWERS, tell_failures
from napari_cellstage.ui.stain.apply_work import Stained, applying, opening
from napari_cellstage.ui.stain.verdict_words import SHORT, sign_of
from napari_cellstage.ui.workers import Job, JobRunner

LISTED = 3


class Applying(QObject):
    """Applies models to images of the session.

    Signals
    -------
    began : a new prediction.
    noted : a sentence.
    said : what came of all, as plain text.

    Parameters
    ----------
    session
        Whose images.
    runner
        Where the work runs.
    """

    began = Signal()
    noted = Signal(str)
    said = Signal(str)

    def __init__(self, session: Session, runner: JobRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._runner = session, runner
        self._version, self._dropped = 0, False
        self._done: list[Stained] = []
        self._then: tuple[Sequence[Path], Sequence[int]] | None = None
        runner.ended.connect(self._go_on)

    def apply(self, runs: Sequence[Path], image_ids: Sequence[int]) -> None:
        """Predict the stains of images by these models.

        Raises
        ------
        CellStageError
            If other work goes on.
        """
        snapshot = self._session.stain_snapshot(image_ids)
        self._version, self._dropped, self._done = snapshot.version, False, []
        job = Job("predicting stains", applying(snapshot, runs))
        job.progressed.connect(self._on_event)
        job.ended.connect(self._on_end)  # also after an error: what came before it is there
        job.failed.connect(show)
        self._runner.start(job)
        self.began.emit()

    def apply_to_files(self, runs: Sequence[Path], files: Sequence[Path]) -> None:
        """Open files as images of the project, and predict their stains.

        Raises
        ------
        CellStageError
            If other work goes on.
        """
        job = Job("opening images", opening(files, dict(self._session.setting(ANSWERS) or {})))
        job.returned.connect(partial(self._on_opened, self._folder, runs))
        job.failed.connect(show)
        self._runner.start(job)

    @property
    def _folder(self) -> Path | None:
        return None if self._session.project is None else self._session.project.folder

    @showing_errors
    def _on_opened(self, folder: Path | None, runs: Sequence[Path], opened: Gathered) -> None:
        if folder != self._folder:
            tell("Another project is open by now, so the files were left out. Choose them again.")
            return
        tell_failures(opened.failed)
        guessed = [stack for some in opened.unsure.values() for stack in some]  # with the axes that are likeliest
        stacks = [*opened.stacks, *guessed]
        for note in (*(one for stack in stacks for one in stack.notes), *map(_guess, opened.unsure.values())):
            warn(note)
        self._then = runs, self._session.add_images(stacks)  # when the worker has ended

    @showing_errors
    def _go_on(self) -> None:
        then, self._then = self._then, None
        if then is not None and then[1]:
            self.apply(*then)

    def _on_event(self, event: Any) -> None:
        if isinstance(event, Note) and not self._dropped:
            self.noted.emit(event.text)
        elif isinstance(event, Stained):
            with shown():
                self._take(event)

    def _take(self, one: Stained) -> None:
        """Give one image's stains to the session, as soon as they are there."""
        if one.kept is not None:
            try:
                names = self._session.add_stains(one.image_id, one.kept, one.run, version=self._version)
            except CellStageError as error:
                one = Stained(one.image_id, one.name, one.run, problem=str(error))
            else:
                if not names:
                    self._dropped = True
                    return
        self._done.append(one)

    def _on_end(self) -> None:
        if self._dropped:
            tell("The project was closed meanwhile, so the predicted stains were dropped. Apply the model again.")
            return
        several = len({one.image_id for one in self._done}) > 1 or any(one.problem for one in self._done)
        self.said.emit(outcome_text(self._done) if several else "")  # the verdict on one image is said beside it
        if text := warning_text(self._done):
            warn(text)


def outcome_text(done: Sequence[Stained]) -> str:
    """Return what came of applying models: how many images are like the training images, and why some have nothing."""
    lines = []
    for level in SHORT:
        names = _judged(done, level)
        if names:
            lines.append(f"{sign_of(level)} {SHORT[level]}: {_names(names)}")
    lines += [f"⚠ {one.name}: {one.problem}" for one in done if one.problem]
    return "\n".join(lines)


def warning_text(done: Sequence[Stained]) -> str:
    """Return a warning where a model was applied to images that are unlike those it was trained on."""
    names = _judged(done, "unlike")
    if not names:
        return ""
    return (
        f"Unlike the images that the model was trained on: {_names(names)}. The stain that is predicted there may be "
        "invented. Look at it beside a true one before you count on it."
    )


def _judged(done: Sequence[Stained], level: str) -> list[str]:
    """Return the images of which a model said so; each once, by however many models."""
    return list(dict.fromkeys(one.name for one in done if one.kept is not None and one.kept.verdict == level))


def _guess(stacks: Sequence[ImageStack]) -> str:
    """Return what files were taken for that don't say what their axes are; they are alike."""
    first, others = stacks[0], len(stacks) - 1
    more = f", and so are {others:,} others like it" if others else ""
    taken = f"'{first.name}' is taken for {in_words(first, first.guessed_axes)}{more}, as it does not say."
    return f"{taken} Open it again in the step Data to change this."


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return f"{', '.join(names[:LISTED])}{more}"
