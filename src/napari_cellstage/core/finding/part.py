"""Finding cells in a part of one plane, as in a preview: with levels of the whole plane, and a margin around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding.method import METHODS, Levels
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.finding.shapes import numbered
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.sampling import sample_windows

_WHOLE = 2048 * 2048
_WINDOWS = 12
_WIDEST_MARGIN = 256


def find_in_part(
    stack: ImageStack,
    t: int,
    z: int,
    part: tuple[slice, slice],
    settings: SegmentSettings,
    levels: Levels | None = None,
) -> tuple[NDArray[np.int32], Levels, float]:
    """Find the cells of a part of a plane.

    Parameters
    ----------
    stack
        Only what is needed is read.
    t, z
        The plane.
    part
        Rows and columns.
    settings
        How.
    levels
        Of this plane, where they are known from before.

    Returns
    -------
    labels
        ``(h, w)`` int32 of the part, all 0 where there are no cells.
    levels
        Of this plane.
    diameter
        Of a typical cell, pixels.

    Raises
    ------
    CellsError
        If the plane has no contrast, or a channel is missing.
    """
    check_channels(stack, settings)
    method = METHODS[settings.method]
    levels = levels or method.calibrate(_sample(stack, t, z, settings), settings)
    margin = min(_WIDEST_MARGIN, method.margin(settings, levels))
    height, width = stack.shape[-2:]
    rows, columns = (_wider(one, margin, n) for one, n in zip(part, (height, width), strict=True))
    found = method.find(_read(stack, t, z, settings, rows, columns), settings, levels)[0]
    inner = tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(part, (rows, columns), strict=True))
    labels = numbered(np.ascontiguousarray(found[inner]))
    return labels, levels, CellTable.from_labels(labels[None, None]).typical_diameter


def check_channels(stack: ImageStack, settings: SegmentSettings) -> None:
    """Raise `CellsError` when an image lacks a channel that the settings name."""
    missing = [channel for channel in settings.channels if channel >= stack.shape[1]]
    if missing:
        raise CellsError(
            f"Channel {missing[0]} was chosen for finding cells, but '{stack.name}' has channels 0 to "
            f"{stack.shape[1] - 1}. Choose one of those."
        )


def _sample(stack: ImageStack, t: int, z: int, settings: SegmentSettings) -> list[NDArray[np.generic]]:
    height, width = stack.shape[-2:]
    if height * width <= _WHOLE:
        return [_read(stack, t, z, settings, slice(0, height), slice(0, width))]
    windows = sample_windows(1, height, width)
    few = windows[:: max(1, len(windows) // _WINDOWS)]
    parts = [_read(stack, t, z, settings, *window) for window in few]
    return [part for part in parts if np.ptp(part[0]) > 0] or parts[:1]


def _read(
    stack: ImageStack, t: int, z: int, settings: SegmentSettings, rows: slice, columns: slice
) -> NDArray[np.generic]:
    return stack.region(t, z, settings.channels, rows, columns)[:, None]


def _wider(part: slice, margin: int, length: int) -> slice:
    return slice(max(0, part.start - margin), min(length, part.stop + margin))
