"""The ring around the selected cell: a Points layer with one point at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_cellstage.core.cells import CellTable
from napari_cellstage.ui.overlay_layer import Placement

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Points

SMALLEST_SHOWN = 24  # screen pixels across the ring
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

    def show(self, cells: CellTable | None, row: int | None, placement: Placement | None) -> None:
        """Put the ring around a cell; row None takes it away."""
        if cells is None or row is None or placement is None:
            self.hide()
            return
        place = np.array([cells.t[row], cells.z[row], cells.y[row], cells.x[row]], dtype=np.float64)
        _, y0, x0, _, y1, x1 = cells.bbox[row].tolist()
        place[1] = round(place[1])
        size = float(np.hypot(y1 - y0, x1 - x0)) + MARGIN
        self._draw(place[list(placement.axes)][None], size, placement)

    def hide(self) -> None:
        """Take the ring away."""
        if self.layer is not None:
            if self.layer in self._viewer.layers:
                self._viewer.layers.remove(self.layer)
            self.layer = None

    def _draw(self, place: np.ndarray, size: float, placement: Placement) -> None:
        if self.layer is None or self.layer not in self._viewer.layers:
            active = self._viewer.layers.selection.active
            self.layer = self._viewer.add_points(
                place,
                name="Selected cell",
                size=size,
                symbol="disc",
                face_color="transparent",
                border_color="white",
                border_width=0.08,
                canvas_size_limits=(SMALLEST_SHOWN, 10_000),
                out_of_slice_display=False,
                **placement.transform,
            )
            self.layer.editable = False
            self._viewer.layers.selection.active = active
        else:
            self.layer.data = place
            self.layer.size = size
