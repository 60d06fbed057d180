"""Parts of a label volume as they are on the screen, read once for all overlays. Numpy only."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.volumes import LabelVolume
from napari_cellstage.ui.pattern import Mask, inner_outline

KEPT = 4
MARGIN = 8  # pixels around a part, so that outlines at its edge are those of the whole


class Tile:
    """A part of one plane of a level.

    Parameters
    ----------
    around
        ``(h + top + bottom, w + left + right)`` labels, with some more pixels around where there are any.
    inner
        Rows and columns of the part itself in that.
    """

    def __init__(self, around: NDArray[np.integer], inner: tuple[slice, slice]) -> None:
        self._around = around
        self._inner = inner
        self._outlines: dict[int, Mask] = {}

    @property
    def labels(self) -> NDArray[np.integer]:
        """``(h, w)``."""
        return self._around[self._inner]

    def outline(self, width: int) -> Mask:
        """Return ``(h, w)``: pixels within `width` pixels of another label."""
        if width not in self._outlines:
            self._outlines[width] = inner_outline(self._around, width)[self._inner]
        return self._outlines[width]


class LabelTiles:
    """The last few tiles of a volume.

    Parameters
    ----------
    volume
        Read tile by tile.
    """

    def __init__(self, volume: LabelVolume) -> None:
        self._volume = volume
        self._kept: OrderedDict[tuple[int, ...], Tile] = OrderedDict()

    def tile(self, level: int, t: int, z: int, rows: slice, columns: slice) -> Tile:
        """Return a part of a plane of a level; read when it is not one of the last few."""
        key = (level, t, z, rows.start, rows.stop, columns.start, columns.stop)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        height, width = self._volume.level(level).shape[2:]
        wide_rows, inner_rows = _wider(rows, height)
        wide_columns, inner_columns = _wider(columns, width)
        around = self._volume.read((t, z, wide_rows, wide_columns), level)
        tile = self._kept[key] = Tile(around, (inner_rows, inner_columns))
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return tile


def _wider(part: slice, length: int) -> tuple[slice, slice]:
    wide = slice(max(0, part.start - MARGIN), min(length, part.stop + MARGIN))
    return wide, slice(part.start - wide.start, part.stop - wide.start)
