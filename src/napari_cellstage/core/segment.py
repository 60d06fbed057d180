"""The door to finding cells: in one volume, in a stack; adopting labels that others made; painting a missed cell.

How cells are found is in `finding`. Lengths are pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import Labels
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding.method import METHODS
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.images import ImageStack

__all__ = ["SegmentSettings", "adopt_labels", "draw_disc", "find_cells", "find_cells_in_stack", "nothing_found"]


def find_cells(
    volume: NDArray[Any], settings: SegmentSettings, second: NDArray[Any] | None = None
) -> NDArray[np.int32]:
    """Find cells in one plane or volume.

    Parameters
    ----------
    volume
        ``(Y, X)`` or ``(Z, Y, X)``, any real dtype. Values that are not finite count as dark.
    settings
        How; the channels are not used here.
    second
        The second channel, of that shape, for a method that wants one.

    Returns
    -------
    ndarray
        int32 labels of that shape, ids 1..n from top to bottom.

    Raises
    ------
    CellsError
        If the image has no contrast, or nothing is found.
    """
    method = METHODS[settings.method]
    channels = [volume] if second is None else [volume, second]
    block = np.stack([one if one.ndim == 3 else one[None] for one in channels])
    labels = method.find(block, settings, method.calibrate([block], settings))
    if not labels.any():
        raise nothing_found(settings)
    return labels.reshape(volume.shape)


def nothing_found(settings: SegmentSettings) -> CellsError:
    """Return the error for an image without cells."""
    largest = f"{settings.max_diameter:g}" if settings.max_diameter else "any size"
    return CellsError(
        f"No cells were found with sensitivity {settings.sensitivity:g} and diameters from "
        f"{settings.min_diameter:g} to {largest}. "
        "Raise the sensitivity, change the size limits, or choose the channel in which the nuclei are bright."
    )


def find_cells_in_stack(
    stack: ImageStack, settings: SegmentSettings, should_stop: Callable[[], bool] = lambda: False
) -> Generator[tuple[int, int], None, NDArray[np.int32]]:
    """Find nuclei in every time point, in 3D where there are planes.

    Parameters
    ----------
    stack
        Read one time point after the other.
    settings
        How, and in which channel.
    should_stop
        Asked before each time point; the frames after a stop stay empty.

    Yields
    ------
    tuple of int
        Time points done, and all.

    Returns
    -------
    ndarray
        ``(T, Z, Y, X)`` int32; ids are unique over all time points.

    Raises
    ------
    CellsError
        If the stack has no such channel, or there are no cells in any time point.
    """
    frames, channels, *volume_shape = stack.shape
    if settings.channel >= channels:
        raise CellsError(
            f"Channel {settings.channel} was chosen for finding cells, but '{stack.name}' has channels 0 to "
            f"{channels - 1}. Choose one of those."
        )
    labels = np.zeros((frames, *volume_shape), dtype=np.int32)
    last_id, problem = 0, None
    for t in range(frames):
        if should_stop():
            return labels
        try:
            found = _find_in_frame(stack.volume(t, settings.channel), settings)
        except CellsError as error:  # one dark frame of a movie must not cost the others
            problem = error
        else:
            labels[t] = np.where(found, found + last_id, 0)
            last_id += int(found.max())
        yield t + 1, frames
    if not last_id and problem is not None:
        raise problem
    return labels


def adopt_labels(array: Any, stack: ImageStack) -> Labels:
    """Take over labels that someone else made, as ``(T, Z, Y, X)`` integers.

    Parameters
    ----------
    array
        numpy or dask; integers, bool, or floats that are whole numbers. Axes of length 1 may be missing.
    stack
        The image they belong to.

    Raises
    ------
    CellsError
        If shape, axes or values do not fit.
    """
    frames, _, depth, height, width = stack.shape
    wanted = (frames, depth, height, width)
    shape = tuple(array.shape)
    if tuple(n for n in shape if n != 1) != tuple(n for n in wanted if n != 1) or len(shape) > 4:
        raise CellsError(
            f"The labels have the shape {shape}, but '{stack.name}' needs (T, Z, Y, X) = {wanted}. "
            "Choose labels that were made for this image, one for every time point and plane."
        )
    values = np.asarray(array).reshape(wanted)
    values = _whole_numbers(values)
    if values.min() < 0:
        raise CellsError(
            f"The labels hold {values.min()}, but cells are numbered from 1. Renumber them, 0 is background."
        )
    return values


def draw_disc(labels: Labels, t: int, z: int, y: float, x: float, diameter: float, cell_id: int) -> None:
    """Paint a cell that was missed, in place, on background pixels only; at least the pixel that was clicked.

    Parameters
    ----------
    labels
        ``(T, Z, Y, X)``.
    t, z
        Plane.
    y, x
        Centre.
    diameter
        Of the disc.
    cell_id
        Value to paint.

    Raises
    ------
    CellsError
        If the place is outside the image, or belongs to a cell already.
    """
    plane = labels[t, z]
    row, column = int(np.floor(y + 0.5)), int(np.floor(x + 0.5))
    if not (0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]):
        raise CellsError(f"The place y = {y:.0f}, x = {x:.0f} is outside the image. Click inside it.")
    if plane[row, column]:
        raise CellsError(f"There is a cell already at y = {y:.0f}, x = {x:.0f}: number {plane[row, column]}.")
    reach = int(np.ceil(diameter / 2)) + 1
    top, left = max(0, row - reach), max(0, column - reach)
    window = plane[top : row + reach + 1, left : column + reach + 1]
    rows, columns = np.ogrid[top : top + window.shape[0], left : left + window.shape[1]]
    disc = (rows - y) ** 2 + (columns - x) ** 2 <= (diameter / 2) ** 2
    window[disc & (window == 0)] = cell_id
    plane[row, column] = cell_id


def _find_in_frame(volume: NDArray[Any], settings: SegmentSettings) -> NDArray[np.int32]:
    return find_cells(volume, settings) if volume.shape[0] > 1 else find_cells(volume[0], settings)[None]


def _whole_numbers(values: NDArray[Any]) -> Labels:
    if values.dtype.kind in "iu":
        return values
    if values.dtype.kind == "b":
        raise CellsError(
            "The labels are only True and False, so touching cells are one. Choose labels in which each cell has its "
            "own number, or find the cells here."
        )
    if values.dtype.kind != "f" or not np.isfinite(values).all() or (values != np.floor(values)).any():
        raise CellsError(
            f"The labels hold {values.dtype} values that are no whole numbers. "
            "Choose labels in which each cell has its own whole number and background is 0."
        )
    return values.astype(np.int64)
