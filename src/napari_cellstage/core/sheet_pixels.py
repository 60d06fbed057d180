"""The pixels of a contact sheet: a grid of tiles as one lazy array, read block by block from the pictures' files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.pictures import fitted

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


def mosaic(pixels: SheetPixels, grid: Grid) -> Any:
    """Return the sheet as a dask array ``(C, Y, X)``."""
    import dask.array as da  # slow to load

    side = max(1, _BLOCK // grid.tile)
    cell_at = grid.cell_at
    channels = len(pixels.empty)
    block_bytes = channels * (side * grid.tile) ** 2 * pixels.dtype.itemsize

    @lru_cache(maxsize=max(1, _KEPT_BYTES // block_bytes))
    def block(row: int, column: int) -> NDArray[Any]:
        part = cell_at[row * side : (row + 1) * side, column * side : (column + 1) * side]
        tiles = np.empty((channels, part.shape[0], grid.tile, part.shape[1], grid.tile), dtype=pixels.dtype)
        for y, x in np.ndindex(*part.shape):
            tiles[:, y, :, x] = pixels.tile(int(part[y, x]))
        return tiles.reshape(channels, part.shape[0] * grid.tile, part.shape[1] * grid.tile)

    def read(block_id: tuple[int, ...] = (0, 0, 0)) -> NDArray[Any]:
        return block(block_id[1], block_id[2])

    chunks = ((channels,), *(_chunks(count, side, grid.tile) for count in cell_at.shape))
    meta = np.empty((0, 0, 0), dtype=pixels.dtype)
    return da.map_blocks(read, chunks=chunks, dtype=pixels.dtype, meta=meta)  # type: ignore[no-untyped-call]


def _chunks(tiles: int, side: int, pixels: int) -> tuple[int, ...]:
    return tuple(min(side, tiles - start) * pixels for start in range(0, tiles, side))
