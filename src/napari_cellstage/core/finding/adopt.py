"""Taking over labels that someone else made, block by block where they are larger than memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding.targets import target_for
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.measuring import CellMeasures
from napari_cellstage.core.volumes import LabelVolume, blocks_of

_LARGE = 1 << 28


def adopt(array: Any, stack: ImageStack, scratch: Path | None) -> LabelVolume:
    """Check labels and return them as a volume; see `segment.adopt_labels`."""
    frames, _, depth, height, width = stack.shape
    wanted = (frames, depth, height, width)
    shape = tuple(array.shape)
    if tuple(n for n in shape if n != 1) != tuple(n for n in wanted if n != 1) or len(shape) > 4:
        raise CellsError(
            f"The labels have the shape {shape}, but '{stack.name}' needs (T, Z, Y, X) = {wanted}. "
            "Choose labels that were made for this image, one for every time point and plane."
        )
    if isinstance(array, LabelVolume) and shape == wanted:
        return array.frozen()
    if np.prod(wanted, dtype=np.int64) <= _LARGE:
        return LabelVolume.of(_whole_numbers(np.asarray(array)).reshape(wanted))
    return _adopted_by_blocks(array, wanted, scratch)


def _adopted_by_blocks(array: Any, shape: tuple[int, int, int, int], scratch: Path | None) -> LabelVolume:
    wide = np.dtype(array.dtype).kind == "f" or np.dtype(array.dtype).itemsize > 4
    volume = target_for(shape, scratch, np.int64 if wide or array.dtype == np.uint32 else np.int32)
    measures = CellMeasures()
    for t, z, rows, columns in blocks_of(shape):
        block = _whole_numbers(_part(array, shape, t, z, rows, columns))
        if block.any():
            volume.put(t, (z, rows.start, columns.start), block)
        measures.add(t, (z, rows.start, columns.start), block)
    volume.finish()
    volume.cells = CellTable(**measures.columns(shape[2:]))
    return volume


def _part(array: Any, shape: tuple[int, int, int, int], t: int, z: int, rows: slice, columns: slice) -> NDArray[Any]:
    """Read ``(1, h, w)`` of an array that may lack axes of length 1."""
    wanted: tuple[int | slice, ...] = (t, z, rows, columns)
    places = iter([place for place, length in zip(wanted, shape, strict=True) if length != 1])
    index = tuple(next(places) if length != 1 else 0 for length in array.shape)
    return np.asarray(array[index]).reshape(1, rows.stop - rows.start, columns.stop - columns.start)


def _whole_numbers(values: NDArray[Any]) -> NDArray[np.integer[Any]]:
    if values.dtype.kind == "b":
        raise CellsError(
            "The labels are only True and False, so touching cells are one. Choose labels in which each cell has its "
            "own number, or find the cells here."
        )
    if values.dtype.kind not in "iuf" or (values.dtype.kind == "f" and not _are_whole(values)):
        raise CellsError(
            f"The labels hold {values.dtype} values that are no whole numbers. "
            "Choose labels in which each cell has its own whole number and background is 0."
        )
    if values.size and values.min() < 0:
        raise CellsError(
            f"The labels hold {values.min():g}, but cells are numbered from 1. Renumber them, 0 is background."
        )
    return values if values.dtype.kind in "iu" else values.astype(np.int64)


def _are_whole(values: NDArray[Any]) -> bool:
    return bool(np.isfinite(values).all() and (values == np.floor(values)).all())
