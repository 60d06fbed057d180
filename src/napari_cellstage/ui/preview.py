"""The live preview of finding cells: on the plane that is seen, in a worker, a moment after the last change."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer

from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.images import ImageStack
from napari_cellstage.ui.notices import show
from napari_cellstage.ui.workers import Job, JobRunner, ShouldStop

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_cellstage.ui.viewer_link import ViewerLink

WAIT_MS = 250
NAME = "Preview of found cells"


class Preview(QObject):
    """A labels layer that shows what would be found on the plane seen now.

    Parameters
    ----------
    viewer
        Where it is shown.
    link
        Knows the session, and where its layers lie in the viewer.
    """

    def __init__(self, viewer: ViewerModel, link: ViewerLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._link, self._session = viewer, link, link.session
        self._settings: SegmentSettings | None = None
        self._again = False
        self.layer: Labels | None = None
        self._runner = JobRunner(self)
        self._runner.ended.connect(self._on_ended)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self._start)
        viewer.dims.events.current_step.connect(self._on_dims)
        self._session.current_changed.connect(self.end)

    def want(self, settings: SegmentSettings | None) -> None:
        """Show what these settings find, in a moment; None ends the preview."""
        if settings is None:
            self.end()
            return
        self._settings = settings
        self._timer.start()

    def end(self) -> None:
        """Take the preview away."""
        self._settings, self._again = None, False
        self._timer.stop()
        self._runner.stop()
        if self.layer is not None and self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)
        self.layer = None

    def close_link(self) -> None:
        """Take the preview away and give the signals back."""
        self._viewer.dims.events.current_step.disconnect(self._on_dims)
        self._session.current_changed.disconnect(self.end)
        self.end()
        self._runner.close()

    def _on_dims(self, _event: object = None) -> None:
        if self._settings is not None:
            self._timer.start()

    def _start(self) -> None:
        stack, settings = self._session.current, self._settings
        if stack is None or settings is None:
            return
        if self._runner.busy:
            self._again = True
            return
        t, z = self._place()
        job = Job("previewing", finding_on_plane(stack, t, z, self._session.find_channel, settings))
        job.returned.connect(self._show)
        job.failed.connect(show)
        self._runner.start(job)

    def _on_ended(self) -> None:
        if self._again:
            self._again = False
            self._start()

    def _place(self) -> tuple[int, int]:
        """Return t and z of the plane that is seen."""
        placement = self._link.layers.placement
        steps = self._viewer.dims.current_step
        place = {0: 0, 1: 0}
        if placement is not None:
            place |= dict(zip(placement.axes, steps[-len(placement.axes) :], strict=False))
        return int(place[0]), int(place[1])

    def _show(self, labels: Any) -> None:
        placement = self._link.layers.placement
        if self._settings is None or labels is None or placement is None:
            return
        if self.layer is not None and self.layer in self._viewer.layers:
            self.layer.data = labels
            return
        active = self._viewer.layers.selection.active
        where = {key: list(value)[-2:] for key, value in placement.transform.items()}
        self.layer = self._viewer.add_labels(labels, name=NAME, opacity=0.8, **where)
        self.layer.contour = 2
        self.layer.editable = False
        self._viewer.layers.selection.active = active


def finding_on_plane(stack: ImageStack, t: int, z: int, channel: int, settings: SegmentSettings) -> Any:
    """Return the work of finding the cells of one plane, labels ``(Y, X)``."""

    def work(_should_stop: ShouldStop) -> Generator[Any, None, Any]:
        from napari_cellstage.core.segment import find_cells  # slow to load

        yield from ()
        return find_cells(stack.plane(t, z, (channel,))[0], settings)

    return work
