"""The door to finding cells: in one volume, in a stack; adopting labels that others made.

How cells are found is in `finding`. Lengths are pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.finding.adopt import adopt
from napari_cellstage.core.finding.blocks import find_in_stack, nothing_found
from napari_cellstage.core.finding.method import METHODS
from napari_cellstage.core.finding.part import check_channels
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.volumes import LabelVolume

__all__ = ["SegmentSettings", "adopt_labels", "find_cells", "find_cells_in_stack", "nothing_found"]


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


def find_cells_in_stack(
    stack: ImageStack,
    settings: SegmentSettings,
    should_stop: Callable[[], bool] = lambda: False,
    scratch: Path | None = None,
) -> Generator[tuple[int, int], None, LabelVolume]:
    """Find cells in every time point, in 3D where there are planes; block by block where a frame is large.

    Parameters
    ----------
    stack
        Read as it is needed, never as a whole when it is large.
    settings
        How, and in which channel.
    should_stop
        Asked before each block; what comes after a stop stays empty.
    scratch
        Folder to make for labels larger than 512 MB; None: a temporary one that goes with the volume.

    Yields
    ------
    tuple of int
        Blocks done, and all. A small frame is one block.

    Returns
    -------
    LabelVolume
        ``(T, Z, Y, X)`` int32, with its table of cells; ids are unique over all time points.

    Raises
    ------
    CellsError
        If the stack has no such channel, or there are no cells in any time point.
    """
    check_channels(stack, settings)
    return (yield from find_in_stack(stack, settings.fitted(stack.pixel_size_um), should_stop, scratch))


def adopt_labels(array: Any, stack: ImageStack, scratch: Path | None = None) -> LabelVolume:
    """Take over labels that someone else made, as ``(T, Z, Y, X)`` integers.

    Parameters
    ----------
    array
        numpy, dask, zarr or a `LabelVolume`; integers, or floats that are whole numbers. Axes of length 1 may be
        missing.
    stack
        The image they belong to.
    scratch
        Folder to make for labels that are large, see `find_cells_in_stack`.

    Raises
    ------
    CellsError
        If shape, axes or values do not fit.
    """
    return adopt(array, stack, scratch)
