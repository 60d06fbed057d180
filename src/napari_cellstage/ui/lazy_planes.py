"""Arrays that napari slices and that are read, or drawn, only where it looks. Numpy only, no napari, no Qt.

Of data in several resolutions napari first cuts out what is on the screen, all time points and planes of it, and then
asks for one of them. So cutting must cost nothing, and only a single plane is ever read.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.boxes import ranges_of, slice_of

Read = Callable[[int, int, slice, slice], NDArray[Any]]


class LazyPlanes:
    """Some of the axes T, Z, Y, X of a volume.

    Parameters
    ----------
    shape
        ``(T, Z, Y, X)`` of the volume.
    axes
        Which of them (0 to 3) the array has; Y and X always, the others have length 1.
    dtype
        Returns the type of what is read now.
    read
        Returns ``(h, w)`` for t, z, rows and columns; ``(h, w, colours)`` where there are colours.
    colours
        Length of one more axis at the end, which is always read as a whole; 0: there is none.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        axes: tuple[int, ...],
        dtype: Callable[[], np.dtype[Any]],
        read: Read,
        colours: int = 0,
    ) -> None:
        self._dtype = dtype
        self._read = read
        self._last = (colours,) if colours else ()
        self._axes = axes
        self._window = tuple(range(length) for length in shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return (*(len(self._window[axis]) for axis in self._axes), *self._last)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._axes) + len(self._last)

    @property
    def size(self) -> int:
        """Number of pixels."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the pixels."""
        return self._dtype()

    def __getitem__(self, index: Any) -> Any:
        ranges, whole = ranges_of(index, self.shape)
        window = list(self._window)
        for axis, places in zip(self._axes, ranges, strict=False):
            window[axis] = window[axis][slice_of(places)]
        axes = tuple(axis for axis, kept in zip(self._axes, whole, strict=False) if kept)
        part = LazyPlanes((), axes, self._dtype, self._read, *self._last)
        part._window = tuple(window)
        if self._last and (ranges[-1], whole[-1]) != (range(*self._last), True):
            return np.asarray(part)[..., slice_of(ranges[-1]) if whole[-1] else ranges[-1].start]
        return part if {0, 1} & set(axes) else np.asarray(part)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        frames, planes, rows, columns = self._window
        stacked = np.zeros((len(frames), len(planes), len(rows), len(columns), *self._last), dtype=self.dtype)
        for (i, t), (j, z) in product(enumerate(frames), enumerate(planes)):
            stacked[i, j] = self._part(t, z, rows, columns)
        kept = tuple(slice(None) if axis in self._axes else 0 for axis in range(4))
        return np.asarray(stacked[kept], dtype=dtype)

    def _part(self, t: int, z: int, rows: range, columns: range) -> NDArray[Any]:
        if not rows or not columns:
            return np.zeros((len(rows), len(columns), *self._last), dtype=self.dtype)
        spans = [slice(min(places), max(places) + 1) for places in (rows, columns)]
        return self._read(t, z, *spans)[:: rows.step, :: columns.step]
