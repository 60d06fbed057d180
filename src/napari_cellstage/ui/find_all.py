"""Finding the cells of every image of the project: asked once, in a worker; what can't be found is told at the end."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.tally import ImageState
from napari_cellstage.session import Session
from napari_cellstage.ui.finding import Found, Place, finding_in_all
from napari_cellstage.ui.notices import show, shown, tell, warn
from napari_cellstage.ui.workers import Job, JobRunner

_TOLD = 5


class FindAll(QObject):
    """Finds the cells of all images.

    Parameters
    ----------
    session
        Whose images.
    runner
        Where finding runs.
    parent
        The panel that asks.
    """

    def __init__(self, session: Session, runner: JobRunner, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._runner, self._parent = session, runner, parent
        self._cells = self._lost = 0
        self._done: list[str] = []
        self._problems: list[str] = []

    def start(self, settings: SegmentSettings) -> None:
        """Find the cells of all images, or of those without cells, as the user says."""
        images = self._chosen(self._session.image_states())
        if not images:
            return
        self._cells = self._lost = 0
        self._done, self._problems = [], []
        cache = self._session.project.cache if self._session.project else None
        names, own = self._session.channel_names, self._session.own_channels
        stain = names[settings.channel] if own <= settings.channel < len(names) else ""
        work = finding_in_all([self._place(one) for one in images], settings, cache, stain)
        job = Job("finding cells in all images", work)
        job.progressed.connect(self._on_progress)
        job.returned.connect(lambda _nothing: self._tell())
        job.failed.connect(show)
        self._runner.start(job)

    def _chosen(self, states: tuple[ImageState, ...]) -> list[ImageState]:
        """Return the images to look through; asks when some have cells already."""
        empty = [one for one in states if not one.cells]
        if len(empty) == len(states):
            return empty
        have, labelled = len(states) - len(empty), sum(one.labelled for one in states)
        box = QMessageBox(
            QMessageBox.Icon.Question,
            "Find in all images",
            f"{_images(have)} of {len(states)} {'has' if have == 1 else 'have'} cells already"
            + (f", and {labelled:,} of them are labelled" if labelled else "")
            + ". Found anew, a cell at the same place keeps its label; undo (Ctrl+Z) brings back what was there.",
            parent=self._parent,
        )
        without = box.addButton(f"Only the {len(empty)} without cells", QMessageBox.ButtonRole.AcceptRole)
        without.setEnabled(bool(empty))
        everywhere = box.addButton("All, anew", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec_() if hasattr(box, "exec_") else box.exec()
        return {id(without): empty, id(everywhere): list(states)}.get(id(box.clickedButton()), [])

    def _place(self, state: ImageState) -> Place:
        entry = next(one for one in self._session.images if one.image_id == state.image_id)
        return state.image_id, state.name, partial(getattr, entry, "stack")

    def _on_progress(self, event: object) -> None:
        if not isinstance(event, Found):
            return
        if event.problem:
            self._problems.append(f"{event.name}: {event.problem}")
            return
        if all(entry.image_id != event.image_id for entry in self._session.images):
            return  # removed from the project meanwhile
        with shown():
            carried = self._session.set_labels(
                event.labels, event.image_id, continues=bool(self._done), found_in=event.found_in
            )
            self._cells += len(self._session.cells(event.image_id))
            self._lost += len(carried.lost)
            self._done.append(event.name)

    def _tell(self) -> None:
        if self._done:
            lost = f" {self._lost:,} labels lost their cells; one undo brings all back." if self._lost else ""
            tell(f"{self._cells:,} cells were found in {_images(len(self._done))}.{lost}")
        if self._problems:
            more = len(self._problems) - _TOLD
            rest = f"\nand {more} more." if more > 0 else ""
            warn(
                f"{_images(len(self._problems))} {'was' if len(self._problems) == 1 else 'were'} left out:\n"
                + "\n".join(self._problems[:_TOLD])
                + rest
            )


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"
