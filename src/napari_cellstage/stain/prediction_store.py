"""Where predicted stains go as they are made: memory, or a Zarr group on disk that is there whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.whole_files import reason_of

IN_MEMORY = 1 << 29
CHUNK = (1, 1, 1, 256, 1024)
FORMAT = "cellstage stain"


@dataclass(frozen=True, eq=False)
class Made:
    """The arrays of a prediction, and what must live as long as they do."""

    mean: Any
    uncertainty: Any
    unlike: Any
    keep: object = None


class Target:
    """Arrays to fill.

    Parameters
    ----------
    shape
        T, S, Z, Y, X of mean and uncertainty.
    coarse
        Height and width of the map of what is unlike.
    into
        Folder to make; None: memory, or a temporary folder where it is large.

    Raises
    ------
    ImageError
        If the folder is there already, or can't be made.
    """

    def __init__(self, shape: tuple[int, ...], coarse: tuple[int, int], into: Path | None) -> None:
        self._shape, self._folder, self._keep = shape, into, None
        large = 2 * 4 * int(np.prod(shape, dtype=np.int64)) > IN_MEMORY
        shapes = {"mean": shape, "uncertainty": shape, "unlike": (shape[0], 1, 1, *coarse)}
        self._group: Any = None
        if into is None and not large:
            self._arrays: dict[str, Any] = {name: np.zeros(one, np.float32) for name, one in shapes.items()}
            return
        if into is None:
            scratch = Path(tempfile.mkdtemp(prefix="cellstage-"))
            self._keep, self._folder = _Scratch(scratch), scratch / "stain.zarr"
        elif into.exists():
            raise ImageError(f"'{into}' is there already. Choose another place, or delete it first.")
        assert self._folder is not None
        self._beside = self._folder.with_name(f".part-{self._folder.name}")
        self._group = self._made()
        self._arrays = {name: _new(self._group, name, one) for name, one in shapes.items()}

    def put(self, t: int, row: int, column: int, mean: NDArray[Any], width: NDArray[Any]) -> None:
        """Write a part ``(S, Z, h, w)`` of both.

        Raises
        ------
        ImageError
            If the disk is full, or gone.
        """
        place = (t, slice(None), slice(None), slice(row, row + mean.shape[2]), slice(column, column + mean.shape[3]))
        self._write("mean", place, mean)
        self._write("uncertainty", place, width)

    def put_unlike(self, t: int, unlike: NDArray[Any]) -> None:
        """Write the map of one time point."""
        self._write("unlike", (t, 0, 0), unlike)

    def finish(self, times: int, facts: dict[str, Any]) -> Made:
        """Keep the first time points, give the folder its name, and return the arrays.

        Without any time point nothing is left on disk.
        """
        if self._group is None:
            return Made(**{name: array[:times] for name, array in self._arrays.items()})
        assert self._folder is not None
        if not times:
            self.drop()
            nothing = np.zeros((0, *self._shape[1:]), np.float32)
            return Made(nothing, nothing, np.zeros((0, 1, 1, *self._arrays["unlike"].shape[3:]), np.float32))
        import zarr

        for array in self._arrays.values():
            array.resize((times, *array.shape[1:]))
        self._group.update_attributes({"format": FORMAT, **facts})
        try:
            self._beside.replace(self._folder)
        except OSError as error:
            self.drop()
            raise self._not_written(error) from error
        group: Any = zarr.open_group(self._folder, mode="r")
        return Made(group["mean"], group["uncertainty"], group["unlike"], self._keep)

    def drop(self) -> None:
        """Leave nothing on disk."""
        if self._group is not None:
            shutil.rmtree(self._beside, ignore_errors=True)

    def _made(self) -> Any:
        import zarr  # half a second

        assert self._folder is not None
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self._beside, ignore_errors=True)
            return zarr.open_group(self._beside, mode="w")
        except OSError as error:
            raise self._not_written(error) from error

    def _write(self, name: str, place: tuple[Any, ...], values: NDArray[Any]) -> None:
        try:
            self._arrays[name][place] = values
        except OSError as error:
            raise self._not_written(error) from error

    def _not_written(self, error: OSError) -> ImageError:
        return ImageError(
            f"The predicted stain can't be written to '{self._folder}': {reason_of(error)}. Free disk space or check "
            "the drive, and do it again."
        )


class _Scratch:
    """A folder that is deleted with the last prediction that keeps it."""

    def __init__(self, path: Path) -> None:
        weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)


def _new(group: Any, name: str, shape: tuple[int, ...]) -> Any:
    from zarr.codecs import BloscCodec

    chunks = tuple(max(1, min(pair)) for pair in zip(CHUNK, shape, strict=True))
    return group.create_array(
        name, shape=shape, chunks=chunks, dtype=np.float32, fill_value=0,
        compressors=BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"), dimension_names=("t", "c", "z", "y", "x"),
    )  # fmt: skip
