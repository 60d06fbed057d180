"""Windows cut out of fields, and what a network answers put together again, row by row, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.stain.fields import Field
from napari_cellstage.stain.layout import Band, Layout

Floats = NDArray[np.float32]
Put = Callable[[int, int, Floats], None]
"""Takes the first row and column of a finished part ``(K, Zout, h, w)``, and the part, which it must not keep."""


@dataclass(frozen=True)
class Place:
    """Which window it is: places in the layout's bands, rows of windows, slabs, columns of windows."""

    band: int
    row: int
    slab: int
    column: int


def windows_of(field: Field, layout: Layout) -> Iterator[tuple[Place, Floats]]:
    """Yield each window and its input ``(C, Z, h, w)``, band by band and from the top to the bottom."""
    for number, band in enumerate(layout.bands):
        strip = _Strip(field, layout, band)
        for row, top in enumerate(layout.down.starts):
            seen = strip.rows(top)
            for slab, planes in enumerate(layout.slabs):
                deep = _picked(seen, planes.planes)
                for column in band.windows:
                    left = layout.across.starts[column] - strip.left
                    yield Place(number, row, slab, column), deep[..., left : left + layout.across.size]


class Mosaic:
    """What comes out of a field, window by window, in the order of `windows_of`.

    Parameters
    ----------
    layout
        Of the field.
    channels
        K, how many come out.
    put
        Called with every part once, when it is finished.
    """

    def __init__(self, layout: Layout, channels: int, put: Put) -> None:
        self._layout, self._channels, self._put = layout, channels, put
        self._down, self._across = layout.down.weights(), layout.across.weights()
        self._band, self._top = 0, 0
        self._edges = layout.bands[0]
        self._sum = self._blank()

    def add(self, place: Place, answer: Floats) -> None:
        """Take the answer ``(K, n, h, w)`` to a window."""
        if place.band != self._band:
            self.finish()
            self._begin(place.band)
        self._write_down_to(self._layout.down.starts[place.row])
        slab = self._layout.slabs[place.slab]
        rows, of_rows = self._clipped(self._layout.down.starts[place.row], answer.shape[2], self._top, self._bottom)
        left = self._layout.across.starts[place.column]
        columns, of_columns = self._clipped(left, answer.shape[3], self._edges.start, self._edges.stop)
        planes, of_planes = self._clipped(slab.out, answer.shape[1], 0, self._layout.depth_out)
        part = answer[:, of_planes, of_rows, of_columns] * self._down[place.row][of_rows, None]
        part *= self._across[place.column][of_columns]
        if len(slab.weights) > 1:
            part *= slab.weights[of_planes, None, None]
        self._sum[:, planes, rows, columns] += part

    def finish(self) -> None:
        """Write what is left of a band."""
        self._write_down_to(self._layout.down.length)
        left = self._layout.down.length - self._top
        if left > 0:
            self._put(self._top, self._edges.start, self._sum[:, :, :left])
        self._top = self._layout.down.length

    @property
    def _bottom(self) -> int:
        return min(self._top + int(self._sum.shape[2]), self._layout.down.length)

    def _begin(self, band: int) -> None:
        self._band, self._edges, self._top = band, self._layout.bands[band], 0
        self._sum = self._blank()

    def _blank(self) -> Floats:
        height = min(self._layout.rows + self._layout.down.size, self._layout.down.length)
        return np.zeros(
            (self._channels, self._layout.depth_out, height, self._edges.stop - self._edges.start), np.float32
        )

    def _write_down_to(self, row: int) -> None:
        """Write rows above, which no window reaches any more, in parts of the same height."""
        step = self._layout.rows
        while row - self._top >= step:
            self._put(self._top, self._edges.start, self._sum[:, :, :step])
            rest = self._sum[:, :, step:].copy()
            self._sum[:, :, : rest.shape[2]] = rest
            self._sum[:, :, rest.shape[2] :] = 0
            self._top += step

    @staticmethod
    def _clipped(start: int, size: int, low: int, high: int) -> tuple[slice, slice]:
        """Return where a stretch lies in what begins at `low`, and which part of the stretch that is."""
        first, last = max(start, low), min(start + size, high)
        return slice(first - low, last - low), slice(first - start, last - start)


class _Strip:
    """The input of one band, of which some rows are in memory."""

    def __init__(self, field: Field, layout: Layout, band: Band) -> None:
        starts, size = layout.across.starts, layout.across.size
        self.left = starts[band.windows[0]]
        self._columns = (self.left, starts[band.windows[-1]] + size)
        self._field, self._layout = field, layout
        self._planes = np.arange(field.shape[0])
        self._top = self._bottom = layout.down.starts[0]
        self._last = layout.down.starts[-1] + layout.down.size
        self._seen: Floats | None = None

    def rows(self, top: int) -> Floats:
        """Return ``(C, Z, h, w)`` of one row of windows."""
        stop = top + self._layout.down.size
        if stop > self._bottom:
            bottom = min(max(stop, self._bottom + self._layout.rows), self._last)
            more = self._field.rows(self._planes, (self._bottom, bottom), self._columns)
            kept = None if self._seen is None else self._seen[:, :, top - self._top :]
            self._seen = more if kept is None else np.concatenate([kept, more], axis=2)
            self._top, self._bottom = (self._top if kept is None else top), bottom
        assert self._seen is not None
        return self._seen[:, :, top - self._top : stop - self._top]


def _picked(seen: Floats, planes: NDArray[np.intp]) -> Floats:
    """Return some planes, as a view where they lie side by side."""
    first, last = int(planes[0]), int(planes[-1])
    if last - first == len(planes) - 1 and (np.diff(planes) == 1).all():
        return seen[:, first : last + 1]
    return np.take(seen, planes, axis=1)
