"""Moving the viewer to a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_cellstage.core.cells import CellTable
from napari_cellstage.ui.overlay_layer import Placement

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer

SMALLEST_SHOWN, COMFORTABLE = 24, 80  # screen pixels across a cell


def centre_on_cell(viewer: ViewerModel, layer: Labels, cells: CellTable, row: int, placement: Placement) -> None:
    """Move sliders and camera to a cell.

    Parameters
    ----------
    viewer
        Moved.
    layer
        A layer of the cell's image; its scale and place count.
    cells
        Table that `row` is of.
    row
        The cell.
    placement
        Axes of the layer.
    """
    place = np.array([cells.t[row], round(float(cells.z[row])), cells.y[row], cells.x[row]])
    centre_on_place(viewer, layer, place, placement)
    size = _size_in_world(layer, cells, row)
    if viewer.scene.camera.zoom * size < SMALLEST_SHOWN:
        viewer.scene.camera.zoom = COMFORTABLE / size


def centre_on_place(viewer: ViewerModel, layer: Layer, place: np.ndarray, placement: Placement) -> None:
    """Move sliders and camera to t, z, y, x ``(4,)`` of the image that a layer shows."""
    world = np.asarray(layer.data_to_world(place[list(placement.axes)]))
    offset = viewer.dims.ndim - layer.ndim
    for axis, value in enumerate(world):
        if axis + offset not in viewer.dims.displayed:
            viewer.dims.set_point(axis + offset, value)
    shown = [axis - offset for axis in viewer.dims.displayed if axis >= offset]
    viewer.scene.camera.center = tuple(world[axis] for axis in shown)


def _size_in_world(layer: Labels, cells: CellTable, row: int) -> float:
    _, y0, x0, _, y1, x1 = cells.bbox[row].tolist()
    scale = np.abs(np.asarray(layer.scale)[-2:])
    return float(max((y1 - y0) * scale[0], (x1 - x0) * scale[1]))
