"""The pixels of a contact sheet: a grid of tiles as one lazy array, read block by block from the pictures' files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.boxes import Ranges, part_within, slice_of
from napari_cellstage.core.pictures import fitted
from napari_cellstage.core.reading.planes import Planes

PictureOf = Callable[[int], NDArray[Any] | str]
_BLOCK = 512  # pixels, about: tiles are read this many at a time
_KEPT_BYTES = 2**28  # of blocks that were read, so that moving about reads no file twice


@dataclass(frozen=True, eq=False)
class Grid:
    """Where tiles lie.

    Parameters
    ----------
    tile
        Side of each, in pixels.
    columns
        Tiles a row.
    places
        ``(N,)`` int64; place of each cell, row by row from the top left.
    """

    tile: int
    columns: int
    places: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """Rows of tiles."""
        return int(self.places.max(initial=0)) // self.columns + 1

    @property
    def shape(self) -> tuple[int, int]:
        """Y, X of the whole sheet."""
        return self.rows * self.tile, self.columns * self.tile

    @property
    def cell_at(self) -> NDArray[np.int64]:
        """``(rows, columns)``; which cell lies there, from 0, and -1 for none."""
        cells = np.full(self.rows * self.columns, -1, dtype=np.int64)
        cells[self.places] = np.arange(len(self.places))
        return cells.reshape(self.rows, self.columns)

    def labels(self) -> NDArray[np.int32]:
        """Return ``(Y, X)`` with each cell's number, from 1; a thin edge of each tile is background.

        The edge is as wide on all sides, so that the middle of a cell is the middle of its picture.
        """
        edge = max(1, self.tile // 32) if self.tile > 2 else 0
        inside = np.zeros((self.tile, self.tile), dtype=np.int32)
        inside[edge : self.tile - edge, edge : self.tile - edge] = 1
        return np.kron((self.cell_at + 1).astype(np.int32), inside)


class SheetPixels:
    """The pictures of a sheet, each as a square tile.

    Parameters
    ----------
    picture_of
        Gives ``(C, H, W)`` of a cell, from 0, or why there is none.
    tile
        Side of the squares.
    dtype, fill
        Type of the pixels, and one value a channel for where there is no picture.
    """

    def __init__(self, picture_of: PictureOf, tile: int, dtype: np.dtype[Any], fill: tuple[float, ...]) -> None:
        self._picture_of, self._tile = picture_of, tile
        self.dtype = dtype
        self.empty = np.broadcast_to(np.array(fill, dtype=dtype)[:, None, None], (len(fill), tile, tile))

    def tile(self, cell: int) -> NDArray[Any]:
        """Return ``(C, tile, tile)`` of a cell, -1 for an empty tile; empty as well when its file is gone."""
        if cell < 0:
            return self.empty
        picture = self._picture_of(cell)
        if isinstance(picture, str) or picture.shape[0] not in (1, len(self.empty)):
            return self.empty
        return fitted(picture, self._tile, self._tile).astype(self.dtype, copy=False)


class Mosaic(Planes):
    """The sheet as an image, read in blocks of tiles.

    Parameters
    ----------
    pixels
        Its tiles.
    grid
        Where they lie.
    """

    def __init__(self, pixels: SheetPixels, grid: Grid) -> None:
        count = len(pixels.empty)
        self._pixels, self._grid, self._cell_at = pixels, grid, grid.cell_at
        self._side = max(1, _BLOCK // grid.tile)
        edge = self._side * grid.tile
        super().__init__((1, count, 1, *grid.shape), pixels.dtype, (1, count, 1, edge, edge))
        kept = max(1, _KEPT_BYTES // (count * edge**2 * pixels.dtype.itemsize))
        self._kept = lru_cache(maxsize=kept)(self._block)

    def read(self, ranges: Ranges) -> NDArray[Any]:
        """Read the blocks that places lie in, and put them together."""
        _frames, channels, _planes, rows, columns = ranges
        made = np.empty((len(channels), len(rows), len(columns)), dtype=self.dtype)
        for row, column in product(self._over(rows), self._over(columns)):
            block = self._kept(row, column)[slice_of(channels)]
            into_y, of_y = part_within(rows, 1, row * self.chunks[3], block.shape[1])
            into_x, of_x = part_within(columns, 1, column * self.chunks[4], block.shape[2])
            made[:, into_y, into_x] = block[:, of_y, of_x]
        return made[None, :, None]

    def _over(self, places: range) -> range:
        """Return the blocks that places lie in, along y or x: blocks are square."""
        return range(min(places) // self.chunks[3], max(places) // self.chunks[3] + 1)

    def _block(self, row: int, column: int) -> NDArray[Any]:
        side, tile = self._side, self._grid.tile
        part = self._cell_at[row * side : (row + 1) * side, column * side : (column + 1) * side]
        tiles = np.empty((len(self._pixels.empty), part.shape[0], tile, part.shape[1], tile), dtype=self.dtype)
        for y, x in np.ndindex(*part.shape):
            tiles[:, y, :, x] = self._pixels.tile(int(part[y, x]))
        return tiles.reshape(len(tiles), part.shape[0] * tile, part.shape[1] * tile)
