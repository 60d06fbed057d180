"""The cells in a file beside an image, checked: a picture that only has such a name is not taken for cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.images import ImageStack, open_image
from napari_cellstage.core.segment import adopt_labels
from napari_cellstage.core.volumes import LabelVolume

_SMOOTH = 0.8  # share of neighbours with the same value above which a picture is one of labels


def read_companion(file: Path, stack: ImageStack, scratch: Path | None = None) -> LabelVolume:
    """Read the cells of an image from a file beside it, measured.

    In a mask of one value, black and white, each spot that touches no other becomes a cell.

    Parameters
    ----------
    file
        A label image of any format.
    stack
        The image.
    scratch
        Folder to make for labels that are large, see `find_cells_in_stack`.

    Raises
    ------
    CellsError
        If shapes differ, or its values are not those of labels.
    ImageError
        If it can't be read.
    """
    labels = open_image(file)
    _check_looks(labels, file, stack)
    data = labels.data.reshape([n for n in labels.shape if n != 1])  # type: ignore[no-untyped-call]
    volume = adopt_labels(_as_numbers(data), stack, scratch)
    volume.cells = CellTable.from_labels(volume) if volume.cells is None else volume.cells
    if len(volume.cells) == 0:
        raise CellsError(f"'{file.name}' holds no cells: all of it is 0. '{stack.name}' has none from it.")
    if len(np.unique(volume.cells.cell_id)) == 1 and not volume.on_disk:
        return _spots(volume)
    return volume


def looks_like_labels(plane: NDArray[Any]) -> bool:
    """Tell whether a plane ``(Y, X)`` may be one of labels: whole numbers from 0, the same over whole areas."""
    if plane.dtype.kind == "b":
        return True
    if plane.dtype.kind == "f" and not (np.isfinite(plane).all() and (plane == np.floor(plane)).all()):
        return False
    if plane.shape[1] < 2:
        return True
    return bool(plane.min() >= 0 and (plane[:, 1:] == plane[:, :-1]).mean() >= _SMOOTH)


def _check_looks(labels: ImageStack, file: Path, stack: ImageStack) -> None:
    frames, _, depth, _, _ = labels.shape
    plane = labels.region(frames // 2, depth // 2, (0,), slice(None), slice(None))[0]
    if not looks_like_labels(plane):
        raise CellsError(
            f"'{file.name}' looks like a picture, not like the cells of '{stack.name}': neighbouring pixels seldom "
            "have the same value. Open it as an image, or find the cells here."
        )


def _as_numbers(data: Any) -> Any:
    return data.astype(np.uint8) if data.dtype.kind == "b" else data


def _spots(volume: LabelVolume) -> LabelVolume:
    """Return a mask with a number for each separate spot, unique over all time points."""
    from skimage.measure import label

    made, last, most = np.zeros(volume.shape, dtype=np.int32), 0, 0
    for t in range(volume.shape[0]):
        spots = label(np.asarray(volume[t]) > 0).astype(np.int32)  # type: ignore[no-untyped-call]
        made[t] = np.where(spots > 0, spots + last, 0)
        last, most = max(last, int(made[t].max(initial=0))), max(most, int(spots.max(initial=0)))
    if most <= 1:
        return volume  # no mask of many, but labels of one cell, which keeps its number
    numbered = LabelVolume.of(made)
    numbered.cells = CellTable.from_labels(numbered)
    return numbered
