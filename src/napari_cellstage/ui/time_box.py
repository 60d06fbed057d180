"""Following cells over time, in the step Cells. It knows the session only, and is seen only where there is time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QGroupBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.link_settings import LinkSettings
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import show, showing_errors, shown
from napari_cellstage.ui.pieces import Folded, button, hint, on_click
from napari_cellstage.ui.settings_form import SettingsForm
from napari_cellstage.ui.track_layer import CLASS, FAMILY
from napari_cellstage.ui.workers import Job, JobRunner, ShouldStop

if TYPE_CHECKING:
    from napari_cellstage.core.cells import CellTable
    from napari_cellstage.core.tracks import Tracks

FORM = ("max_distance", "gap", "divisions", "overlap")
COLORINGS = {FAMILY: "family", CLASS: "class"}


class TimeBox(QGroupBox):
    """Follows the cells of the current image from frame to frame.

    Signals
    -------
    coloring_wanted : how tracks are to be coloured, `FAMILY` or `CLASS`.

    Parameters
    ----------
    session
        Whose cells.
    runner
        Where following runs.
    """

    coloring_wanted = Signal(str)

    def __init__(self, session: Session, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__("Over time", parent)
        self.session = session
        self._runner = runner
        self._build()
        self._wire()
        self.refresh()

    def refresh(self, _what: object = None) -> None:
        """Show the session as it is now."""
        stack = self.session.current
        frames = 1 if stack is None else stack.shape[0]
        self.setVisible(frames > 1)
        if frames < 2:
            return
        cells, tracks = len(self.session.cells()), self.session.tracks()
        self.follow.setEnabled(bool(cells) and not self.session.read_only and not self._runner.busy)
        self.follow.setText("Follow the cells" if tracks is None else "Follow them again")
        self.colors.setVisible(tracks is not None)
        self.state.setText(_state_text(frames, cells, tracks))

    def show_coloring(self, coloring: str) -> None:
        """Show how tracks are coloured."""
        self.coloring.setCurrentIndex(self.coloring.findData(coloring))

    @showing_errors
    def start(self) -> None:
        """Follow the cells of the current image in a worker."""
        labels, cells, image_id = self.session.labels(), self.session.cells(), self.session.current_id
        stack = self.session.current
        if labels is None or stack is None or image_id is None:
            return
        settings = self.form.value
        self.session.link_settings = settings
        job = Job("following cells", following(labels.frozen(), cells, settings, stack.pixel_size_um))
        job.returned.connect(lambda tracks: self._on_followed(tracks, cells, image_id))
        job.failed.connect(show)
        self._runner.start(job)

    def _build(self) -> None:
        self.state = hint("")
        self.form = SettingsForm(self.session.link_settings, FORM)
        self.settings = Folded("How far, how long", self.form, "For cells that move far or are missed often.")
        self.follow = button("Follow the cells", "Finds out which cells of all frames are one and the same cell.")
        self.coloring = QComboBox()
        self.coloring.setAccessibleName("Colours of the tracks")
        self.coloring.setToolTip(
            "Colours of the lines in the layer Tracks. Family: a cell and its daughters have one colour. "
            "Class: the label of the cell in each frame, else its prediction."
        )
        for value, title in COLORINGS.items():
            self.coloring.addItem(title, value)
        self.colors = QWidget()
        row = QHBoxLayout(self.colors)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Lines show"))
        row.addWidget(self.coloring, 1)
        layout = QVBoxLayout(self)
        for part in (self.state, self.settings, self.follow, self.colors):
            layout.addWidget(part)

    def _wire(self) -> None:
        session = self.session
        plain = (session.project_changed, session.images_changed, session.current_changed)
        for signal in (*plain, session.cells_changed, session.tracks_changed):
            signal.connect(self.refresh)
        session.project_changed.connect(self._show_settings)
        self._runner.started.connect(self.refresh)
        self._runner.ended.connect(self.refresh)
        self.coloring.activated.connect(lambda index: self.coloring_wanted.emit(self.coloring.itemData(index)))
        on_click(self.follow, self.start)

    def _show_settings(self) -> None:
        self.form.value = self.session.link_settings

    def _on_followed(self, tracks: Tracks | None, cells: CellTable, image_id: int) -> None:
        if tracks is None:
            return
        with shown():
            if self.session.cells(image_id) is not cells:
                raise CellsError("The cells have changed while they were followed. Follow them again.")
            self.session.set_tracks(tracks, image_id)


def _state_text(frames: int, cells: int, tracks: Tracks | None) -> str:
    if not cells:
        return f"{frames} time points. Find the cells first; then they can be followed from frame to frame."
    if tracks is None:
        return (
            f"{frames} time points. Follow the cells to label one in all its frames at once. The score is honest then, "
            "too: no cell is trained on in one frame and tested in the next."
        )
    return f"<b>{tracks.text}</b>. The step Label can now label a cell in all its frames (key T)."


def following(
    labels: Any, cells: CellTable, settings: LinkSettings, pixel_size_um: tuple[float, float, float] | None
) -> Callable[[ShouldStop], Generator[BatchDone, None, Tracks | None]]:
    """Return the work of following cells."""

    def work(should_stop: ShouldStop) -> Generator[BatchDone, None, Tracks | None]:
        from napari_cellstage.core.linking import link_cells

        steps = link_cells(labels, cells, settings, pixel_size_um, should_stop)
        while True:
            try:
                done, total = next(steps)
            except StopIteration as end:
                found: Tracks | None = end.value
                return found
            yield BatchDone("following cells", done, total)

    return work
