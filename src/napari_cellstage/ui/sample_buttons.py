"""The buttons that open a built-in sample: a field of cells, or a movie."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial

from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_cellstage.core.images import ImageStack
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import show, showing_errors
from napari_cellstage.ui.pieces import button, on_click, small_button
from napari_cellstage.ui.workers import Job, JobRunner, ShouldStop


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
        on_click(self.field, partial(self.open, make_field))
        on_click(self.movie, partial(self.open, make_movie))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.field, 1)
        layout.addWidget(self.movie)

    @showing_errors
    def open(self, make: Callable[[], ImageStack]) -> None:
        """Make a sample in a worker, and open it."""
        job = Job("making the sample", partial(_making, make))
        job.returned.connect(self._on_made)
        job.failed.connect(show)
        self._runner.start(job)

    @showing_errors
    def _on_made(self, stack: ImageStack) -> None:
        self._session.add_image(stack)


def make_field() -> ImageStack:
    """Return the synthetic field of cells."""
    from napari_cellstage.sample_data import cell_cycle_field  # slow to load

    return cell_cycle_field().stack


def make_movie() -> ImageStack:
    """Return the synthetic movie of dividing cells."""
    from napari_cellstage.sample_movie import cell_cycle_movie  # slow to load

    return cell_cycle_movie().stack


def _making(make: Callable[[], ImageStack], _should_stop: ShouldStop) -> Generator[None, None, ImageStack]:
    yield from ()
    return make()
