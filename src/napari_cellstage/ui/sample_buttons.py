"""The buttons that open a built-in synthetic sample: fields of cells, a movie, a photograph, unstained cells."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtWidgets import QGridLayout, QWidget

from napari_cellstage.core.images import ImageStack
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import show, showing_errors
from napari_cellstage.ui.pieces import button, on_click, small_button
from napari_cellstage.ui.workers import Job, JobRunner, ShouldStop

if TYPE_CHECKING:
    from napari_cellstage.sample_data import SampleField

STAINED_FIELDS = 3  # two to learn from, one to score
DOSES, STAGES = "exposure", "cell cycle"  # templates of classes


class SampleButtons(QWidget):
    """Make a sample in a worker and open it.

    Parameters
    ----------
    session
        Where it is opened.
    runner
        Where it is made.
    """

    def __init__(self, session: Session, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._runner = runner
        self.field = button("Open the sample", "A synthetic field of about 600 cells in six stages, to try.")
        self.movie = small_button("Movie", "A synthetic movie of cells that wander and divide, to try.", "Sample movie")
        self.microtubules = small_button(
            "Microtubules",
            "A synthetic field of cells under paclitaxel, with their outlines and doses 0, 0.1 and 1, to try.",
            "Sample of microtubules",
        )
        self.photograph = small_button(
            "Photograph",
            "A synthetic colour photograph through a paper microscope, with dividing eggs and their stages, to try.",
            "Sample photograph",
        )
        self.stained = small_button(
            "Unstained",
            "Three synthetic images of cells in phase contrast with stains for DNA and tubulin, and a time-lapse "
            "without any: to try how stains are predicted.",
            "Sample of unstained cells",
        )
        on_click(self.field, partial(self.open, make_field))
        on_click(self.movie, partial(self.open, make_movie))
        on_click(self.microtubules, partial(self.open_labelled, make_microtubules, DOSES))
        on_click(self.photograph, partial(self.open_labelled, make_photograph, STAGES))
        on_click(self.stained, self.open_stained)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.field, 0, 0, 1, 2)
        for place, one in enumerate((self.movie, self.microtubules, self.photograph, self.stained)):
            layout.addWidget(one, 1 + place // 2, place % 2)

    @showing_errors
    def open(self, make: Callable[[], ImageStack]) -> None:
        """Make a sample in a worker, and open it."""
        self._make(make, self._on_made)

    @showing_errors
    def open_labelled(self, make: Callable[[], SampleField], template: str) -> None:
        """Make a sample in a worker, and open it with its cells and classes."""
        self._make(make, partial(self._on_labelled, template))

    @showing_errors
    def open_stained(self) -> None:
        """Make images with and without stains in a worker, and open them."""
        self._make(make_stained, self._on_several)

    def _make(self, make: Callable[[], object], then: Callable[..., None]) -> None:
        job = Job("making the sample", partial(_making, make))
        job.returned.connect(then)
        job.failed.connect(show)
        self._runner.start(job)

    @showing_errors
    def _on_made(self, stack: ImageStack) -> None:
        self._session.add_image(stack)

    @showing_errors
    def _on_several(self, stacks: tuple[ImageStack, ...]) -> None:
        self._session.add_images(stacks)

    @showing_errors
    def _on_labelled(self, template: str, field: SampleField) -> None:
        open_with_cells(self._session, field, template)


def open_with_cells(session: Session, field: SampleField, template: str) -> None:
    """Open a sample with its true cells, and with their classes where the project has those.

    Parameters
    ----------
    session
        Where it is opened. What the user did in it stays: classes are chosen only where there are none yet, and cells
        of a sample that was opened before are left as they are.
    field
        The sample.
    template
        Name of the classes for a project that has none.
    """
    session.add_image(field.stack)
    if len(session.cells()):
        return
    session.set_labels(field.labels)
    if not len(session.scheme):
        session.use_template(template)
    ids = {one.name: one.id for one in session.scheme}
    classes = field.classes_of[session.cells().cell_id - 1]
    for name in field.class_names:
        if name in ids:
            session.label_cells(np.flatnonzero(classes == name), ids[name], origin="import")


def make_field() -> ImageStack:
    """Return the synthetic field of cells."""
    from napari_cellstage.sample_data import cell_cycle_field  # slow to load

    return cell_cycle_field().stack


def make_movie() -> ImageStack:
    """Return the synthetic movie of dividing cells."""
    from napari_cellstage.sample_movie import cell_cycle_movie  # slow to load

    return cell_cycle_movie().stack


def make_microtubules() -> SampleField:
    """Return the synthetic field of microtubules."""
    from napari_cellstage.sample_microtubules import microtubule_field  # slow to load

    return microtubule_field()


def make_photograph() -> SampleField:
    """Return the synthetic photograph."""
    from napari_cellstage.sample_photographs import photograph_field  # slow to load

    return photograph_field()


def make_stained() -> tuple[ImageStack, ...]:
    """Return synthetic images with stains to learn from, and a time-lapse without."""
    from napari_cellstage.sample_stained import stained_field, stained_movie, unstained  # slow to load

    fields = (stained_field(seed).stack for seed in range(STAINED_FIELDS))
    return *fields, unstained(stained_movie().stack)


def _making(make: Callable[[], object], _should_stop: ShouldStop) -> Generator[None, None, object]:
    yield from ()
    return make()
