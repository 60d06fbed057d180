"""The line under the mouse while something is drawn: a Shapes layer that is there as long as the button is down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_cellstage.ui.overlay_layer import Placement

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Shapes

WIDTH = 2.0  # screen pixels


class Drawing:
    """Shows a line.

    Parameters
    ----------
    viewer
        Where.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.layer: Shapes | None = None

    def show(self, points: np.ndarray, placement: Placement | None) -> None:
        """Show a line through ``(n, 4)`` t, z, y, x of the image."""
        if placement is None:
            return
        places = points[:, list(placement.axes)]
        if self.layer is None:
            self._add(places, placement)
        else:
            self.layer.data = [places]

    def hide(self) -> None:
        """Take the line away."""
        if self.layer is not None and self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)
        self.layer = None

    def _add(self, places: np.ndarray, placement: Placement) -> None:
        active = self._viewer.layers.selection.active
        self.layer = self._viewer.add_shapes(
            [places],
            shape_type="path",
            name="Being drawn",
            edge_color="white",
            edge_width=WIDTH / max(self._viewer.scene.camera.zoom, 1e-9) / _pixel(placement),
            **placement.transform,
        )
        self._viewer.layers.selection.active = active


def _pixel(placement: Placement) -> float:
    scale = placement.transform.get("scale")
    return float(np.abs(np.asarray(scale)[-1])) if scale is not None else 1.0
