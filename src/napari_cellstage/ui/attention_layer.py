"""Where the network looks, as an image layer over the cells in the viewer: made from maps, never read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_cellstage.learn.attention import Attention
    from napari_cellstage.session import Session
    from napari_cellstage.ui.overlay_layer import Placement

NAME = "Where the network looks"
LARGEST = 2048  # pixels across the part of the image that is painted
Plane = tuple[int, int]


class AttentionLayer:
    """Shows maps of cells of the current image, in their plane, where their crops were cut.

    Parameters
    ----------
    viewer
        Where they are shown.
    session
        Whose cells.
    placement
        Returns axes and place of the layers of the current image, None when it is not shown.
    """

    def __init__(self, viewer: ViewerModel, session: Session, placement: Callable[[], Placement | None]) -> None:
        self._viewer, self._session, self._placement = viewer, session, placement
        self._attention: Attention | None = None
        self._visited: tuple[int, int, int] | None = None
        self.layer: Image | None = None
        session.current_changed.connect(self._on_current)
        session.cell_wanted.connect(self._on_wanted)

    def show(self, attention: Attention) -> None:
        """Show these maps; without any the layer goes."""
        self._attention = attention
        self._draw()

    def close(self) -> None:
        """Stop following the session and remove the layer."""
        self._session.current_changed.disconnect(self._on_current)
        self._session.cell_wanted.disconnect(self._on_wanted)
        self._remove()

    def _on_current(self) -> None:
        self._draw()

    def _on_wanted(self, image_id: int, t: int, cell_id: int) -> None:
        self._visited = (image_id, t, cell_id)
        self._draw()

    def _draw(self) -> None:
        self._remove()
        placement, found = self._placement(), self._attention
        if placement is None or found is None or not len(found):
            return
        here = found.cells.image_id == (self._session.current_id or 0)
        if not here.any():
            return
        found = found.take(here)
        plane, rows = self._plane(found)
        heat, top, left = painted(found.take(rows))
        self._add(heat, (*plane, top, left), placement)

    def _plane(self, found: Attention) -> tuple[Plane, NDArray[np.intp]]:
        """Return the plane that is shown, and its cells: that of the cell gone to last, else of the first one."""
        planes = np.stack([found.cells.t, np.floor(found.z + 0.5).astype(np.int64)], axis=1)
        cells = found.cells
        names = list(zip(cells.image_id.tolist(), cells.t.tolist(), cells.cell_id.tolist(), strict=True))
        first = names.index(self._visited) if self._visited in names else 0
        rows = np.flatnonzero((planes == planes[first]).all(axis=1))
        rows = rows[np.abs(found.windows[rows, :2] - found.windows[first, :2]).max(axis=1) < LARGEST / 2]
        return (int(planes[first, 0]), int(planes[first, 1])), rows

    def _add(self, heat: NDArray[np.float32], place: tuple[int, int, int, int], placement: Placement) -> None:
        axes, transform = placement.axes, dict(placement.transform)
        scale = np.asarray(transform.get("scale", np.ones(len(axes))), dtype=np.float64)
        begins = np.asarray(transform.get("translate", np.zeros(len(axes))), dtype=np.float64)
        transform["translate"] = begins + scale * np.array([place[axis] for axis in axes], dtype=np.float64)
        active = self._viewer.layers.selection.active
        self.layer = self._viewer.add_image(
            heat.reshape((1,) * (len(axes) - 2) + heat.shape),
            name=NAME,
            colormap="inferno",
            blending="additive",
            contrast_limits=(0.0, 1.0),
            opacity=0.8,
            **transform,
        )
        self._viewer.layers.selection.active = active

    def _remove(self) -> None:
        if self.layer is not None and self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)
        self.layer = None


def painted(found: Attention) -> tuple[NDArray[np.float32], int, int]:
    """Return the maps at the pixels of the image, the strongest where several meet, and the first row and column."""
    windows = found.windows
    low = np.floor(windows[:, :2] + 0.5).astype(np.int64)
    high = np.maximum(np.ceil(windows[:, :2] + windows[:, 2:] - 0.5).astype(np.int64), low + 1)
    (top, left), (bottom, right) = low.min(axis=0), high.max(axis=0)
    heat = np.zeros((bottom - top, right - left), dtype=np.float32)
    for one, window, begin, end in zip(found.maps, windows, low, high, strict=True):
        rows, columns = (np.arange(a, b) for a, b in zip(begin, end, strict=True))
        part = heat[rows[0] - top : rows[-1] + 1 - top, columns[0] - left : columns[-1] + 1 - left]
        np.maximum(part, _at(one, window, rows, columns), out=part)
    return heat, int(top), int(left)


def _at(one: NDArray[np.float32], window: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[Any]:
    """Return a map at pixels of the image."""
    from scipy.ndimage import map_coordinates

    down = (rows - window[0]) / window[2] * one.shape[0] - 0.5
    across = (columns - window[1]) / window[3] * one.shape[1] - 0.5
    return np.asarray(map_coordinates(one, np.meshgrid(down, across, indexing="ij"), order=1, mode="nearest"))
