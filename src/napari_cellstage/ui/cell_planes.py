"""From one value a cell to one value a pixel, plane by plane: what the overlays' arrays are filled with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.ui.pattern import Mask, Pattern, inner_outline

LARGEST_TABLE = 1 << 24  # a look-up table longer than this costs more than ranking the ids of a plane
ROWS_AT_ONCE = 64  # keeps numpy's index buffer in the processor's cache: twice as fast as the whole plane

OUTLINES_KEPT = 12


@dataclass(frozen=True)
class _Frame:
    """Cells of one time point: their rows, and where each is in the look-up table of the frame."""

    rows: NDArray[np.intp]
    keys: NDArray[np.intp]
    size: int
    ids: NDArray[np.int64] | None  # sorted; None when the label value itself is the key


class CellPlanes:
    """Where the pixels of each cell are.

    Parameters
    ----------
    labels
        ``(T, Z, Y, X)`` segmentation.
    cells
        Its table.
    """

    def __init__(self, labels: Labels, cells: CellTable) -> None:
        self.labels = labels
        self.cells = cells
        self._frames: dict[int, _Frame] = {}
        self._outlines: dict[tuple[int, int, int], NDArray[np.bool_]] = {}

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """T, Z, Y, X."""
        return self.labels.shape

    def draw(
        self, codes: NDArray[Any], t: int, z: int, pattern: Pattern, out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Return one plane ``(Y, X)`` with each cell's code where `pattern` shows it; 0 elsewhere.

        Parameters
        ----------
        codes
            ``(N,)``, one a row of the cell table.
        t, z
            Which plane.
        pattern
            Which pixels of a cell show its code.
        out
            Filled and returned when given; ``(Y, X)``, C order, dtype as `codes`.
        """
        frame = self._frame(t)
        table = np.zeros(frame.size, dtype=codes.dtype)
        table[frame.keys] = codes[frame.rows]
        keys = self._keys_of(self.labels[t, z], frame)
        out = np.empty(keys.shape, dtype=codes.dtype) if out is None else out
        band, edge = self._masks(t, z, pattern)
        for first in range(0, len(keys), ROWS_AT_ONCE):
            some = slice(first, first + ROWS_AT_ONCE)
            np.take(table, keys[some], out=out[some], mode="clip")
            pattern.apply(out[some], _part(band, some), _part(edge, some), first, 0)
        return out

    def draw_cell(
        self, row: int, code: Any, z: int, pattern: Pattern
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return y, x and code of one cell's pixels in a plane, found inside its bounding box.

        Parameters
        ----------
        row
            Of the cell table.
        code
            Of the cell; a numpy scalar of the overlay's dtype.
        z
            Which plane.
        pattern
            Which pixels show the code.
        """
        _, y0, x0, _, y1, x1 = self.cells.bbox[row].tolist()
        t, box = int(self.cells.t[row]), (slice(y0, y1), slice(x0, x1))
        inside = self.labels[t, z][box] == self.cells.cell_id[row]
        codes = inside.astype(code.dtype) * code
        band, edge = self._masks(t, z, pattern)
        pattern.apply(codes, _part(band, box), _part(edge, box), y0, x0)
        ys, xs = np.nonzero(inside)
        return ys + y0, xs + x0, codes[inside]

    def _masks(self, t: int, z: int, pattern: Pattern) -> tuple[Mask | None, Mask | None]:
        if not pattern.width:
            return None, None
        return self._outline(t, z, pattern.width), self._outline(t, z, 1)

    def _outline(self, t: int, z: int, width: int) -> Mask:
        """Return where the outlines of a plane's cells are; those of the last few planes are kept."""
        key = (t, z, width)
        if key not in self._outlines:
            while len(self._outlines) >= OUTLINES_KEPT:
                del self._outlines[next(iter(self._outlines))]
            self._outlines[key] = inner_outline(self.labels[t, z], width)
        return self._outlines[key]

    @cached_property
    def _rows_by_frame(self) -> dict[int, NDArray[np.intp]]:
        order = np.argsort(self.cells.t, kind="stable")
        starts = np.flatnonzero(np.diff(self.cells.t[order], prepend=-1))
        return {int(self.cells.t[rows[0]]): rows for rows in np.split(order, starts[1:]) if len(rows)}

    def _frame(self, t: int) -> _Frame:
        if t not in self._frames:
            rows = self._rows_by_frame.get(t, np.zeros(0, dtype=np.intp))
            ids = self.cells.cell_id[rows]
            largest = int(ids.max(initial=0))
            if largest < LARGEST_TABLE:
                # One entry past the last, always 0, for values that are in the labels but in no row.
                self._frames[t] = _Frame(rows, ids.astype(np.intp), largest + 2, None)
            else:
                ranked = np.sort(ids)
                self._frames[t] = _Frame(rows, np.searchsorted(ranked, ids) + 1, len(ids) + 1, ranked)
        return self._frames[t]

    def _keys_of(self, plane: Labels, frame: _Frame) -> NDArray[np.integer[Any]]:
        if frame.ids is None:
            return plane
        places = np.minimum(np.searchsorted(frame.ids, plane), len(frame.ids) - 1)
        return np.where(frame.ids[places] == plane, places + 1, 0)


def _part(mask: Mask | None, where: Any) -> Mask | None:
    return None if mask is None else mask[where]


class LazyCodes:
    """An array of codes that napari slices and that is computed one plane at a time.

    Parameters
    ----------
    planes
        Where the cells are.
    codes
        ``(N,)``, one a cell; may be replaced, then napari is to slice again.
    axes
        Which of T, Z, Y, X (0 to 3) the array has; the others have length 1.
    pattern
        Which pixels of a cell show its code.
    """

    def __init__(self, planes: CellPlanes, codes: NDArray[Any], axes: tuple[int, ...], pattern: Pattern) -> None:
        self.planes = planes
        self.codes = codes
        self.axes = axes
        self.pattern = pattern

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(self.planes.shape[axis] for axis in self.axes)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.axes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the codes."""
        return self.codes.dtype

    def __getitem__(self, index: Any) -> NDArray[Any]:
        index = index if isinstance(index, tuple) else (index,)
        index = (*index, *([slice(None)] * (self.ndim - len(index))))
        by_axis = dict(zip(self.axes, index, strict=True))
        t, z = by_axis.get(0, 0), by_axis.get(1, 0)
        if isinstance(t, slice):
            frames = [self._planes_at(one, z) for one in range(*t.indices(self.planes.shape[0]))]
            return np.stack(frames)[..., by_axis[2], by_axis[3]]
        return self._planes_at(int(t), z)[..., by_axis[2], by_axis[3]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[(slice(None),) * self.ndim], dtype=dtype)

    def _planes_at(self, t: int, z: Any) -> NDArray[Any]:
        if isinstance(z, slice):
            return np.stack([self._plane(t, one) for one in range(*z.indices(self.planes.shape[1]))])
        return self._plane(t, int(z))

    def _plane(self, t: int, z: int) -> NDArray[Any]:
        return self.planes.draw(self.codes, t, z, self.pattern)
