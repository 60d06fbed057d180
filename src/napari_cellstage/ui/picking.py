"""The mouse: which cell it is over, click to select or label, Shift-drag to paint many, click to add a cell."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

if TYPE_CHECKING:
    from napari_cellstage.ui.viewer_link import ViewerLink

CLICK_REACH = 4  # screen pixels the mouse may move between press and release of a click
ONE_MORE = ("Control", "Meta")  # with a click: select one more
STEP = 0.25  # of a typical cell, between two looks along a fast drag


class Place(NamedTuple):
    """A pixel of the current image."""

    t: int
    z: int
    y: int
    x: int


@dataclass
class _Stroke:
    """What one Shift-drag has labelled so far."""

    class_id: int
    rows: set[int] = field(default_factory=set)
    last: Place | None = None
    has_edit: bool = False


class Picker:
    """Mouse callbacks of one viewer.

    Parameters
    ----------
    link
        Knows the viewer, the session, the armed class and the mode.
    """

    hovered = Signal(object)  # row of the cell under the mouse, or None

    def __init__(self, link: ViewerLink) -> None:
        self._link = link
        self._viewer = link.viewer
        self._session = link.session
        self.hovered_row: int | None = None
        self._viewer.mouse_move_callbacks.append(self._on_move)
        self._viewer.mouse_drag_callbacks.append(self._on_drag)

    def close(self) -> None:
        """Take the callbacks back."""
        self._viewer.mouse_move_callbacks.remove(self._on_move)
        self._viewer.mouse_drag_callbacks.remove(self._on_drag)

    def place_of(self, event: Any) -> Place | None:
        """Return the pixel under the mouse, or None outside the image or where no image is shown."""
        coords, stack = self.coords_of(event), self._session.current
        if coords is None or stack is None:
            return None
        place = Place(*(round(value) for value in coords))
        frames, _, *volume = stack.shape
        return place if all(0 <= p < n for p, n in zip(place, (frames, *volume), strict=True)) else None

    def coords_of(self, event: Any) -> tuple[float, ...] | None:
        """Return t, z, y, x under the mouse, which may lie outside the image; None where no image is shown."""
        layer, placement = self._link.layers.base_layer, self._link.layers.placement
        if layer is None or placement is None:
            return None
        coords = self._data_coords(layer, event)
        if coords is None:
            return None
        place = [0.0, 0.0, 0.0, 0.0]
        for axis, value in zip(placement.axes, coords, strict=True):
            place[axis] = float(value)
        return tuple(place)

    def row_at(self, event: Any) -> int | None:
        """Return the row of the cell under the mouse, or None."""
        place = self.place_of(event)
        return None if place is None else self._session.cell_at(*place)

    def _data_coords(self, layer: Any, event: Any) -> NDArray[np.floating[Any]] | None:
        if len(event.dims_displayed) == 2:
            return np.asarray(layer.world_to_data(event.position))
        return _first_label_along_ray(layer, event)

    def _on_move(self, _viewer: Any, event: Any) -> None:
        row = self.row_at(event)
        if row != self.hovered_row:
            self.hovered_row = row
            self.hovered.emit(row)

    def _on_drag(self, _viewer: Any, event: Any) -> Generator[None, None, None]:
        if not self._is_ours(event):
            return
        if "Shift" in event.modifiers:
            yield from self._paint(event)
            return
        if self._link.tools.drags and not event.modifiers:
            with self._held_still():
                yield from self._link.tools.drag(event)
            return
        start = np.asarray(event.pos, dtype=float)
        while event.type != "mouse_release":
            yield
            if np.abs(np.asarray(event.pos, dtype=float) - start).max() > CLICK_REACH:
                return
        self._click(event)

    def _is_ours(self, event: Any) -> bool:
        """Whether a press is not meant for a tool of the active layer, such as a brush of the user's own layer."""
        active = self._viewer.layers.selection.active
        tool = str(getattr(active, "mode", "pan_zoom"))
        return event.button == 1 and tool == "pan_zoom" and set(event.modifiers) <= {"Shift", *ONE_MORE}

    def _click(self, event: Any) -> None:
        place = self.place_of(event)
        if place is None:
            return
        row = self._session.cell_at(*place)
        if row is None and self._link.add_mode:
            self._add(place)
            return
        if row is not None and set(event.modifiers) & set(ONE_MORE):
            self._link.selection.toggle(row)
            return
        self._link.selected_row = row
        if row is not None and self._link.armed_class:
            self._link.guard(lambda: self._link.scope.label([row], self._link.armed_class))

    def _add(self, place: Place) -> None:
        added: list[int] = []
        if self._link.guard(lambda: added.append(self._session.add_cell(*place))):
            self._link.selected_row = added[0]

    def _paint(self, event: Any) -> Generator[None, None, None]:
        class_id = self._link.armed_class
        if not class_id:
            self._viewer.status = "Choose a class in the dock first; Shift-drag then gives it to every cell on the way."
            return
        stroke = _Stroke(class_id)
        with self._held_still():
            stroke.last = self.place_of(event)
            going = self._touch(stroke, stroke.last)
            while going and event.type != "mouse_release":
                yield
                # Where the button was released counts too: not every move is told.
                going = self._touch(stroke, self.place_of(event))

    def _touch(self, stroke: _Stroke, here: Place | None) -> bool:
        """Label the cells on the way, as one step to undo with those before; False when that can't be done."""
        first, stroke.last = stroke.last or here, here
        if first is None or here is None:
            return True
        new = [row for row in self._rows_between(first, here) if row not in stroke.rows]
        stroke.rows.update(new)
        return not new or self._link.guard(lambda: self._label(stroke, new))

    def _label(self, stroke: _Stroke, rows: list[int]) -> None:
        # Only an edit of this very stroke may be joined: cells that had the class already make none.
        changed = self._link.scope.label(rows, stroke.class_id, continues=stroke.has_edit)
        stroke.has_edit = stroke.has_edit or len(changed) > 0

    def _rows_between(self, first: Place, last: Place) -> list[int]:
        length = np.hypot(last.y - first.y, last.x - first.x)
        step = max(1.0, STEP * self._session.cells().typical_diameter)
        looks = np.linspace(first, last, int(length / step) + 2)
        found = (self._session.cell_at(*look) for look in looks.tolist())
        return list(dict.fromkeys(row for row in found if row is not None))

    @contextmanager
    def _held_still(self) -> Generator[None, None, None]:
        """Keep the camera from panning."""
        before = self._viewer.scene.camera.mouse_pan
        self._viewer.scene.camera.mouse_pan = False
        try:
            yield
        finally:
            self._viewer.scene.camera.mouse_pan = before


def _first_label_along_ray(layer: Any, event: Any) -> NDArray[np.floating[Any]] | None:
    """Return data coordinates of the first cell that the line of sight meets in a 3D view."""
    start, end = layer.get_ray_intersections(
        position=event.position, view_direction=event.view_direction, dims_displayed=event.dims_displayed, world=True
    )
    if start is None or end is None:
        return None
    coords = np.asarray(layer.world_to_data(event.position), dtype=float)
    spatial = list(range(layer.ndim))[-len(event.dims_displayed) :]
    looks = np.linspace(start, end, int(np.abs(np.subtract(end, start)).max()) * 2 + 2)
    shape = np.asarray(layer.data.shape)[spatial]
    for look in looks:
        pixel = np.clip(np.round(look), 0, shape - 1)
        coords[spatial] = pixel
        if layer.data[tuple(np.round(coords).astype(int))]:
            return coords
    return None
