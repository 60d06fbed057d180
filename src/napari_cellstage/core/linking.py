"""Following cells over time: by overlap where that leaves no doubt, else by laptrack, which weighs all cells at once.

Two cells of neighbouring frames whose intersection is over half of their union are the same cell: no third cell can
share as much with either. What is left, laptrack links so that the sum of squared distances is smallest; then it
joins the pieces over frames in which a cell was missed, and finds mothers for cells that appear beside another.
Frames are read in pairs, so that memory does not grow with the movie.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.link_settings import LinkSettings
from napari_cellstage.core.overlaps import frame_overlaps
from napari_cellstage.core.tracks import Parents, Tracks

if TYPE_CHECKING:
    from laptrack import LapTrack

    from napari_cellstage.core.volumes import LabelVolume

Node = tuple[int, int]  # frame, and place among the cells of the frame
Edge = tuple[Node, Node]
Coordinates = list[NDArray[np.float64]]
# A daughter has about half of its mother's area and is about as large as its sister; what is not is a cell that
# comes into view beside another, or a piece that finding the cells has broken off.
LARGEST_DAUGHTER = 0.9
SMALLEST_SISTER = 0.5


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
    coordinates, rows = _coordinates(cells, frames, pixel_size_um)
    reach = settings.max_distance * cells.typical_diameter
    links: list[Edge] = []
    for t in range(frames - 1):
        if should_stop():
            return None
        sure = _sure_links(labels, cells, t, settings.overlap)
        links += [*_edges(t, sure), *_edges(t, _likely_links(coordinates[t], coordinates[t + 1], sure, reach))]
        yield t + 1, frames
    if should_stop():
        return None
    graph = _without_glimpses(_joined(coordinates, links, reach, settings), frames - 1)
    yield frames, frames
    return _tracks(graph, rows, len(cells))


def _check(frames: int, cells: int) -> None:
    if frames < 2:
        raise CellsError("This image has one time point, so there is nothing to follow. Open a movie (axis T).")
    if not cells:
        raise CellsError("There are no cells to follow. Find the cells first, in all time points.")


def _coordinates(
    cells: CellTable, frames: int, size: tuple[float, float, float] | None
) -> tuple[Coordinates, list[NDArray[np.int64]]]:
    """Return z, y, x and radius of the cells of each frame, in pixels of y, and their rows in the table.

    The radius makes a cell of the same size nearer than another one, as far as the two differ in size.
    """
    z_step = size[0] / size[1] if size else 1.0
    deep = bool(np.any(cells.bbox[:, 3] - cells.bbox[:, 0] > 1))
    radius = np.cbrt(cells.area * z_step * 3 / (4 * np.pi)) if deep else np.sqrt(cells.area / np.pi)
    places = np.stack((cells.z * z_step, cells.y, cells.x, radius), axis=1)
    rows = [np.flatnonzero(cells.t == t) for t in range(frames)]
    return [places[some] for some in rows], rows


def _sure_links(labels: LabelVolume | NDArray[Any], cells: CellTable, t: int, least: float) -> NDArray[np.int64]:
    """Return ``(M, 2)`` places in frame t and t + 1 of cells that share more than `least` of their pixels."""
    pairs, shared = frame_overlaps(labels, t)
    sides = []
    areas = np.zeros(len(pairs), dtype=np.int64)
    for side in (0, 1):
        here = np.flatnonzero(cells.t == t + side)
        order = np.argsort(cells.cell_id[here])
        place = order[np.searchsorted(cells.cell_id[here], pairs[:, side], sorter=order)]
        areas += cells.area[here[place]]
        sides.append(place)
    places: NDArray[np.int64] = np.stack(sides, axis=1)[shared / np.maximum(areas - shared, 1) > least]
    return places


def _likely_links(
    first: NDArray[np.float64], second: NDArray[np.float64], sure: NDArray[np.int64], reach: float
) -> NDArray[np.int64]:
    """Return ``(M, 2)`` places of cells that no overlap has linked, by laptrack."""
    left, right = (np.setdiff1d(np.arange(len(some)), sure[:, side]) for side, some in enumerate((first, second)))
    if not (len(left) and len(right)):
        return np.zeros((0, 2), dtype=np.int64)
    graph = _tracker(cutoff=reach**2, gap_closing_cutoff=False).predict([first[left], second[right]])
    found = [(a[1], b[1]) for a, b in graph.edges]
    places = np.array(found, dtype=np.int64).reshape(-1, 2)
    return np.stack((left[places[:, 0]], right[places[:, 1]]), axis=1)


def _edges(t: int, places: NDArray[np.int64]) -> list[Edge]:
    return [((t, first), (t + 1, second)) for first, second in places.tolist()]


def _joined(coordinates: Coordinates, links: list[Edge], reach: float, settings: LinkSettings) -> Any:
    """Return all cells as a directed graph of `Node`: the links, gaps closed, and daughters tied to their mothers."""
    # Left to itself laptrack takes the cost of "no link" from the links that it could make; where those are few,
    # that refuses good ones. So whatever is within reach is worth a link.
    alternatives = ("segment_start_cost", "segment_end_cost", "no_splitting_cost", "no_merging_cost")
    tracker = _tracker(
        cutoff=0.0,  # neighbouring frames are linked already
        gap_closing_cutoff=reach**2 if settings.gap else False,
        gap_closing_metric=_moved,
        gap_closing_max_frame_count=settings.gap + 1,
        splitting_cutoff=reach**2 if settings.divisions else False,
        splitting_metric=_unlike_daughter,
        **dict.fromkeys(alternatives, 1.05 * reach**2),
    )
    return tracker.predict(_with_heirs(coordinates, links), connected_edges=links)


def _tracker(**choices: Any) -> LapTrack:
    from laptrack import LapTrack  # slow to load

    return LapTrack(**choices)


def _with_heirs(coordinates: Coordinates, links: list[Edge]) -> Coordinates:
    """Return coordinates with a column more: the radius of the cell that each is linked to in the next frame, or 0."""
    wider = [np.pad(some, ((0, 0), (0, 1))) for some in coordinates]
    for (t, place), (later, heir) in links:
        wider[t][place, -1] = coordinates[later][heir, 3]
    return wider


def _moved(last: NDArray[np.float64], first: NDArray[np.float64]) -> float:
    """Return how unlike two cells are that may be one."""
    return float(np.sum((last[:4] - first[:4]) ** 2))


def _unlike_daughter(daughter: NDArray[np.float64], mother: NDArray[np.float64]) -> float:
    """Return the squared distance of a new cell and one before it; infinite when their sizes speak against it."""
    area, whole, sister = daughter[3] ** 2, mother[3] ** 2, mother[4] ** 2
    too_large = max(area, sister) > LARGEST_DAUGHTER * whole
    unequal = sister and min(area, sister) < SMALLEST_SISTER * max(area, sister)
    return float("inf") if too_large or unequal else float(np.sum((daughter[:3] - mother[:3]) ** 2))


def _without_glimpses(graph: Any, last: int) -> Any:
    """Take back divisions of which one daughter is seen in a single frame: finding has split a cell for a moment."""
    for node in [one for one in graph if graph.out_degree(one) > 1]:
        gone = [heir for heir in graph.successors(node) if not graph.out_degree(heir) and heir[0] < last]
        graph.remove_edges_from((node, heir) for heir in gone)
    return graph


def _tracks(graph: Any, rows: list[NDArray[np.int64]], count: int) -> Tracks:
    """Give numbers to the paths between divisions, from the first frame on."""
    track_id = np.zeros(count, dtype=np.int64)
    parents: Parents = {}
    last = 0
    for node in sorted(graph.nodes):
        before = list(graph.predecessors(node))
        if len(before) == 1 and graph.out_degree(before[0]) == 1:
            track_id[_row(rows, node)] = track_id[_row(rows, before[0])]
            continue
        last += 1
        track_id[_row(rows, node)] = last
        if before:
            parents[last] = tuple(int(track_id[_row(rows, one)]) for one in before)
    return Tracks(track_id, parents)


def _row(rows: list[NDArray[np.int64]], node: Node) -> int:
    return int(rows[node[0]][node[1]])
