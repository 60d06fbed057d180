"""The live preview of finding cells: on the part that is seen, in a worker, a moment after the last change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.ui.finding import Seen, finding_on_plane
from napari_cellstage.ui.notices import show
from napari_cellstage.ui.visible import visible_part
from napari_cellstage.ui.workers import Job, JobRunner

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_cellstage.core.finding.method import Levels
    from napari_cellstage.ui.overlay_layer import Placement
    from napari_cellstage.ui.viewer_link import ViewerLink

WAIT_MS = 250
NAME = "Preview of found cells"


class Preview(QObject):
    """A labels layer that shows what would be found on the part of the plane that is seen now.

    Signals
    -------
    found : a sentence on what was found; empty when the preview ends.

    Parameters
    ----------
    viewer
        Where it is shown.
    link
        Knows the session, and where its layers lie in the viewer.
    """

    found = Signal(str)

    def __init__(self, viewer: ViewerModel, link: ViewerLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._link, self._session = viewer, link, link.session
        self._settings: SegmentSettings | None = None
        self._again = False
        self._levels: dict[Any, Levels] = {}
        self.layer: Labels | None = None
        self._runner = JobRunner(self)
        self._runner.ended.connect(self._on_ended)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self._start)
        for event in self._moves():
            event.connect(self._on_move)
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
        self._levels.clear()
        self.found.emit("")

    def close_link(self) -> None:
        """Take the preview away and give the signals back."""
        for event in self._moves():
            event.disconnect(self._on_move)
        self._session.current_changed.disconnect(self.end)
        self.end()
        self._runner.close()

    def _moves(self) -> tuple[Any, ...]:
        camera = self._viewer.scene.camera.events
        return self._viewer.dims.events.current_step, self._viewer.dims.events.ndisplay, camera.center, camera.zoom

    def _on_move(self, _event: object = None) -> None:
        if self._settings is not None:
            self._timer.start()

    def _start(self) -> None:
        stack, settings, placement = self._session.current, self._settings, self._link.layers.placement
        if stack is None or settings is None or placement is None:
            return
        if self._runner.busy:
            self._again = True
            return
        t, z = self._place()
        part = visible_part(self._viewer, placement, *stack.shape[-2:])
        job = Job("previewing", finding_on_plane(stack, t, z, part, settings, self._levels))
        job.returned.connect(self._show)
        job.failed.connect(self._on_failed)
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

    def _on_failed(self, error: BaseException) -> None:
        self.found.emit("")
        show(error)

    def _show(self, seen: Seen | None) -> None:
        placement = self._link.layers.placement
        if self._settings is None or seen is None or placement is None:
            return
        self.found.emit(seen.text)
        if self.layer is None or self.layer not in self._viewer.layers:
            self._add(seen, placement)
        else:
            self.layer.data = seen.labels
        assert self.layer is not None
        self.layer.translate = _corner(seen, placement)

    def _add(self, seen: Seen, placement: Placement) -> None:
        active = self._viewer.layers.selection.active
        where = {key: list(value)[-2:] for key, value in placement.transform.items()}
        self.layer = self._viewer.add_labels(seen.labels, name=NAME, opacity=0.8, **where)
        self.layer.contour = 2
        self.layer.editable = False
        self._viewer.layers.selection.active = active


def _corner(seen: Seen, placement: Placement) -> np.ndarray:
    """Return where the first pixel of a part lies in the viewer's world."""
    scale = np.asarray(placement.transform.get("scale", (1.0, 1.0)), dtype=float)[-2:]
    shift = np.asarray(placement.transform.get("translate", (0.0, 0.0)), dtype=float)[-2:]
    return np.asarray(shift + scale * [part.start for part in seen.part])
