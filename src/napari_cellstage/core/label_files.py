"""Label volumes on disk: a Zarr folder with the volume as ``0`` and its every second pixel as ``1``, and so on."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.boxes import Ranges, slice_of
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.whole_files import reason_of, whole_folder

CHUNK = 1024
_FORMAT = "cellstage labels"


class Source(Protocol):
    """What `LabelFiles.write_whole` needs of a volume."""

    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """T, Z, Y, X."""

    def __getitem__(self, index: Any) -> Any: ...


class LabelFiles:
    """The arrays of a label volume on disk, finest first.

    Parameters
    ----------
    folder
        Where they are.
    arrays
        Zarr arrays ``(T, Z, Y, X)``, each half as high and wide as the one before.
    """

    def __init__(self, folder: Path, arrays: list[Any]) -> None:
        self.folder = folder
        self._arrays = arrays
        self.shape: tuple[int, ...] = tuple(arrays[0].shape)
        self.dtype: np.dtype[Any] = np.dtype(arrays[0].dtype)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open what `create` or `write_whole` made; `CellsError` when it isn't there, isn't whole or isn't readable."""
        import zarr  # half a second

        try:
            group = zarr.open_group(folder, mode="r")
            levels = int(group.attrs["levels"])  # type: ignore[arg-type]
            return cls(folder, [group[str(level)] for level in range(levels)])
        except Exception as error:  # the store, its JSON and its codecs each raise their own kinds
            raise CellsError(
                f"The labels in '{folder}' can't be read: {reason_of(error)}. Bring the folder back from a copy, or "
                "find the cells anew."
            ) from error

    @classmethod
    def create(cls, folder: Path, shape: tuple[int, ...], dtype: np.dtype[Any], levels: int) -> Self:
        """Make a folder whose labels are all background."""
        import zarr  # half a second

        try:
            group = zarr.open_group(folder, mode="w")
            arrays = [_new_array(group, shape, dtype, level) for level in range(levels)]
            group.update_attributes({"format": _FORMAT, "levels": levels})
        except OSError as error:
            raise _not_written(folder, error) from error
        return cls(folder, arrays)

    @classmethod
    def write_whole(cls, folder: Path, source: Source, levels: int) -> None:
        """Write a volume chunk by chunk beside its place, flush it to the disk, and give it its name."""
        try:
            with whole_folder(folder) as beside:
                files = cls.create(beside, source.shape, np.dtype(source.dtype), levels)
                files._copy_from(source)
                files.finish()
        except OSError as error:
            raise _not_written(folder, error) from error

    def read(self, ranges: Ranges, level: int) -> NDArray[Any]:
        """Return the part of a level at ranges, as an array that is the caller's."""
        upward = tuple(places if places.step > 0 else places[::-1] for places in ranges)
        part = tuple(slice_of(places) for places in upward)
        flips = tuple(slice(None, None, 1 if places.step > 0 else -1) for places in ranges)
        if not all(map(len, ranges)):
            return np.zeros(tuple(map(len, ranges)), dtype=self.dtype)
        try:
            values = np.asarray(self._arrays[level][part])[flips]
            if not values.any():  # to Zarr a missing file is background: make sure that it is not the drive
                (self.folder / str(level) / "zarr.json").stat()
            return values
        except Exception as error:  # as in `open`
            raise CellsError(
                f"The labels in '{self.folder}' can't be read: {reason_of(error)}. Is the drive still there? Bring the "
                "folder back from a copy, or find the cells anew."
            ) from error

    def write(self, t: int, corner: tuple[int, int, int], values: NDArray[Any]) -> None:
        """Write a box ``(dz, dy, dx)`` to the finest level."""
        box = tuple(slice(a, a + n) for a, n in zip(corner, values.shape, strict=True))
        try:
            self._arrays[0][(t, *box)] = values.astype(self.dtype, copy=False)
        except OSError as error:
            raise _not_written(self.folder, error) from error

    def finish(self) -> None:
        """Make each coarser level from the one before it."""
        for fine, coarse in zip(self._arrays, self._arrays[1:], strict=False):
            for t, z, rows, columns in _chunks(coarse.shape):
                twice = (slice(2 * rows.start, 2 * rows.stop), slice(2 * columns.start, 2 * columns.stop))
                coarse[t, z, rows, columns] = fine[(t, z, *twice)][::2, ::2]

    def _copy_from(self, source: Source) -> None:
        for t, z, rows, columns in _chunks(self.shape):
            values = source[t, z, rows, columns]
            if values.any():  # chunks of background only need no file
                self._arrays[0][t, z, rows, columns] = values


def _new_array(group: Any, shape: tuple[int, ...], dtype: np.dtype[Any], level: int) -> Any:
    from zarr.codecs import BloscCodec

    frames, depth, height, width = shape
    halved = (frames, depth, -(-height // 2**level), -(-width // 2**level))
    return group.create_array(
        str(level), shape=halved, chunks=(1, 1, min(CHUNK, halved[2]), min(CHUNK, halved[3])), dtype=dtype,
        compressors=BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"), fill_value=0,
        dimension_names=("t", "z", "y", "x"),
    )  # fmt: skip


def _chunks(shape: tuple[int, ...]) -> list[tuple[int, int, slice, slice]]:
    frames, depth, height, width = shape
    return [
        (t, z, slice(top, min(top + CHUNK, height)), slice(left, min(left + CHUNK, width)))
        for t, z, top, left in product(range(frames), range(depth), range(0, height, CHUNK), range(0, width, CHUNK))
    ]


def _not_written(folder: Path, error: OSError) -> CellsError:
    return CellsError(
        f"The labels can't be written to '{folder}': {reason_of(error)}. Free disk space or check the drive, and do it "
        "again."
    )
