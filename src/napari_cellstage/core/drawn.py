"""Cells drawn by hand: painted, measured and taken away without looking at the rest of the image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from napari_cellstage.core.annotations import DrawnCell
from napari_cellstage.core.cells import CellTable, Labels

Box = tuple[int, slice, slice, slice]


def paint(labels: Labels, cell: DrawnCell) -> None:
    """Paint a cell onto the background of a label volume ``(T, Z, Y, X)``, in place."""
    from napari_cellstage.core.segment import draw_disc  # brings scikit-image, slow to load

    draw_disc(labels, cell.t, cell.z, cell.y, cell.x, cell.diameter, cell.cell_id)


def draw(labels: Labels, cells: CellTable, cell: DrawnCell) -> CellTable:
    """Paint a cell and return the table with it as the last row."""
    paint(labels, cell)
    return cells.append(_measured(labels, cell))


def erase(labels: Labels, cells: CellTable, cell: DrawnCell) -> CellTable:
    """Take a cell away from the volume, in place, and return the table without it."""
    keep = (cells.t != cell.t) | (cells.cell_id != cell.cell_id)
    window = labels[_around(cell)]
    window[window == cell.cell_id] = 0
    return cells.take(np.flatnonzero(keep))


def redraw(cells: Iterable[DrawnCell], before: Labels, after: Labels) -> tuple[list[DrawnCell], Labels]:
    """Draw the cells that a new segmentation lacks onto a copy of it, under ids that are free there.

    Parameters
    ----------
    cells
        Drawn by hand on `before`.
    before, after
        ``(T, Z, Y, X)``; a cell is lacking where `after` is background in the middle and over half of its pixels.
    """
    taken = int(after.max(initial=0))
    volume = after
    again: list[DrawnCell] = []
    for cell in cells:
        window = _around(cell)
        mask = before[window] == cell.cell_id
        middle = volume[cell.t, cell.z, nearest(cell.y), nearest(cell.x)]
        if not middle and 2 * np.count_nonzero(volume[window][mask]) <= np.count_nonzero(mask):
            taken = max(taken + 1, cell.cell_id)
            again.append(replace(cell, cell_id=taken))
            volume = volume.copy() if len(again) == 1 else volume
            paint(volume, again[-1])
    return again, volume


def nearest(coordinate: float) -> int:
    """Return the pixel that a coordinate lies in; pixel centres are whole numbers."""
    return int(np.floor(coordinate + 0.5))


def _measured(labels: Labels, cell: DrawnCell) -> CellTable:
    window = _around(cell)
    places = np.stack(np.nonzero(labels[window] == cell.cell_id), axis=1)
    places += [side.start for side in window[1:]]
    low, high = places.min(axis=0), places.max(axis=0) + 1
    z, y, x = places.mean(axis=0)[:, None]
    return CellTable(
        cell_id=np.array([cell.cell_id], dtype=np.int64),
        t=np.array([cell.t], dtype=np.int32),
        z=z,
        y=y,
        x=x,
        bbox=np.concatenate((low, high)).astype(np.int32)[None],
        area=np.array([len(places)], dtype=np.int64),
        at_border=np.array([low[1:].min() == 0 or (high[1:] == labels.shape[2:]).any()]),
    )


def _around(cell: DrawnCell) -> Box:
    reach = cell.diameter / 2 + 2
    across = slice(max(0, int(cell.x - reach)), int(cell.x + reach) + 1)
    down = slice(max(0, int(cell.y - reach)), int(cell.y + reach) + 1)
    return cell.t, slice(cell.z, cell.z + 1), down, across
