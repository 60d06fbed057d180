"""Joining what was linked from frame to frame: over frames in which a cell was missed, and daughters to mothers.

laptrack does it for all cells at once. It is shown only what can matter: where pieces of tracks begin and end, and
which cells are near a beginning in the frame before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.link_settings import LinkSettings
from napari_cellstage.core.tracks import Parents, Tracks

if TYPE_CHECKING:
    from laptrack import LapTrack

Rows = NDArray[np.int64]
Heirs = list[list[int]]
# A daughter has about half of its mother's area and is about as large as its sister; what is not is a cell that
# comes into view beside another, or a piece that finding the cells has broken off.
LARGEST_DAUGHTER = 0.9
SMALLEST_SISTER = 0.5


def tracker(**choices: Any) -> LapTrack:
    """Return laptrack with these choices."""
    from laptrack import LapTrack  # slow to load

    return LapTrack(**choices)


def joined(
    places: NDArray[np.float64], t: NDArray[np.integer[Any]], later: Rows, reach: float, settings: LinkSettings
) -> Tracks:
    """Return the tracks that links between neighbouring frames make, gaps closed and daughters tied to mothers.

    Parameters
    ----------
    places
        ``(N, 4)`` z, y, x and radius of each cell, in pixels.
    t
        ``(N,)`` its frame.
    later
        ``(N,)`` row of the same cell in the next frame, -1 for none.
    reach
        How far a cell may be from where it was, in pixels.
    settings
        Whether, and over how many frames.
    """
    heirs: Heirs = [[row] if row >= 0 else [] for row in later.tolist()]
    for before, after in _joints(places, t, later, reach, settings):
        heirs[before].append(after)
    _forget_glimpses(heirs, t)
    return _tracks(heirs, t)


def _joints(
    places: NDArray[np.float64], t: NDArray[np.integer[Any]], later: Rows, reach: float, settings: LinkSettings
) -> list[tuple[int, int]]:
    """Return pairs of rows that laptrack joins."""
    piece = _pieces(t, later)
    kept = _that_matter(places, t, later, reach)
    frames = [kept[t[kept] == one] for one in range(int(t.max()) + 1)]
    node_of = {int(row): (frame, place) for frame, rows in enumerate(frames) for place, row in enumerate(rows)}
    order = kept[np.lexsort((t[kept], piece[kept]))]
    same = np.flatnonzero(piece[order][1:] == piece[order][:-1])
    known = [(node_of[int(order[at])], node_of[int(order[at + 1])]) for at in same]
    shown = _with_heirs(places, later)
    graph = _joiner(reach, settings).predict([shown[rows] for rows in frames], connected_edges=known)
    return [(int(frames[a[0]][a[1]]), int(frames[b[0]][b[1]])) for a, b in set(graph.edges) - set(known)]


def _pieces(t: NDArray[np.integer[Any]], later: Rows) -> Rows:
    """Return ``(N,)`` the first row of the chain of links that each row is in."""
    piece = np.arange(len(t))
    for row in np.argsort(t, kind="stable").tolist():
        if later[row] >= 0:
            piece[later[row]] = piece[row]
    return piece


def _that_matter(places: NDArray[np.float64], t: NDArray[np.integer[Any]], later: Rows, reach: float) -> Rows:
    """Return the rows where chains begin and end, and those within reach of a beginning in the frame before."""
    from scipy.spatial import KDTree

    begins = np.ones(len(t), dtype=bool)
    begins[later[later >= 0]] = False
    matters = begins | (later < 0)
    for one in np.unique(t[begins]):
        before = np.flatnonzero(t == one - 1)
        if len(before):
            starts = places[begins & (t == one), :3]
            near = KDTree(places[before, :3]).query_ball_point(starts, reach)
            matters[before[np.unique(np.concatenate(near).astype(np.int64))]] = True
    return np.flatnonzero(matters)


def _with_heirs(places: NDArray[np.float64], later: Rows) -> NDArray[np.float64]:
    """Return places with a column more: the radius of the same cell in the next frame, 0 where there is none."""
    return np.column_stack((places, np.where(later >= 0, places[later, 3], 0.0)))


def _joiner(reach: float, settings: LinkSettings) -> LapTrack:
    # Left to itself laptrack takes the cost of "no link" from the links that it could make; where those are few,
    # that refuses good ones. So whatever is within reach is worth a link.
    alternatives = ("segment_start_cost", "segment_end_cost", "no_splitting_cost", "no_merging_cost")
    return tracker(
        cutoff=0.0,  # neighbouring frames are linked already
        gap_closing_cutoff=reach**2 if settings.gap else False,
        gap_closing_metric=_moved,
        gap_closing_max_frame_count=settings.gap + 1,
        splitting_cutoff=reach**2 if settings.divisions else False,
        splitting_metric=_unlike_daughter,
        **dict.fromkeys(alternatives, 1.05 * reach**2),
    )


def _moved(last: NDArray[np.float64], first: NDArray[np.float64]) -> float:
    """Return how unlike two cells are that may be one."""
    return float(np.sum((last[:4] - first[:4]) ** 2))


def _unlike_daughter(daughter: NDArray[np.float64], mother: NDArray[np.float64]) -> float:
    """Return the squared distance of a new cell and one before it; infinite when their sizes speak against it."""
    area, whole, sister = daughter[3] ** 2, mother[3] ** 2, mother[4] ** 2
    too_large = max(area, sister) > LARGEST_DAUGHTER * whole
    unequal = sister and min(area, sister) < SMALLEST_SISTER * max(area, sister)
    return float("inf") if too_large or unequal else float(np.sum((daughter[:3] - mother[:3]) ** 2))


def _forget_glimpses(heirs: Heirs, t: NDArray[np.integer[Any]]) -> None:
    """Take back divisions of which one daughter is seen in a single frame: finding has split a cell for a moment."""
    last = t.max()
    for row, some in enumerate(heirs):
        if len(some) > 1:
            heirs[row] = [one for one in some if heirs[one] or t[one] == last]


def _tracks(heirs: Heirs, t: NDArray[np.integer[Any]]) -> Tracks:
    """Give numbers to the chains between divisions, from the first frame on."""
    track_id = np.zeros(len(t), dtype=np.int64)
    parents: Parents = {}
    last = 0
    for row in np.argsort(t, kind="stable").tolist():
        if not track_id[row]:
            last += 1
            track_id[row] = last
        own = int(track_id[row])
        if len(heirs[row]) == 1:
            track_id[heirs[row][0]] = own
        for heir in heirs[row] if len(heirs[row]) > 1 else ():
            last += 1
            track_id[heir] = last
            parents[last] = (own,)
    return Tracks(track_id, parents)
