"""One overlay as a napari Labels layer over class codes, repainted as little as the change asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import CyclicLabelColormap
from numpy.typing import NDArray

from napari_cellstage.ui.cell_planes import CellPlanes
from napari_cellstage.ui.lazy_codes import CodeLevels, LazyCodes, in_levels
from napari_cellstage.ui.overlay import CodeTable
from napari_cellstage.ui.pattern import Pattern

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

ROWS_ONE_BY_ONE = 256  # more changed cells than this are repainted with the whole plane


@dataclass(frozen=True)
class Placement:
    """Which of T, Z, Y, X (0 to 3) the layers have, and where they lie in the viewer's world.

    Parameters
    ----------
    axes
        Y and X always; T and Z where there is more than one of them.
    transform
        ``scale``, ``translate`` and the like, as napari's layers take them.
    """

    axes: tuple[int, ...]
    transform: dict[str, Any]

    @property
    def flat(self) -> bool:
        """Whether there is one plane only."""
        return len(self.axes) == 2

    def put(self, layer: Any) -> None:
        """Put a layer that shows something else already in this place; what is right is not touched."""
        wanted = {"translate": np.zeros(len(self.axes)), **self.transform}
        for name in ("scale", "translate"):
            if not np.allclose(getattr(layer, name), wanted[name]):
                setattr(layer, name, wanted[name])
        units = [str(unit) for unit in wanted.get("units", ["pixel"] * len(self.axes))]
        if [str(unit) for unit in layer.units] != units:
            layer.units = units
        labels = wanted.get("axis_labels", layer.axis_labels)
        if tuple(layer.axis_labels) != tuple(labels):
            layer.axis_labels = labels


class OverlayLayer:
    """A napari layer that shows codes of cells.

    Parameters
    ----------
    viewer
        The layer is added to it.
    planes
        Where the cells are.
    table
        Codes and colours.
    name
        Of the layer.
    pattern
        Which pixels of a cell are drawn.
    placement
        Axes and place of the layer.
    visible
        Whether it is seen at first.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        planes: CellPlanes,
        table: CodeTable,
        name: str,
        pattern: Pattern,
        placement: Placement,
        visible: bool,
    ) -> None:
        self._viewer = viewer
        self._planes = planes
        self._placement = placement
        self._codes = table.codes
        self._colors = table.colors
        self._pattern = pattern
        # Drawn once as a whole and repainted cell by cell; else `_lazy` is computed where napari looks.
        self._whole = placement.flat and not in_levels(planes.shape)
        self._lazy: CodeLevels | LazyCodes | None = None
        self.layer: Labels = viewer.add_labels(
            self._new_data(),
            name=name,
            colormap=_colormap(table.colors),
            opacity=1.0,
            blending="translucent_no_depth",
            visible=visible,
            multiscale=isinstance(self._lazy, CodeLevels),
            **placement.transform,
        )
        self.layer.editable = False

    def show(self, planes: CellPlanes, table: CodeTable, pattern: Pattern, placement: Placement) -> bool:
        """Show the cells of another image in this layer; False when it can't, being of another kind."""
        large = in_levels(planes.shape)
        there = self.layer in self._viewer.layers
        if not there or self.layer.multiscale != large or self.layer.ndim != len(placement.axes):
            return False
        self._planes, self._placement, self._pattern = planes, placement, pattern
        self._codes, self._whole, self._lazy = table.codes, placement.flat and not large, None
        self.layer.data = self._new_data()
        placement.put(self.layer)
        self._set_colors(table.colors)
        return True

    def set_visible(self, visible: bool) -> None:
        """Show or hide the layer."""
        if self.layer.visible != visible:
            self.layer.visible = visible

    def set_all(self, table: CodeTable, pattern: Pattern | None = None) -> None:
        """Show other codes for every cell, and draw them another way when a pattern is given."""
        same_array = table.codes.dtype == self._codes.dtype
        self._codes, self._pattern = table.codes, pattern or self._pattern
        if same_array:
            self._redraw()
        else:
            self.layer.data = self._new_data()
        self._set_colors(table.colors)

    def set_rows(self, rows: NDArray[np.intp], codes: NDArray[Any]) -> None:
        """Show other codes for some cells; a few cells of one plane are repainted in their bounding boxes only."""
        self._codes[rows] = codes
        if self._whole and len(rows) <= ROWS_ONE_BY_ONE:
            self._set_pixels(rows)
        elif self._whole or self._any_shown(rows):
            self._redraw()

    def _set_colors(self, colors: NDArray[np.float32]) -> None:
        if not np.array_equal(colors, self._colors):
            self._colors = colors
            self.layer.colormap = _colormap(colors)

    def _set_pixels(self, rows: NDArray[np.intp]) -> None:
        drawn = [self._planes.draw_cell(row, self._codes[row], 0, self._pattern) for row in rows.tolist()]
        if not drawn:
            return
        ys, xs, values = (np.concatenate(part) for part in zip(*drawn, strict=True))
        if self.layer.visible and self._viewer.dims.ndisplay == 2:
            self.layer.data_setitem((ys, xs), values)
        else:
            # napari has no slice of a hidden layer to repaint; it takes one when the layer is shown.
            self.layer.data[ys, xs] = values
            self.layer.refresh(extent=False)

    def _any_shown(self, rows: NDArray[np.intp]) -> bool:
        """Whether one of the cells is in the time point on display."""
        if 0 not in self._placement.axes or 0 in self._viewer.dims.displayed:
            return True
        point = self.layer.world_to_data(self._viewer.dims.point)
        return bool(np.any(self._planes.cells.t[rows] == round(float(point[0]))))

    def _redraw(self) -> None:
        if self._lazy is not None:
            self._lazy.codes, self._lazy.pattern = self._codes, self._pattern
        else:
            self._planes.draw(self._codes, 0, 0, self._pattern, out=self.layer.data)
        self.layer.refresh(extent=False, highlight=False)

    def _new_data(self) -> Any:
        """Return what napari slices: an array, or several where it is shown in resolutions."""
        axes = self._placement.axes
        if self._whole:
            return self._planes.draw(self._codes, 0, 0, self._pattern)
        if in_levels(self._planes.shape):
            self._lazy = CodeLevels(self._planes, self._codes, axes, self._pattern)
            return self._lazy.levels
        self._lazy = LazyCodes(self._planes, self._codes, axes, self._pattern)
        return self._lazy


def _colormap(colors: NDArray[np.float32]) -> CyclicLabelColormap:
    return CyclicLabelColormap(colors=colors)
