"""Following cells over time: by overlap where that leaves no doubt, else by laptrack, which weighs all cells at once.

Two cells of neighbouring frames whose intersection is over half of their union are the same cell: no third cell can
share as much with either. What is left, laptrack links so that the sum of squared distances is smallest. Missed
frames and divisions are the business of `joining`. Frames are read in pairs, so that memory does not grow with the
movie.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.joining import joined, tracker
from napari_cellstage.core.link_settings import LinkSettings
from napari_cellstage.core.overlaps import frame_overlaps
from napari_cellstage.core.tracks import Tracks

if TYPE_CHECKING:
    from napari_cellstage.core.volumes import LabelVolume


def link_cells(
    labels: LabelVolume | NDArray[Any],
    cells: CellTable,
    settings: LinkSettings,
    pixel_size_um: tuple[float, float, float] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[tuple[int, int], None, Tracks | None]:
    """Follow the cells of a movie from frame to frame.

    Parameters
    ----------
    labels
        ``(T, Z, Y, X)``; read two frames at a time.
    cells
        Their table.
    settings
        How far and over how many frames.
    pixel_size_um
        z, y, x; planes further apart than pixels count as such. None: all alike.
    should_stop
        Asked before each frame; after a stop None is returned.

    Yields
    ------
    tuple of int
        Frames done, and all.

    Raises
    ------
    CellsError
        If there is one time point only, or there are no cells.
    """
    frames = int(labels.shape[0])
    _check(frames, len(cells))
    places = _places(cells, pixel_size_um)
    reach = settings.max_distance * cells.typical_diameter
    later = np.full(len(cells), -1, dtype=np.int64)
    here = np.flatnonzero(cells.t == 0)
    for t in range(frames - 1):
        if should_stop():
            return None
        there = np.flatnonzero(cells.t == t + 1)
        sure = _sure_links(labels, cells, t, (here, there), settings.overlap)
        later[sure[:, 0]] = sure[:, 1]
        likely = _likely_links(places, np.setdiff1d(here, sure[:, 0]), np.setdiff1d(there, sure[:, 1]), reach)
        later[likely[:, 0]] = likely[:, 1]
        here = there
        yield t + 1, frames
    if should_stop():
        return None
    tracks = joined(places, cells.t, later, reach, settings)
    yield frames, frames
    return tracks


def _check(frames: int, cells: int) -> None:
    if frames < 2:
        raise CellsError("This image has one time point, so there is nothing to follow. Open a movie (axis T).")
    if not cells:
        raise CellsError("There are no cells to follow. Find the cells first, in all time points.")


def _places(cells: CellTable, size: tuple[float, float, float] | None) -> NDArray[np.float64]:
    """Return ``(N, 4)`` z, y, x and radius, in pixels of y.

    The radius makes a cell of the same size nearer than another one, as far as the two differ in size.
    """
    z_step = size[0] / size[1] if size else 1.0
    deep = bool(np.any(cells.bbox[:, 3] - cells.bbox[:, 0] > 1))
    radius = np.cbrt(cells.area * z_step * 3 / (4 * np.pi)) if deep else np.sqrt(cells.area / np.pi)
    return np.stack((cells.z * z_step, cells.y, cells.x, radius), axis=1)


def _sure_links(
    labels: LabelVolume | NDArray[Any],
    cells: CellTable,
    t: int,
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    least: float,
) -> NDArray[np.int64]:
    """Return ``(M, 2)`` rows in frame t and t + 1 of cells that share more than `least` of their pixels."""
    pairs, shared = frame_overlaps(labels, t)
    first, second = (_rows_named(cells, some, pairs[:, side]) for side, some in enumerate(rows))
    union = cells.area[first] + cells.area[second] - shared
    found: NDArray[np.int64] = np.stack((first, second), axis=1)[shared / np.maximum(union, 1) > least]
    return found


def _rows_named(cells: CellTable, rows: NDArray[np.int64], cell_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which of some rows have these ids."""
    order = np.argsort(cells.cell_id[rows])
    return rows[order[np.searchsorted(cells.cell_id[rows], cell_id, sorter=order)]]


def _likely_links(
    places: NDArray[np.float64], first: NDArray[np.int64], second: NDArray[np.int64], reach: float
) -> NDArray[np.int64]:
    """Return ``(M, 2)`` rows of cells of two frames that no overlap has linked, by laptrack."""
    if not (len(first) and len(second)):
        return np.zeros((0, 2), dtype=np.int64)
    graph = tracker(cutoff=reach**2, gap_closing_cutoff=False).predict([places[first], places[second]])
    found = [(first[a[1]], second[b[1]]) for a, b in graph.edges]
    return np.array(found, dtype=np.int64).reshape(-1, 2)
