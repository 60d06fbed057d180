"""Images as ``(T, C, Z, Y, X)`` that are read where they are indexed, without dask, which takes seconds to load."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.boxes import Ranges, ranges_of, slice_of, taken
from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.reading.axes import in_order

if TYPE_CHECKING:
    import dask.array as da


class Planes:
    """An image, or one level of it, in the order T, C, Z, Y, X. Indexing by numbers and slices reads now.

    Parameters
    ----------
    shape
        ``(T, C, Z, Y, X)``.
    dtype
        Of the pixels.
    chunks
        Shape of the pieces that are read at once, whatever part of them is wanted.
    """

    ndim = 5

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: tuple[int, ...]) -> None:
        self.shape: tuple[int, int, int, int, int] = tuple(int(n) for n in shape)  # type: ignore[assignment]
        self.dtype, self.chunks = dtype, chunks

    @property
    def size(self) -> int:
        """Number of pixels."""
        return int(np.prod(self.shape, dtype=np.int64))

    @cached_property
    def dask(self) -> da.Array:
        """The same as a dask array, for scripts that compute with whole images."""
        import dask.array as da

        made: da.Array = da.from_array(self, chunks=self.chunks, asarray=False, fancy=False)  # type: ignore[no-untyped-call]
        return made

    def __getitem__(self, index: Any) -> NDArray[Any]:
        ranges, whole = ranges_of(index, self.shape)
        if not all(ranges):
            return np.empty([len(one) for one, kept in zip(ranges, whole, strict=True) if kept], dtype=self.dtype)
        return self.read(ranges)[tuple(slice(None) if kept else 0 for kept in whole)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype=dtype)

    def dtype_of(self, channels: Iterable[int]) -> np.dtype[Any]:  # noqa: ARG002 - for planes of several kinds
        """Return the type of these channels; they may differ where some of them are predicted."""
        return self.dtype

    def identity(self, channels: Iterable[int]) -> str:  # noqa: ARG002 - as above
        """Return what tells the pixels of these channels from those of the file; empty where they are the file's."""
        return ""

    def read(self, ranges: Ranges) -> NDArray[Any]:
        """Return the pixels at places along each of the five axes; there is at least one along each."""
        raise NotImplementedError

    def plane(self, t: int, z: int, channels: tuple[int, ...], rows: slice, columns: slice) -> NDArray[Any]:
        """Return ``(C, h, w)``; channels that lie together in the file are read at once."""
        if self.chunks[1] > 1:
            first = min(channels)
            parts = self[t, first : max(channels) + 1, z, rows, columns]
            return parts[[channel - first for channel in channels]]
        return np.stack([self[t, channel, z, rows, columns] for channel in channels])


class MemoryPlanes(Planes):
    """An array in memory; what is read of it are views.

    Parameters
    ----------
    array
        ``(T, C, Z, Y, X)``.
    """

    def __init__(self, array: NDArray[Any]) -> None:
        super().__init__(array.shape, array.dtype, (1, 1, 1, *array.shape[3:]))
        self._array = array

    def read(self, ranges: Ranges) -> NDArray[Any]:
        """Return a view."""
        return taken(self._array, ranges)


class DaskPlanes(Planes):
    """A dask array that somebody gave.

    Parameters
    ----------
    array
        ``(T, C, Z, Y, X)``.
    name
        Of the image, for errors.
    """

    def __init__(self, array: da.Array, name: str) -> None:
        super().__init__(array.shape, array.dtype, tuple(int(n) for n in array.chunksize))
        self._array, self._name = array, name

    @cached_property
    def dask(self) -> da.Array:
        """The array that was given."""
        return self._array

    def read(self, ranges: Ranges) -> NDArray[Any]:
        """Compute a part.

        Raises
        ------
        ImageError
            If that fails.
        """
        from dask.threaded import get  # by name dask would load its client for clusters first, which takes 2 seconds

        part = self._array[tuple(slice_of(one) for one in ranges)]
        try:
            return np.asarray(part.compute(scheduler=get))
        except ImageError:
            raise
        except Exception as error:  # a reader raises whatever its decoder does: struct, zlib, value, system errors
            from napari_cellstage.core.reading.pixels import lost

            raise lost(self._name, error) from error


class Thinned(Planes):
    """Every second row and column of an image.

    Parameters
    ----------
    whole
        The image.
    """

    def __init__(self, whole: Planes) -> None:
        frames, channels, depth, height, width = whole.shape
        shape = (frames, channels, depth, -(-height // 2), -(-width // 2))
        super().__init__(shape, whole.dtype, whole.chunks)
        self._whole = whole

    def read(self, ranges: Ranges) -> NDArray[Any]:
        """Read the image there."""
        fine = (range(0, n, 2)[slice_of(one)] for n, one in zip(self._whole.shape[3:], ranges[3:], strict=True))
        return self._whole.read((*ranges[:3], *fine))


def planes_of(array: Any, axes: str, name: str) -> tuple[Planes, bool]:
    """Return an array with these axes as planes, and whether its channels are red, green and blue.

    Parameters
    ----------
    array
        `Planes`, a dask array, which stays lazy, or anything that numpy can hold.
    axes
        One letter an axis, of T, C, Z, Y, X and S.
    name
        Of the image, for errors.
    """
    if isinstance(array, Planes):
        return array, False
    if is_dask(array):
        ordered, rgb = in_order(array, axes)
        return DaskPlanes(ordered, name), rgb
    ordered, rgb = in_order(np.asarray(array), axes)
    return MemoryPlanes(ordered), rgb


def is_dask(array: Any) -> bool:
    """Return whether an array is dask's, without loading dask to know it."""
    return type(array).__module__.startswith("dask.") and hasattr(array, "compute")
