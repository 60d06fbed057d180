"""The rings around the selected cells: a Points layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_cellstage.core.cells import CellTable
from napari_cellstage.ui.overlay_layer import Placement

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Points

SMALLEST_SHOWN = 24  # screen pixels across the ring
RING = 3.0  # screen pixels, how thick it is
MOST = 500  # rings: more tell nothing, and 10,000 take napari a second
MARGIN = 8  # pixels between a cell's bounding box and the ring


class CellMarker:
    """Shows which cell is selected.

    Parameters
    ----------
    viewer
        Where the ring is shown.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.layer: Points | None = None
        self._sizes = np.zeros(0)
        viewer.scene.camera.events.zoom.connect(self._on_zoom)

    def show(self, cells: CellTable | None, rows: Sequence[int], placement: Placement | None) -> None:
        """Put rings around cells, the last `MOST` of them; without rows they are taken away."""
        if cells is None or not len(rows) or placement is None:
            self.hide()
            return
        at = np.array(rows[-MOST:], dtype=np.intp)
        places = np.stack((cells.t[at], np.round(cells.z[at]), cells.y[at], cells.x[at]), axis=1).astype(np.float64)
        sides = (cells.bbox[at, 4:] - cells.bbox[at, 1:3]).astype(np.float64)
        self._draw(places[:, list(placement.axes)], np.hypot(*sides.T) + MARGIN, placement)

    def hide(self, placement: Placement | None = None) -> None:
        """Take the rings away; the layer stays, as removing one takes napari a quarter of a second.

        Parameters
        ----------
        placement
            Of the image that is shown now, when it is another: all layers need the same units, with cells or without.
        """
        if self.layer is None or self.layer not in self._viewer.layers:
            return
        if len(self.layer.data):
            self.layer.data = np.empty((0, self.layer.ndim))
        if placement is not None and len(placement.axes) == self.layer.ndim:
            placement.put(self.layer)

    def remove(self) -> None:
        """Take the layer away."""
        if self.layer is not None:
            if self.layer in self._viewer.layers:
                self._viewer.layers.remove(self.layer)
            self.layer = None

    def _draw(self, place: np.ndarray, size: np.ndarray, placement: Placement) -> None:
        if self.layer is not None and self.layer.ndim != len(placement.axes):
            self.remove()
        if self.layer is None or self.layer not in self._viewer.layers:
            self.layer = self._new_layer(place, placement)
        else:
            self.layer.data = place
            placement.put(self.layer)
        self._sizes = size
        self._on_zoom()

    def _new_layer(self, place: np.ndarray, placement: Placement) -> Points:
        active = self._viewer.layers.selection.active
        layer = self._viewer.add_points(
            place,
            name="Selected cell",
            symbol="disc",
            face_color="transparent",
            border_color="white",
            border_width_is_relative=False,
            out_of_slice_display=False,
            **placement.transform,
        )
        layer.editable = False
        self._viewer.layers.selection.active = active
        return layer

    def _on_zoom(self) -> None:
        """Keep rings as thick on the screen, and large enough to see; napari's own limits fill small rings white."""
        if self.layer is None or not len(self.layer.data) or len(self.layer.data) != len(self._sizes):
            return
        pixel = 1 / max(self._viewer.scene.camera.zoom * abs(float(self.layer.scale[-1])), 1e-9)
        wanted = {"size": np.maximum(self._sizes, SMALLEST_SHOWN * pixel), "border_width": RING * pixel}
        for name, value in wanted.items():
            if not np.allclose(getattr(self.layer, name), value):  # each costs napari a millisecond
                setattr(self.layer, name, value)
