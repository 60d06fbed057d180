"""Windows cut out of a part of a plane in memory.

Windows that lie inside are indexed from a view of all windows; only those that reach over the edge are gathered pixel
by pixel, which is cheaper than padding a whole plane for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from napari_cellstage.core.plane_reader import PlaneReader
from napari_cellstage.core.windows import Span, Windows

_BLOCK_BYTES = 4 << 20  # of windows copied at a time, so that what is copied is still in the processor's cache
Outside = Literal["reflect", "constant"]
Block = tuple[NDArray[np.intp], NDArray[Any]]


@dataclass(frozen=True)
class Patch:
    """A part of a plane in memory, from which windows are cut.

    Parameters
    ----------
    pixels
        ``(C, h, w)``.
    top, left
        Where it lies in the plane.
    shape
        Height and width of the plane.
    tile
        Side of the contact sheet's tiles, 0: none.
    """

    pixels: NDArray[Any]
    top: int
    left: int
    shape: tuple[int, int]
    tile: int

    @classmethod
    def of(
        cls,
        reader: PlaneReader,
        t: int,
        z: int,
        windows: Windows,
        rows: NDArray[np.intp],
        groups: list[tuple[NDArray[np.intp], Span, Span]],
    ) -> Patch:
        """Read what the windows of these cells look at."""
        shape = reader.shape[2:]
        down = _reach(windows.y[rows], [(some, down) for some, down, _ in groups], shape[0])
        across = _reach(windows.x[rows], [(some, across) for some, _, across in groups], shape[1])
        return cls(reader.region(t, z, down, across), down.start, across.start, shape, reader.tile)

    def cut(
        self, y: NDArray[np.intp], x: NDArray[np.intp], down: Span, across: Span, outside: Outside
    ) -> Iterator[Block]:
        """Yield windows ``(n, C, h, w)`` of one shape, with the entries they are of."""
        rows = _Line(y + down.low, down.length, *self._frame(y, 0))
        columns = _Line(x + across.low, across.length, *self._frame(x, 1))
        inside = rows.inside & columns.inside
        window_bytes = self.pixels.shape[0] * down.length * across.length * self.pixels.itemsize
        at_a_time = max(1, _BLOCK_BYTES // window_bytes)
        if (whole := np.flatnonzero(inside)).size:
            view = sliding_window_view(self.pixels, (down.length, across.length), axis=(1, 2)).transpose(1, 2, 0, 3, 4)
            for block in np.split(whole, range(at_a_time, len(whole), at_a_time)):
                yield block, view[rows.low[block] - self.top, columns.low[block] - self.left]
        cut = np.flatnonzero(~inside)
        for block in np.split(cut, range(at_a_time, len(cut), at_a_time)) if len(cut) else ():
            yield block, self._beyond_the_edge(rows, columns, block, outside)

    def _frame(self, centres: NDArray[np.intp], axis: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return where what each window may show begins and ends: the plane, or the tile of its contact sheet."""
        start = centres // self.tile * self.tile if self.tile else np.zeros_like(centres)
        length = self.shape[axis]
        return start, np.minimum(start + self.tile, length) if self.tile else np.full_like(centres, length)

    def _beyond_the_edge(self, rows: _Line, columns: _Line, block: NDArray[np.intp], outside: Outside) -> NDArray[Any]:
        (down, in_rows), (across, in_columns) = rows.mirrored(block), columns.mirrored(block)
        found = self.pixels[:, (down - self.top)[:, :, None], (across - self.left)[:, None, :]].swapaxes(0, 1)
        return found * (in_rows[:, :, None] & in_columns[:, None, :])[:, None] if outside == "constant" else found


@dataclass(frozen=True)
class _Line:
    """One axis of windows of one length: where each begins, and the ends of what it may show."""

    low: NDArray[np.intp]
    length: int
    start: NDArray[np.intp]
    stop: NDArray[np.intp]

    @property
    def inside(self) -> NDArray[np.bool_]:
        return np.asarray((self.low >= self.start) & (self.low + self.length <= self.stop))

    def mirrored(self, block: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Return the places that windows show, and which of them lie inside.

        Those outside are brought back as between two mirrors that do not show the edge pixel twice.
        """
        start, stop = self.start[block, None], self.stop[block, None]
        places = self.low[block, None] + np.arange(self.length) - start
        period = np.maximum(2 * (stop - start - 1), 1)
        within = places % period
        return np.minimum(within, period - within) + start, (places >= 0) & (places < stop - start)


def _reach(centres: NDArray[np.intp], spans: list[tuple[NDArray[np.intp], Span]], length: int) -> slice:
    """Return the part of an axis that windows show; as far to either side, as a mirror shows one side at the other."""
    far = [max(-one.low, one.low + one.length - 1) for _, one in spans]
    low = min(int(centres[some].min()) - away for (some, _), away in zip(spans, far, strict=True))
    high = max(int(centres[some].max()) + away + 1 for (some, _), away in zip(spans, far, strict=True))
    return slice(max(low, 0), min(high, length))
