"""Pixels that are read from a file when they are asked for, whatever the format."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_cellstage.core.errors import ImageError

if TYPE_CHECKING:
    import dask.array as da

T = TypeVar("T")
Index = tuple[int | slice, ...]
_CHUNK_BYTES = 64 << 20
_CHUNK_SIDE = 1024
_FREE_SIDE = 2048
_OPEN_FILES = 8


class Pixels:
    """An array in a file.

    Parameters
    ----------
    name
        Of the file, for errors.
    token
        Differs for every other file, scene, level and version: dask and napari keep what they have read under it.
    shape, dtype
        Of the array.
    read
        Returns the part at a basic index, one whole number or slice an axis. Called from several threads at once.
    chunks
        Shape of the pieces the file is made of.
    """

    def __init__(
        self,
        name: str,
        token: str,
        shape: Sequence[int],
        dtype: DTypeLike,
        read: Callable[[Index], NDArray[Any]],
        chunks: Sequence[int],
    ) -> None:
        self.name, self.token = name, token
        self.shape = tuple(int(n) for n in shape)
        self.dtype = np.dtype(dtype).newbyteorder("=")
        self.ndim = len(self.shape)
        self.chunks = tuple(int(n) for n in chunks)
        self._read = read

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Read a part; raise `ImageError` when that fails, for dask passes errors on as they are."""
        given = index if isinstance(index, tuple) else (index,)
        full: Index = (*given, *(slice(None),) * (self.ndim - len(given)))
        try:
            return np.asarray(self._read(full)).astype(self.dtype, copy=False)
        except ImageError:
            raise
        except Exception as error:  # decoders raise anything: struct, zlib, value and system errors
            raise lost(self.name, error) from error


def lost(name: str, error: Exception) -> ImageError:
    """Return the error for pixels that were there when the file was opened."""
    return ImageError(
        f"The pixels of '{name}' can't be read: {error or type(error).__name__}. "
        "The file may be damaged, or its disk gone. Connect it again, or copy the file again from where it came."
    )


def lazy(pixels: Pixels, axes: str) -> da.Array:
    """Return pixels as a dask array whose chunks are small beside the memory there is, and whole pieces of the file."""
    import dask.array as da

    made: da.Array = da.from_array(  # type: ignore[no-untyped-call]
        pixels,
        chunks=chunks_of(pixels, axes),
        name=f"pixels-{pixels.token}",
        meta=np.empty((0,) * pixels.ndim, dtype=pixels.dtype),
        fancy=False,
        asarray=False,
    )
    return made


def chunks_of(pixels: Pixels, axes: str) -> tuple[int, ...]:
    """Return the pieces to read: planes while they are small, else pieces of the file, up to 1024 pixels a side."""
    chunks = [min(n, size) for n, size in zip(pixels.chunks, pixels.shape, strict=True)]
    plane = [size if axis in "YXS" else n for n, size, axis in zip(chunks, pixels.shape, axes, strict=True)]
    if np.prod(plane, dtype=float) * pixels.dtype.itemsize <= _CHUNK_BYTES:
        return tuple(plane)
    for place, axis in enumerate(axes):
        if axis in "YX":
            chunks[place] *= max(1, _CHUNK_SIDE // chunks[place])
    return tuple(min(n, size) for n, size in zip(chunks, pixels.shape, strict=True))


def read_at_once(shape: Sequence[int], axes: str) -> tuple[int, ...]:
    """Return chunks for files whose planes can be read in any part."""
    sides = {"Y": _FREE_SIDE, "X": _FREE_SIDE, "S": 8}
    return tuple(min(n, sides.get(axis, 1)) for n, axis in zip(shape, axes, strict=True))


class Held(Generic[T]):
    """A file held open; closed when nobody uses it any more."""

    def __init__(self, file: T, close: Callable[[], object]) -> None:
        self.file = file
        self.parts: dict[Any, Any] = {}  # what was made of the file, made once
        weakref.finalize(self, close)


@lru_cache(maxsize=_OPEN_FILES)
def _held(open_file: Callable[[Path], Held[Any]], path: Path, _stamp: tuple[int, int]) -> Held[Any]:
    return open_file(path)


def held(open_file: Callable[[Path], Held[T]], path: Path) -> Held[T]:
    """Return a file held open, the one opened before if it is the same still.

    Opening takes longer than reading a plane where a file has thousands of them. At most `_OPEN_FILES` are held, as a
    project may have more images than the system lets a program open files.
    """
    return _held(open_file, path, stamp(path))


def stamp(path: Path) -> tuple[int, int]:
    """Return what differs when a file was written again; raises `OSError` when it is gone."""
    facts = path.stat()
    return facts.st_mtime_ns, facts.st_size
