"""The linked split view: layers side by side in napari's grid, with one camera and one contrast; then all as before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari.experimental import link_layers, unlink_layers

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer

SPACING = 4.0  # pixels between the views


class SplitView:
    """Shows some layers side by side, and gives the view back.

    Parameters
    ----------
    viewer
        Whose grid is used: its cameras and sliders are one for all.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._seen: list[tuple[Layer, bool]] = []
        self._looks: list[tuple[Image, tuple[float, float], Any, str]] = []
        self._grid: dict[str, Any] | None = None

    @property
    def on(self) -> bool:
        """Whether layers are shown side by side now."""
        return self._grid is not None

    def show(self, layers: Sequence[Image]) -> None:
        """Show these side by side, each with the contrast and colours of the first."""
        self.close()
        grid = self._viewer.canvas.grid
        self._seen = [(one, bool(one.visible)) for one in self._viewer.layers]
        self._looks = [(one, tuple(one.contrast_limits), one.colormap, one.blending) for one in layers]
        self._grid = {name: getattr(grid, name) for name in ("enabled", "shape", "stride", "spacing")}
        for one in self._viewer.layers:
            one.visible = any(one is layer for layer in layers)
        for one in layers:
            one.colormap, one.contrast_limits = layers[0].colormap, layers[0].contrast_limits
        link_layers(layers, ("contrast_limits",))
        order = [self._viewer.layers.index(one) for one in layers]
        grid.shape, grid.spacing = (1, len(layers)), SPACING
        grid.stride = 1 if order == sorted(order) else -1
        grid.enabled = True
        self._viewer.scene.camera.zoom /= len(layers)  # each view is so much narrower: what was seen is seen still

    def close(self) -> None:
        """Give the view back as it was; layers that came meanwhile stay as they are."""
        if self._grid is None:
            return
        grid = self._viewer.canvas.grid
        self._viewer.scene.camera.zoom *= len(self._looks)
        unlink_layers([layer for layer, *_ in self._looks], ("contrast_limits",))
        grid.enabled = self._grid.pop("enabled")
        for name, value in self._grid.items():
            setattr(grid, name, value)
        there = list(self._viewer.layers)
        for layer, limits, colormap, blending in self._looks:
            if any(layer is one for one in there):
                layer.contrast_limits, layer.colormap, layer.blending = limits, colormap, blending
        for one, visible in self._seen:
            if any(one is other for other in there):
                one.visible = visible
        self._seen, self._looks, self._grid = [], [], None
