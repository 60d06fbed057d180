"""The tracks of the current image as a napari Tracks layer: made from the session, kept in step, never read back."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtGui import QColor

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Tracks as TracksLayer

    from napari_cellstage.session import Session
    from napari_cellstage.ui.overlay_layer import Placement

FAMILY, CLASS = "family", "class"
TAIL = 10  # frames
UNCLASSED = (0.55, 0.55, 0.55, 0.6)
_GOLDEN = 0.6180339887  # steps of this round the colour circle keep neighbours far apart

Colors = NDArray[np.float32]


class TrackLayer:
    """Shows the tracks of one session in one viewer.

    Parameters
    ----------
    viewer
        Where they are shown.
    session
        Whose tracks.
    placement
        Returns axes and place of the layers of the current image, None when it is not shown.
    """

    coloring_changed = Signal(str)

    def __init__(self, viewer: ViewerModel, session: Session, placement: Callable[[], Placement | None]) -> None:
        self._viewer = viewer
        self._session = session
        self._placement = placement
        self._coloring = FAMILY
        self._rows: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.layer: TracksLayer | None = None
        session.current_changed.connect(self.rebuild)
        session.cells_changed.connect(self._on_image)
        session.tracks_changed.connect(self._on_image)
        session.labels_changed.connect(self._on_classes)
        session.predictions_changed.connect(self._on_classes)
        session.scheme_changed.connect(self._recolor)
        self.rebuild()

    @property
    def coloring(self) -> str:
        """`FAMILY`: mother and daughters share a colour; `CLASS`: the label of each cell, else its prediction."""
        return self._coloring

    @coloring.setter
    def coloring(self, coloring: str) -> None:
        if coloring != self._coloring:
            self._coloring = coloring
            self._recolor()
            self.coloring_changed.emit(coloring)

    def rebuild(self) -> None:
        """Make the layer of the current image anew, or take it away where there are no tracks."""
        visible = self.layer is None or self.layer.visible
        self._remove()
        tracks, placement = self._session.tracks(), self._placement()
        if tracks is None or placement is None or not tracks.count or 0 not in placement.axes:
            return
        vertices, self._rows = tracks.vertices(self._session.cells(), placement.axes)
        graph = {child: list(mothers) for child, mothers in tracks.parents.items()}
        active = self._viewer.layers.selection.active
        self.layer = self._viewer.add_tracks(
            vertices, graph=graph, name="Tracks", tail_length=TAIL, visible=visible, **placement.transform
        )
        self._viewer.layers.selection.active = active
        self._recolor()

    def close(self) -> None:
        """Stop following the session and remove the layer."""
        self._session.current_changed.disconnect(self.rebuild)
        self._session.cells_changed.disconnect(self._on_image)
        self._session.tracks_changed.disconnect(self._on_image)
        self._session.labels_changed.disconnect(self._on_classes)
        self._session.predictions_changed.disconnect(self._on_classes)
        self._session.scheme_changed.disconnect(self._recolor)
        self._remove()

    def _on_image(self, image_id: int) -> None:
        if image_id == self._session.current_id:
            self.rebuild()

    def _on_classes(self, image_id: int, _rows: object = None) -> None:
        if image_id == self._session.current_id and self._coloring == CLASS:
            self._recolor()

    def _recolor(self) -> None:
        if self.layer is None or self.layer not in self._viewer.layers:
            return
        colors = self._class_colors() if self._coloring == CLASS else self._family_colors()
        self.layer.track_colors = colors[self._rows]

    def _class_colors(self) -> Colors:
        session, predictions = self._session, self._session.predictions()
        ids = session.class_ids()
        shown = ids if predictions is None else np.where(ids, ids, predictions.predicted)
        table = np.tile(np.array(UNCLASSED, dtype=np.float32), (int(shown.max(initial=0)) + 1, 1))
        for one in session.scheme:
            if one.id < len(table):
                table[one.id] = QColor(one.color).getRgbF()
        return np.asarray(table[shown], dtype=np.float32)

    def _family_colors(self) -> Colors:
        tracks = self._session.tracks()
        family = tracks.family if tracks is not None else np.zeros(0, dtype=np.int64)
        known, place = np.unique(family, return_inverse=True)
        colors = [(*colorsys.hsv_to_rgb(float(one) * _GOLDEN % 1.0, 0.65, 1.0), 1.0) for one in known]
        return np.array(colors, dtype=np.float32).reshape(-1, 4)[place]

    def _remove(self) -> None:
        if self.layer is not None and self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)
        self.layer = None
