"""Crops around cells, from pixels and from label images of any size. Normalisation and augmentation are not done here.

Reading is what costs, so cells are taken plane by plane and tile by tile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.core.depth import Combined, Depth, by_plane
from napari_cellstage.core.errors import CellsError, ImageError
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.patches import Block, Outside, Patch
from napari_cellstage.core.plane_reader import PlaneReader
from napari_cellstage.core.volumes import LabelVolume
from napari_cellstage.core.windows import Windows, resampled

Change = Callable[[NDArray[Any], NDArray[np.intp]], NDArray[Any]]


def crop_cells(
    stack: ImageStack,
    cells: CellTable,
    size: int | Windows,
    channels: tuple[int, ...],
    depth: Depth | None = None,
    reader: PlaneReader | None = None,
) -> NDArray[np.generic]:
    """Cut a square around every cell.

    Parameters
    ----------
    stack
        Read tile by tile, each only once.
    cells
        ``N`` cells of that stack.
    size
        Side of the square in pixels, odd or even; or the windows themselves.
    channels
        Which channels, in this order; ``C`` of them.
    depth
        Which planes; the one nearest to the centroid unless given.
    reader
        Of that stack and those channels, where several calls share what they read.

    Returns
    -------
    ndarray
        ``(N, C, size, size)`` in the image's dtype, or float32 where windows are resampled, in the order of `cells`;
        ``depth.channels * C`` channels, plane by plane, where all planes are asked for. Reflected at the image's
        edge, and at the edge of a contact sheet's tile.

    Raises
    ------
    ImageError
        If the stack has no such channel.
    CellsError
        If a cell lies outside the stack, or `size` is below 1.
    """
    _check_channels(stack, channels)
    _check_cells(cells, stack.shape[0])
    windows = size if isinstance(size, Windows) else Windows.fixed(cells, stack.shape[3:], size)
    depth = depth or Depth()
    dtype = stack.pixels.dtype_of(channels) if (windows.steps == 1).all() else np.dtype(np.float32)
    crops = np.zeros((len(cells), depth.channels * len(channels), windows.size, windows.size), dtype=dtype)
    _fill(crops, reader or PlaneReader.of_stack(stack, channels), cells, windows, depth)
    return crops


def crop_masks(
    labels: Labels | LabelVolume,
    cells: CellTable,
    size: int | Windows,
    depth: Depth | None = None,
    reader: PlaneReader | None = None,
) -> NDArray[np.bool_]:
    """Cut the mask of every cell: the pixels of that very cell, none of a neighbour's.

    Parameters
    ----------
    labels
        ``(T, Z, Y, X)`` segmentation that `cells` were measured in.
    cells
        ``N`` cells.
    size
        Side of the square in pixels, or the windows themselves.
    depth
        As for the crops: where those show more than the nearest plane, the mask is the cell seen through all of them.
    reader
        Of these labels, where several calls share what they read.

    Returns
    -------
    ndarray
        ``(N, size, size)`` bool, in register with `crop_cells`; False outside the image.

    Raises
    ------
    CellsError
        If a cell lies outside the labels, or `size` is below 1.
    """
    _check_cells(cells, labels.shape[0])
    windows = size if isinstance(size, Windows) else Windows.fixed(cells, labels.shape[2:], size)
    through = Depth() if depth is None or depth.choice == "nearest" else Depth("maximum", depth.count)
    covered = np.zeros((len(cells), 1, windows.size, windows.size), np.bool_ if (windows.steps == 1).all() else "f4")

    def own(values: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[Any]:
        return np.asarray(values == cells.cell_id[rows, None, None, None])

    _fill(covered, reader or PlaneReader.of_labels(labels), cells, windows, through, "constant", own)
    return covered[:, 0] if covered.dtype == bool else _mostly(covered[:, 0])


def _mostly(covered: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the crop pixels of which the cell covers half; of a cell so thin that it fills none, half of the most."""
    most = covered.max(axis=(1, 2), keepdims=True, initial=0)
    return np.asarray((covered >= most / 2) & (covered > 0))


def _fill(
    out: NDArray[Any],
    reader: PlaneReader,
    cells: CellTable,
    windows: Windows,
    depth: Depth,
    outside: Outside = "reflect",
    change: Change | None = None,
) -> None:
    """Write the crops of all cells, whichever planes they take."""
    rows, planes, places = depth.pairs(cells, reader.shape[1])
    combined = Combined(depth, out)
    for t, z, some in by_plane(cells.t[rows], planes):
        place_of = places[some]
        for which, crops in _of_plane(reader, t, z, windows, rows[some], outside, change):
            combined.take(rows[some[which]], place_of[which], crops)


def _of_plane(
    reader: PlaneReader,
    t: int,
    z: int,
    windows: Windows,
    rows: NDArray[np.intp],
    outside: Outside,
    change: Change | None,
) -> Iterator[Block]:
    """Yield blocks of crops of one plane: which entries of `rows`, and the crops ``(n, C, size, size)``."""
    where = reader.place(windows.y[rows], windows.x[rows])
    order = np.argsort(where, kind="stable")
    for tile in np.split(order, np.flatnonzero(np.diff(where[order])) + 1):
        groups = windows.groups(rows[tile])
        patch = Patch.of(reader, t, z, windows, rows[tile], groups)
        for some, down, across in groups:
            which = tile[some]
            for block, pixels in patch.cut(windows.y[rows[which]], windows.x[rows[which]], down, across, outside):
                seen = pixels if change is None else change(pixels, rows[which[block]])
                yield which[block], resampled(seen, down, across)


def _check_channels(stack: ImageStack, channels: tuple[int, ...]) -> None:
    missing = [channel for channel in channels if not 0 <= channel < stack.shape[1]]
    if missing or not channels:
        asked = f"Channel {missing[0]}" if missing else "No channel"
        raise ImageError(
            f"{asked} was asked for, but '{stack.name}' has channels 0 to {stack.shape[1] - 1}. "
            "Choose the network's channels among those."
        )


def _check_cells(cells: CellTable, frames: int) -> None:
    if len(cells) and int(cells.t.max()) >= frames:
        raise CellsError(
            f"A cell lies in time point {int(cells.t.max())}, but there are only {frames}. "
            "Find the cells of this image again."
        )
