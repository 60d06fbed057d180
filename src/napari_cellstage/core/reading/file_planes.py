"""Files as ``(T, C, Z, Y, X)``: whichever axes a file has, in whichever order, colour samples as channels.

What is large is read piece by piece, each piece of the file once, several at a time.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.boxes import Ranges, part_within
from napari_cellstage.core.reading.axes import AXES, colour_channels, in_order
from napari_cellstage.core.reading.pixels import Pixels, chunks_of, lazy
from napari_cellstage.core.reading.planes import Planes

if TYPE_CHECKING:
    import dask.array as da

_AT_ONCE_BYTES = 16 << 20  # parts up to this are read in one go


class FilePlanes(Planes):
    """Pixels of a file.

    Parameters
    ----------
    pixels
        As the reader gives them.
    axes
        Their axes, out of T, C, Z, Y, X and S, in the order of the file.
    """

    def __init__(self, pixels: Pixels, axes: str) -> None:
        sizes = dict(zip(axes, pixels.shape, strict=True))
        chunks = dict(zip(axes, chunks_of(pixels, axes), strict=True))
        self._pixels, self._axes = pixels, axes
        self._samples, self.rgb = colour_channels(sizes)
        channels = sizes.get("C", 1) * self._samples
        shape = tuple(channels if axis == "C" else sizes.get(axis, 1) for axis in AXES)
        together = chunks["S"] if "S" in axes else chunks.get("C", 1)
        super().__init__(shape, pixels.dtype, tuple(together if axis == "C" else chunks.get(axis, 1) for axis in AXES))
        # Channels of several colours each can't be cut out in one piece.
        self._one_by_one = self._samples > 1 and sizes.get("C", 1) > 1

    @cached_property
    def dask(self) -> da.Array:
        """The file's pieces as a dask array."""
        made: da.Array = in_order(lazy(self._pixels, self._axes), self._axes)[0]
        return made

    def read(self, ranges: Ranges) -> NDArray[Any]:
        """Read the pieces that places lie in, and put them together.

        Raises
        ------
        ImageError
            If the file can't be read any more.
        """
        spans = [slice(min(one), max(one) + 1) for one in ranges]
        if self._small(spans) and not self._one_by_one:
            # Not every reader knows steps.
            return self._part(tuple(spans))[tuple(slice(None, None, one.step) for one in ranges)]
        made = np.empty([len(one) for one in ranges], dtype=self.dtype)

        def put(piece: tuple[slice, ...]) -> None:
            both = [part_within(one, 1, at.start, at.stop - at.start) for one, at in zip(ranges, piece, strict=True)]
            made[tuple(into for into, _of in both)] = self._part(piece)[tuple(of for _into, of in both)]

        list(_pool().map(put, product(*map(self._pieces, range(5), spans))))
        return made

    def _small(self, spans: list[slice]) -> bool:
        count = np.prod([span.stop - span.start for span in spans], dtype=float)
        return bool(count * self.dtype.itemsize <= _AT_ONCE_BYTES)

    def _pieces(self, axis: int, span: slice) -> list[slice]:
        """Cut a span where pieces of the file end; rows in bands of a few megabytes, columns not at all."""
        side = self.chunks[axis]
        if AXES[axis] == "X":
            return [span]
        if AXES[axis] == "C":
            side = 1 if self._one_by_one else self.shape[1]
        if AXES[axis] == "Y":
            row_bytes = self.shape[4] * self.dtype.itemsize * self.chunks[0] * self.chunks[2]
            side *= max(1, _AT_ONCE_BYTES // (side * row_bytes))
        edges = [span.start, *range((span.start // side + 1) * side, span.stop, side), span.stop]
        return [slice(start, stop) for start, stop in pairwise(edges)]

    def _part(self, spans: tuple[slice, ...]) -> NDArray[Any]:
        """Return ``(T, C, Z, Y, X)`` of a box, all its pixels."""
        at = dict(zip(AXES, spans, strict=True))
        if "S" in self._axes:
            first, last = at["C"].start, at["C"].stop
            at["C"] = slice(first // self._samples, (last - 1) // self._samples + 1)
            at["S"] = slice(first % self._samples, (last - 1) % self._samples + 1)
        part = self._pixels[tuple(at[axis] for axis in self._axes)]
        ordered = part.transpose([self._axes.index(axis) for axis in "TCSZYX" if axis in self._axes])
        return ordered.reshape([span.stop - span.start for span in spans])


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    """Return the threads that read pieces; nothing they do waits for others of them."""
    return ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="pixels")
