"""Label volumes: which cell each pixel belongs to, in memory or on disk, painted without touching what was there.

What is on disk may be larger than memory, so a volume is read box by box. Painting keeps copies of the tiles that
it changes in memory; a frozen volume shares all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cellstage.core.boxes import Ranges, part_within, ranges_of, taken
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.label_files import LabelFiles

if TYPE_CHECKING:
    from napari_cellstage.core.cells import CellTable

_TILE = 512
_COARSEST = 2048
Tiles = dict[tuple[int, int], NDArray[Any]]


class LabelVolume:
    """Which cell each pixel belongs to; 0 is background.

    Parameters
    ----------
    base
        ``(T, Z, Y, X)`` integers, in memory or on disk. They are never changed.

    Notes
    -----
    Indexing with whole numbers, slices and ``...`` reads that part now. What is not painted and in memory comes as a
    view that can't be written to.
    """

    def __init__(self, base: NDArray[Any] | LabelFiles) -> None:
        self._base = base
        self._tiles: dict[tuple[int, int], Tiles] = {}
        self.dtype: np.dtype[Any] = np.dtype(base.dtype)
        # Its cells, when whoever made it has measured them on the way; `CellTable.from_labels` then reads no pixel.
        self.cells: CellTable | None = None
        # What must live as long as it does, such as a temporary folder.
        self.keep: object = None

    @classmethod
    def blank(cls, shape: tuple[int, ...], dtype: Any = np.int32) -> Self:
        """Return a volume in memory that is all background; fill it with `put`, then call `finish`."""
        return cls(np.zeros(shape, dtype=dtype))

    @classmethod
    def of(cls, array: ArrayLike) -> Self:
        """Wrap integers in memory, without a copy.

        Raises
        ------
        CellsError
            If there are not four axes, or the values are no integers.
        """
        values = np.asarray(array)
        if values.ndim != 4 or values.dtype.kind not in "iu":
            raise CellsError(
                f"Labels of shape {values.shape} and type {values.dtype} were given, but integers with four axes "
                "T, Z, Y, X are needed. Pass them through adopt_labels first."
            )
        view = values.astype(np.int64) if values.dtype == np.uint64 else values.view()
        view.flags.writeable = False
        return cls(view)

    @classmethod
    def open(cls, folder: Path | str) -> Self:
        """Open a volume on disk; its pixels are read as they are asked for.

        Raises
        ------
        CellsError
            If there is none, or it can't be read.
        """
        return cls(LabelFiles.open(Path(folder)))

    @classmethod
    def create(cls, folder: Path | str, shape: tuple[int, ...], dtype: Any = np.int32) -> Self:
        """Make a volume on disk that is all background; fill it with `put`, then call `finish`."""
        return cls(LabelFiles.create(Path(folder), shape, np.dtype(dtype), levels_of(shape)))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """T, Z, Y, X."""
        return self._base.shape  # type: ignore[return-value]

    @property
    def ndim(self) -> int:
        """Always 4."""
        return 4

    @property
    def size(self) -> int:
        """Number of pixels."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """Bytes it would need in memory as a whole."""
        return self.size * self.dtype.itemsize

    @property
    def on_disk(self) -> bool:
        """True when its pixels are read from a folder."""
        return isinstance(self._base, LabelFiles)

    @property
    def painted(self) -> bool:
        """True when something was painted that is in memory only."""
        return any(self._tiles.values())

    @property
    def folder(self) -> Path | None:
        """Where it is on disk, None in memory."""
        return self._base.folder if isinstance(self._base, LabelFiles) else None

    @property
    def n_levels(self) -> int:
        """How many levels there are, each half as high and wide as the one before; the last fits a screen."""
        return levels_of(self.shape)

    def level(self, number: int) -> LabelLevel:
        """Return a coarser view: every ``2 ** number``-th pixel in y and x, read as it is asked for."""
        return LabelLevel(self, number)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        return self.read(index, 0)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values = np.asarray(self[...], dtype=dtype)
        return values.copy() if copy and values.base is not None else values

    def read(self, index: Any, level: int) -> Any:
        """Return a part of a level, as basic indexing of numpy does."""
        ranges, whole = ranges_of(index, _shape_at(self.shape, level))
        if isinstance(self._base, LabelFiles):
            values = self._base.read(ranges, level)
        else:
            step = 2**level
            values = taken(self._base[:, :, ::step, ::step], ranges)
        values = self._with_paint(values.astype(self.dtype, copy=False), ranges, level)
        part = values[tuple(slice(None) if kept else 0 for kept in whole)]
        return part if any(whole) else self.dtype.type(part)

    def blocks(self, side: int = 2048) -> Iterator[tuple[int, int, slice, slice]]:
        """Yield t, z, rows and columns of squares that cover every plane once, plane by plane."""
        return blocks_of(self.shape, side)

    def paint(self, t: int, corner: tuple[int, int, int], values: ArrayLike) -> None:
        """Write a box, in memory only; what is on disk and what was frozen stay as they were.

        Parameters
        ----------
        t
            Time point.
        corner
            z, y, x of the first pixel.
        values
            ``(dz, dy, dx)`` integers, 0 for background.

        Raises
        ------
        CellsError
            If the box reaches over the edge.
        """
        box = np.asarray(values)
        self._check_box(t, corner, box)
        self._widen(box)
        self.cells = None
        for layer, plane in enumerate(box):
            self._paint_plane(t, corner[0] + layer, corner[1], corner[2], plane)

    def put(self, t: int, corner: tuple[int, int, int], values: NDArray[Any]) -> None:
        """Write a box to a volume that `create` or `blank` made. On disk, whole chunks of 1024 pixels are fastest."""
        self._check_box(t, corner, values)
        if isinstance(self._base, LabelFiles):
            self._base.write(t, corner, values)
        else:
            (z, y, x), (depth, height, width) = corner, values.shape
            self._base[t, z : z + depth, y : y + height, x : x + width] = values

    def finish(self) -> None:
        """End filling it with `put`: make the coarser levels."""
        if isinstance(self._base, LabelFiles):
            self._base.finish()
        else:
            self._base.flags.writeable = False

    def write(self, folder: Path) -> LabelVolume:
        """Write it, paint and all, to a folder that is there whole or not at all; return the volume there."""
        LabelFiles.write_whole(folder, self, levels_of(self.shape))
        written = type(self).open(folder)
        written.cells = self.cells
        return written

    def frozen(self) -> LabelVolume:
        """Return a volume that later paint does not change; nothing is copied."""
        same = LabelVolume(self._base)
        same.dtype, same.cells, same.keep = self.dtype, self.cells, self.keep
        same._tiles = {plane: dict(tiles) for plane, tiles in self._tiles.items()}
        return same

    def _check_box(self, t: int, corner: tuple[int, int, int], box: NDArray[Any]) -> None:
        ends = tuple(a + n for a, n in zip(corner, box.shape, strict=False))
        inside = box.ndim == 3 and min(corner) >= 0 and all(a <= n for a, n in zip(ends, self.shape[1:], strict=True))
        if not inside or not 0 <= t < self.shape[0]:
            raise CellsError(
                f"A box of shape {box.shape} at t = {t}, z, y, x = {corner} does not fit into labels of shape "
                f"{self.shape}. Paint inside the image."
            )

    def _widen(self, values: NDArray[Any]) -> None:
        """Take a wider type when these values need one: an 8-bit volume has no number left for its 256th cell."""
        highest = int(values.max(initial=0))
        for wide in (self.dtype, np.dtype(np.int32), np.dtype(np.int64)):
            if highest <= np.iinfo(wide).max:
                self.dtype = np.promote_types(self.dtype, wide)
                return

    def _paint_plane(self, t: int, z: int, top: int, left: int, values: NDArray[Any]) -> None:
        bottom, right = top + values.shape[0], left + values.shape[1]
        tiles = self._tiles.setdefault((t, z), {})
        for row, column in product(_tiles_in(top, bottom), _tiles_in(left, right)):
            y, x = row * _TILE, column * _TILE
            tile = np.array(self[t, z, y : y + _TILE, x : x + _TILE])  # a copy: the old one may be frozen elsewhere
            rows = slice(max(top, y), min(bottom, y + _TILE))
            columns = slice(max(left, x), min(right, x + _TILE))
            new = values[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
            tile[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x] = new
            tiles[row, column] = tile

    def _with_paint(self, values: NDArray[Any], ranges: Ranges, level: int) -> NDArray[Any]:
        copied = False
        step = 2**level
        for place in product(range(len(ranges[0])), range(len(ranges[1]))):
            tiles = self._tiles.get((ranges[0][place[0]], ranges[1][place[1]]), {})
            for row, column in _painted(tiles, ranges, step):
                tile = tiles[row, column]
                into_rows, rows = part_within(ranges[2], step, row * _TILE, tile.shape[0])
                into_columns, columns = part_within(ranges[3], step, column * _TILE, tile.shape[1])
                values = values if copied else np.array(values)
                copied = True
                values[(*place, into_rows, into_columns)] = tile[rows, columns]
        return values


class LabelLevel:
    """One level of a `LabelVolume`, with as much of an array as napari and `blocks` ask for."""

    def __init__(self, volume: LabelVolume, number: int) -> None:
        self._volume = volume
        self._number = number
        self.shape = _shape_at(volume.shape, number)
        self.ndim = 4

    @property
    def dtype(self) -> np.dtype[Any]:
        """As of the volume."""
        return self._volume.dtype

    def __getitem__(self, index: Any) -> Any:
        return self._volume.read(index, self._number)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)


def blocks_of(shape: tuple[int, ...], side: int = 2048) -> Iterator[tuple[int, int, slice, slice]]:
    """Yield t, z, rows and columns of squares that cover every plane of a shape T, Z, Y, X once, plane by plane."""
    frames, depth, height, width = shape
    for t, z, top, left in product(range(frames), range(depth), range(0, height, side), range(0, width, side)):
        yield t, z, slice(top, min(top + side, height)), slice(left, min(left + side, width))


def levels_of(shape: tuple[int, ...]) -> int:
    """Return how many levels a volume of this shape has: one when its planes fit a screen."""
    levels, side = 1, max(shape[-2:])
    while side > _COARSEST:
        side = -(-side // 2)
        levels += 1
    return levels


def _shape_at(shape: tuple[int, ...], level: int) -> tuple[int, int, int, int]:
    frames, depth, height, width = shape
    return frames, depth, -(-height // 2**level), -(-width // 2**level)


def _tiles_in(start: int, stop: int) -> range:
    return range(start // _TILE, -(-stop // _TILE))


def _painted(tiles: Tiles, ranges: Ranges, step: int) -> list[tuple[int, int]]:
    """Return the painted tiles that a part may reach into."""
    if not tiles or not len(ranges[2]) or not len(ranges[3]):
        return []
    (top, bottom), (left, right) = ((min(r) * step // _TILE, max(r) * step // _TILE) for r in ranges[2:])
    return [(row, column) for row, column in tiles if top <= row <= bottom and left <= column <= right]
