"""Parts of planes, read tile by tile and kept for a while: what cutting crops asks for, from images of any size.

Cells come in order of the tiles they lie in, and a window may reach into the tiles around; so each chunk on disk is
read once as long as a row of tiles is remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import Labels
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.volumes import LabelVolume

WHOLE_BYTES = 64 << 20  # planes up to this size are read in one piece
KEPT_BYTES = 256 << 20
LEAST_SIDE = 512  # pixels; smaller chunks are read several at a time
Read = Callable[[int, int, slice, slice], NDArray[Any]]


class PlaneReader:
    """Reads parts of planes; made by `of_stack` or `of_labels`.

    Parameters
    ----------
    read
        Returns ``(C, h, w)`` of a time point, plane, rows and columns.
    shape
        ``(C, Z, Y, X)``; C is how many channels `read` gives.
    dtype
        Of the pixels.
    edges
        Where tiles end, in y and in x; each from 0 to the length.
    tile
        Side of the tiles of a contact sheet, over which no window looks; 0: none.
    kept_bytes
        How much is remembered; 0 where reading costs nothing.
    """

    def __init__(
        self,
        read: Read,
        shape: tuple[int, int, int, int],
        dtype: np.dtype[Any],
        edges: tuple[NDArray[np.intp], NDArray[np.intp]],
        tile: int = 0,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self.shape, self.dtype, self.tile = shape, dtype, tile
        self._read, self._edges, self._kept_bytes = read, edges, kept_bytes
        self._kept: OrderedDict[tuple[int, int, int, int], NDArray[Any]] = OrderedDict()
        self._bytes = 0

    @classmethod
    def of_stack(cls, stack: ImageStack, channels: tuple[int, ...]) -> PlaneReader:
        """Read these channels of an image."""

        def read(t: int, z: int, rows: slice, columns: slice) -> NDArray[Any]:
            return stack.region(t, z, channels, rows, columns)

        shape = (len(channels), *stack.shape[2:])
        dtype = stack.pixels.dtype_of(channels)
        small = shape[0] * shape[2] * shape[3] * dtype.itemsize <= WHOLE_BYTES
        _, _, _, high, wide = stack.pixels.chunks
        edges = _whole(shape) if small else (_regular(shape[2], high), _regular(shape[3], wide))
        return cls(read, shape, dtype, edges, stack.tile)

    @classmethod
    def of_labels(cls, labels: Labels | LabelVolume) -> PlaneReader:
        """Read a label volume, as one channel."""

        def read(t: int, z: int, rows: slice, columns: slice) -> NDArray[Any]:
            return np.asarray(labels[t, z, rows, columns])[None]

        shape = (1, *labels.shape[1:])
        dtype = np.dtype(labels.dtype)
        in_memory = not getattr(labels, "on_disk", False)
        small = in_memory or shape[2] * shape[3] * dtype.itemsize <= WHOLE_BYTES
        edges = _whole(shape) if small else (_regular(shape[2]), _regular(shape[3]))
        return cls(read, shape, dtype, edges, kept_bytes=0 if in_memory else KEPT_BYTES)

    def place(self, y: NDArray[np.intp], x: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return the number of the tile each pixel lies in, row by row of tiles."""
        rows, columns = (np.searchsorted(e, p, side="right") - 1 for e, p in zip(self._edges, (y, x), strict=True))
        return np.asarray(rows * len(self._edges[1]) + columns, dtype=np.int64)

    def region(self, t: int, z: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Return ``(C, h, w)`` of a part of a plane; it must not be written to."""
        across = list(product(_over(self._edges[0], rows), _over(self._edges[1], columns)))
        if len(across) == 1:
            tile, top, left = self._tile(t, z, *across[0])
            return tile[:, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        made = np.empty((self.shape[0], rows.stop - rows.start, columns.stop - columns.start), dtype=self.dtype)
        for row, column in across:
            tile, top, left = self._tile(t, z, row, column)
            low, high = max(rows.start, top), min(rows.stop, top + tile.shape[1])
            start, stop = max(columns.start, left), min(columns.stop, left + tile.shape[2])
            part = tile[:, low - top : high - top, start - left : stop - left]
            made[:, low - rows.start : high - rows.start, start - columns.start : stop - columns.start] = part
        return made

    def _tile(self, t: int, z: int, row: int, column: int) -> tuple[NDArray[Any], int, int]:
        """Return a tile, and where it begins."""
        (top, bottom), (left, right) = (self._edges[axis][i : i + 2].tolist() for axis, i in enumerate((row, column)))
        key = (t, z, row, column)
        found = self._kept.pop(key, None)
        if found is None:
            found = self._read(t, z, slice(top, bottom), slice(left, right))
            self._bytes += found.nbytes
        self._kept[key] = found
        while self._bytes > self._kept_bytes and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return found, top, left


def _whole(shape: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.array([0, shape[2]]), np.array([0, shape[3]])


def _regular(length: int, chunk: int = 2 * LEAST_SIDE) -> NDArray[np.intp]:
    """Return where tiles end that are made of whole chunks, each tile of `LEAST_SIDE` pixels or more."""
    side = chunk * -(-LEAST_SIDE // chunk)
    return np.array([*range(0, length, side), length])


def _over(edges: NDArray[np.intp], part: slice) -> range:
    """Return the tiles that a part lies over."""
    first = int(np.searchsorted(edges, part.start, side="right")) - 1
    return range(first, int(np.searchsorted(edges, part.stop, side="left")))
