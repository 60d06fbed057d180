"""Square crops around cells, from pixels and from label images. Normalisation and augmentation are not done here.

The pixel that holds a cell's centroid lies at ``(size // 2, size // 2)`` of its crop. Reading is what costs, so cells
are taken plane by plane: each plane is read once, padded once, and all its crops are one indexing of a window view.
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
        crops[rows] = crop_planes(stack.plane(t, z, channels), cells.y[rows], cells.x[rows], size)
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
    before, after = size // 2, (size - 1) // 2
    padded = np.pad(plane, ((0, 0), (before, after), (before, after)), mode=outside)
    windows = sliding_window_view(padded, (size, size), axis=(1, 2)).transpose(1, 2, 0, 3, 4)
    # Padding moved everything by `before`, so the window that begins at a pixel has that pixel in its middle.
    crops: NDArray[Any] = windows[nearest_pixel(ys, plane.shape[1]), nearest_pixel(xs, plane.shape[2])]
    return crops


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
