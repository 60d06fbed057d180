"""Overlays as arrays that napari slices: stacks plane by plane, and what is larger than a screen in resolutions."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.volumes import LabelVolume
from napari_cellstage.ui.cell_planes import CellPlanes
from napari_cellstage.ui.lazy_planes import LazyPlanes
from napari_cellstage.ui.pattern import Pattern

# Planes up to this are drawn as a whole and repainted cell by cell, which is fastest.
LARGEST_SIDE, LARGEST_PIXELS = 8192, 1 << 26


def in_levels(shape: tuple[int, ...]) -> bool:
    """Return whether an image ``(…, Y, X)`` is so large that napari is to show it in resolutions."""
    height, width = shape[-2:]
    return max(height, width) > LARGEST_SIDE or height * width > LARGEST_PIXELS


def shown_labels(volume: LabelVolume, axes: tuple[int, ...]) -> Any:
    """Return what napari slices of a label volume, with some of the axes T, Z, Y, X (0 to 3).

    An array as it is where it is in memory, resolutions of it where it is large.
    """
    large = in_levels(volume.shape)
    if not large and not volume.on_disk:
        return volume[tuple(slice(None) if axis in axes else 0 for axis in range(4))]

    def read(level: int, t: int, z: int, rows: slice, columns: slice) -> NDArray[Any]:
        return np.asarray(volume.read((t, z, rows, columns), level))

    levels = [
        LazyPlanes(volume.level(level).shape, axes, lambda: volume.dtype, partial(read, level))
        for level in range(volume.n_levels if large else 1)
    ]
    return levels if large else levels[0]


class CodeLevels:
    """An overlay's codes in the resolutions of the labels, computed where napari looks.

    Parameters
    ----------
    planes
        Where the cells are.
    codes
        ``(N,)``, one a cell; may be replaced, then napari is to slice again.
    axes
        Which of T, Z, Y, X (0 to 3) the arrays have.
    pattern
        Which pixels of a cell show its code; may be replaced as well.
    """

    def __init__(self, planes: CellPlanes, codes: NDArray[Any], axes: tuple[int, ...], pattern: Pattern) -> None:
        self.planes = planes
        self.codes = codes
        self.pattern = pattern
        volume = planes.labels
        self.levels = [
            LazyPlanes(volume.level(level).shape, axes, lambda: self.codes.dtype, partial(self._read, level))
            for level in range(volume.n_levels)
        ]

    def _read(self, level: int, t: int, z: int, rows: slice, columns: slice) -> NDArray[Any]:
        return self.planes.draw_part(self.codes, self.pattern, level, t, z, rows, columns)


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
