"""Which part of a plane the viewer shows now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_cellstage.ui.overlay_layer import Placement

if TYPE_CHECKING:
    from napari.components import ViewerModel

Part = tuple[slice, slice]
LARGEST = 1024  # pixels a side: found in a moment, whatever the size of the image
_USUAL_WINDOW = (1000, 1000)


def visible_part(viewer: ViewerModel, placement: Placement, height: int, width: int) -> Part:
    """Return rows and columns of what is seen of a plane; of a large part, its middle.

    Parameters
    ----------
    viewer
        Its camera counts; in 3D the middle of the plane is taken.
    placement
        Where the plane lies in the viewer's world.
    height, width
        Of the plane.
    """
    camera = viewer.scene.camera
    if max(height, width) <= LARGEST:
        return slice(0, height), slice(0, width)
    scale = np.abs(np.asarray(placement.transform.get("scale", (1.0, 1.0)), dtype=float)[-2:])
    shift = np.asarray(placement.transform.get("translate", (0.0, 0.0)), dtype=float)[-2:]
    middle = np.array((height, width)) / 2
    if viewer.dims.ndisplay == 2:
        middle = (np.asarray(camera.center, dtype=float)[-2:] - shift) / scale
    reach = np.asarray(_window(viewer)) / max(camera.zoom, 1e-9) / scale
    rows, columns = (
        _around(float(m), int(min(LARGEST, r)), n) for m, r, n in zip(middle, reach, (height, width), strict=True)
    )
    return rows, columns


def _around(middle: float, side: int, length: int) -> slice:
    side = max(1, min(side, length))
    start = int(np.clip(round(middle - side / 2), 0, length - side))
    return slice(start, start + side)


def _window(viewer: ViewerModel) -> tuple[int, int]:
    """Return height and width of the viewer's window; there is none in scripts."""
    window = getattr(viewer, "window", None)
    if window is None:
        return _USUAL_WINDOW
    _left, _top, width, height = window.geometry()
    return height, width
