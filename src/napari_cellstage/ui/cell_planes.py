"""From one value a cell to one value a pixel, plane by plane: what the overlays' arrays are filled with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.core.volumes import LabelVolume
from napari_cellstage.ui.label_tiles import LabelTiles
from napari_cellstage.ui.pattern import NO_CODE, Mask, Pattern, inner_outline

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

    def __init__(self, labels: Labels | LabelVolume, cells: CellTable) -> None:
        self.labels = labels if isinstance(labels, LabelVolume) else LabelVolume.of(labels)
        self.cells = cells
        self.tiles = LabelTiles(self.labels)
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
        keys = self._keys_of(self.labels[t, z], frame)
        out = np.empty(keys.shape, dtype=codes.dtype) if out is None else out
        _fill(out, keys, self._table(codes, frame), pattern, self._masks(t, z, pattern), (0, 0))
        return out

    def draw_part(
        self, codes: NDArray[Any], pattern: Pattern, level: int, t: int, z: int, rows: slice, columns: slice
    ) -> NDArray[Any]:
        """Return a part of one plane in a coarser resolution, as `draw` does; nothing else of the labels is read.

        Parameters
        ----------
        codes
            ``(N,)``, one a row of the cell table.
        pattern
            Which pixels of a cell show its code, at full resolution.
        level
            Every ``2 ** level``-th pixel is drawn.
        t, z, rows, columns
            Which plane, and which part of that level.
        """
        frame, shown = self._frame(t), pattern.at_level(level, self.cells.typical_diameter)
        table = self._table(codes, frame)
        if pattern.width and not shown.width and pattern.thin != NO_CODE:
            table[table == pattern.thin] = NO_CODE  # thousands of tiny faint cells would be a veil over the image
        tile = self.tiles.tile(level, t, z, rows, columns)
        masks = (tile.outline(shown.width), tile.outline(1)) if shown.width else (None, None)
        out = np.empty(tile.labels.shape, dtype=codes.dtype)
        _fill(out, self._keys_of(tile.labels, frame), table, shown, masks, (rows.start, columns.start))
        return out

    def _table(self, codes: NDArray[Any], frame: _Frame) -> NDArray[Any]:
        table = np.zeros(frame.size, dtype=codes.dtype)
        table[frame.keys] = codes[frame.rows]
        return table

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
        inside = self.labels[(t, z, *box)] == self.cells.cell_id[row]
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

    def _keys_of(self, plane: NDArray[np.integer[Any]], frame: _Frame) -> NDArray[np.integer[Any]]:
        if frame.ids is None:
            return plane
        places = np.minimum(np.searchsorted(frame.ids, plane), len(frame.ids) - 1)
        return np.where(frame.ids[places] == plane, places + 1, 0)


def _fill(
    out: NDArray[Any],
    keys: NDArray[np.integer[Any]],
    table: NDArray[Any],
    pattern: Pattern,
    masks: tuple[Mask | None, Mask | None],
    corner: tuple[int, int],
) -> None:
    band, edge = masks
    for first in range(0, len(keys), ROWS_AT_ONCE):
        some = slice(first, first + ROWS_AT_ONCE)
        np.take(table, keys[some], out=out[some], mode="clip")
        pattern.apply(out[some], _part(band, some), _part(edge, some), corner[0] + first, corner[1])


def _part(mask: Mask | None, where: Any) -> Mask | None:
    return None if mask is None else mask[where]
