"""Square crops around cells, from pixels and from label images. Normalisation and augmentation are not done here.

The pixel that holds a cell's centroid lies at ``(size // 2, size // 2)`` of its crop. Reading is what costs, so cells
are taken plane by plane: each plane is read once, and its crops are indexed from a view of all its windows. Only those
that reach over the edge are gathered pixel by pixel, which is cheaper than padding the whole plane for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.core.errors import CellsError, ImageError
from napari_cellstage.core.images import ImageStack

_BLOCK = 256  # crops copied at a time, so that what is copied is still in the processor's cache


def crop_cells(stack: ImageStack, cells: CellTable, size: int, channels: tuple[int, ...]) -> NDArray[np.generic]:
    """Cut a square around every cell, in the plane nearest to its centroid.

    Parameters
    ----------
    stack
        Read one plane at a time, each only once.
    cells
        ``N`` cells of that stack.
    size
        Side of the square, in pixels; odd or even.
    channels
        Which channels, in this order; ``C`` of them.

    Returns
    -------
    ndarray
        ``(N, C, size, size)`` in the image's dtype, in the order of `cells`; reflected at the image's edge.

    Raises
    ------
    ImageError
        If the stack has no such channel.
    CellsError
        If a cell lies outside the stack, or `size` is below 1.
    """
    _check_channels(stack, channels)
    _check_cells(cells, stack.shape[0], size)
    crops = np.empty((len(cells), len(channels), size, size), dtype=stack.data.dtype)
    for t, z, rows in _by_plane(cells, stack.shape[2]):
        _cut(stack.plane(t, z, channels), cells.y[rows], cells.x[rows], crops, rows)
    return crops


def crop_masks(labels: Labels, cells: CellTable, size: int) -> NDArray[np.bool_]:
    """Cut the mask of every cell: the pixels of that very cell, none of a neighbour's.

    Parameters
    ----------
    labels
        ``(T, Z, Y, X)`` segmentation that `cells` were measured in.
    cells
        ``N`` cells.
    size
        Side of the square, in pixels.

    Returns
    -------
    ndarray
        ``(N, size, size)`` bool, in register with `crop_cells`; False outside the image.

    Raises
    ------
    CellsError
        If a cell lies outside the labels, or `size` is below 1.
    """
    _check_cells(cells, labels.shape[0], size)
    masks = np.empty((len(cells), size, size), dtype=bool)
    for t, z, rows in _by_plane(cells, labels.shape[1]):
        plane = np.asarray(labels[t, z])[None]
        windows = crop_planes(plane, cells.y[rows], cells.x[rows], size, outside="constant")[:, 0]
        masks[rows] = windows == cells.cell_id[rows, None, None]
    return masks


def crop_planes(
    plane: NDArray[Any],
    ys: NDArray[np.floating[Any]],
    xs: NDArray[np.floating[Any]],
    size: int,
    outside: Literal["reflect", "constant"] = "reflect",
) -> NDArray[Any]:
    """Cut squares out of one plane in memory.

    Parameters
    ----------
    plane
        ``(C, Y, X)``.
    ys, xs
        ``(N,)`` centres, in pixels; they are rounded to the nearest pixel, halves up.
    size
        Side of the squares.
    outside
        What lies beyond the edge: the image mirrored, as often as needed, or zeros.

    Returns
    -------
    ndarray
        ``(N, C, size, size)``, a copy.
    """
    crops = np.empty((len(ys), plane.shape[0], size, size), dtype=plane.dtype)
    _cut(plane, ys, xs, crops, np.arange(len(ys)), outside)
    return crops


def _cut(
    plane: NDArray[Any],
    ys: NDArray[np.floating[Any]],
    xs: NDArray[np.floating[Any]],
    crops: NDArray[Any],
    rows: NDArray[np.intp],
    outside: str = "reflect",
) -> None:
    """Write the squares around these centres into these rows of `crops`, which is copied to only once."""
    size = crops.shape[-1]
    top = nearest_pixel(ys, plane.shape[1]) - size // 2
    left = nearest_pixel(xs, plane.shape[2]) - size // 2
    inside = (top >= 0) & (left >= 0) & (top + size <= plane.shape[1]) & (left + size <= plane.shape[2])
    whole = np.flatnonzero(inside)
    if len(whole):
        windows = sliding_window_view(plane, (size, size), axis=(1, 2)).transpose(1, 2, 0, 3, 4)
        for block in np.split(whole, range(_BLOCK, len(whole), _BLOCK)):
            crops[rows[block]] = windows[top[block], left[block]]
    cut = np.flatnonzero(~inside)
    if len(cut):
        crops[rows[cut]] = _beyond_the_edge(plane, top[cut], left[cut], size, outside)


def _beyond_the_edge(
    plane: NDArray[Any], top: NDArray[np.intp], left: NDArray[np.intp], size: int, outside: str
) -> NDArray[Any]:
    offsets = np.arange(size)
    rows, columns = top[:, None] + offsets, left[:, None] + offsets
    seen_rows, seen_columns = _mirrored(rows, plane.shape[1]), _mirrored(columns, plane.shape[2])
    crops = plane[:, seen_rows[:, :, None], seen_columns[:, None, :]].swapaxes(0, 1)
    if outside == "constant":
        crops = crops * ((seen_rows == rows)[:, :, None] & (seen_columns == columns)[:, None, :])[:, None]
    return crops


def _mirrored(places: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Bring places outside ``0..length - 1`` back in, as between two mirrors that do not show the edge pixel twice."""
    if length == 1:
        return np.zeros_like(places)
    period = 2 * (length - 1)
    within = places % period
    return np.minimum(within, period - within)


def nearest_pixel(centres: NDArray[np.floating[Any]], length: int) -> NDArray[np.intp]:
    """Return the index of the pixel each centre lies in, within ``0..length - 1``."""
    return np.clip(np.floor(np.asarray(centres) + 0.5), 0, length - 1).astype(np.intp)


def _by_plane(cells: CellTable, depth: int) -> Iterator[tuple[int, int, NDArray[np.intp]]]:
    """Yield t, z and the rows of the cells whose centroid is nearest to that plane."""
    if not len(cells):
        return
    key = cells.t.astype(np.int64) * depth + nearest_pixel(cells.z, depth)
    order = np.argsort(key, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        t, z = divmod(int(key[rows[0]]), depth)
        yield t, z, rows


def _check_channels(stack: ImageStack, channels: tuple[int, ...]) -> None:
    missing = [channel for channel in channels if not 0 <= channel < stack.shape[1]]
    if missing or not channels:
        asked = f"Channel {missing[0]}" if missing else "No channel"
        raise ImageError(
            f"{asked} was asked for, but '{stack.name}' has channels 0 to {stack.shape[1] - 1}. "
            "Choose the network's channels among those."
        )


def _check_cells(cells: CellTable, frames: int, size: int) -> None:
    if size < 1:
        raise CellsError(f"A crop of {size} pixels can't be cut. Choose a crop size of 1 or more.")
    if len(cells) and int(cells.t.max()) >= frames:
        raise CellsError(
            f"A cell lies in time point {int(cells.t.max())}, but there are only {frames}. "
            "Find the cells of this image again."
        )
