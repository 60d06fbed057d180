"""Tracks: which cells of which frames are one and the same cell, and which tracks are daughters of which."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_cellstage.core.cells import CellTable

RowsOf = Callable[[NDArray[Any], NDArray[Any]], NDArray[np.int64]]
Parents = dict[int, tuple[int, ...]]
NO_TRACK = 0


@dataclass(frozen=True)
class Tracks:
    """The track of each row of a `CellTable`.

    Parameters
    ----------
    track_id
        ``(N,)`` int64; 1 or more, `NO_TRACK` for a cell that is in none. A track has one cell a frame at most, and
        ends where its cell divides.
    parents
        Tracks that began in a division, each with the track it came from.
    """

    track_id: NDArray[np.int64]
    parents: Parents = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.track_id)

    @property
    def count(self) -> int:
        """How many tracks there are."""
        return len(np.setdiff1d(self.track_id, NO_TRACK))

    @property
    def divisions(self) -> int:
        """How many cells divided."""
        return len({mother for mothers in self.parents.values() for mother in mothers})

    @property
    def text(self) -> str:
        """What was found, in a few words: "1 240 cells in 96 tracks, 14 divisions"."""
        cells = int(np.count_nonzero(self.track_id))
        parts = (_counted(cells, "cell"), _counted(self.count, "track"), _counted(self.divisions, "division"))
        return "{} in {}, {}".format(*parts)

    @cached_property
    def family(self) -> NDArray[np.int64]:
        """Return ``(N,)`` the first track of each cell's family: it, its daughters and their daughters share it."""
        roots = {int(track): self._root(int(track)) for track in np.unique(self.track_id)}
        known, place = np.unique(self.track_id, return_inverse=True)
        return np.array([roots[int(track)] for track in known], dtype=np.int64)[place]

    def rows_with(self, rows: NDArray[np.integer[Any]], frames: NDArray[np.integer[Any]] | None = None) -> NDArray[Any]:
        """Return the rows of the tracks that some rows are in, and those rows themselves.

        Parameters
        ----------
        rows
            ``(M,)``.
        frames
            ``(N,)`` frame of every row of the table: then only from each given row's frame on. None: the whole track.

        Returns
        -------
        ndarray
            int64, sorted, each row once. A track stops at a division: daughters are other cells.
        """
        rows = np.asarray(rows, dtype=np.int64)
        own = self.track_id[rows]
        tracked = own != NO_TRACK
        first = np.full(int(self.track_id.max(initial=0)) + 1, np.iinfo(np.int64).max)
        np.minimum.at(first, own[tracked], 0 if frames is None else frames[rows[tracked]])
        at = np.zeros(len(self), dtype=np.int64) if frames is None else frames
        wanted = (self.track_id != NO_TRACK) & (at >= first[self.track_id])
        return np.union1d(rows, np.flatnonzero(wanted))

    def placed(self, rows: NDArray[np.integer[Any]], count: int) -> Self:
        """Return the same tracks on another table of the same cells.

        Parameters
        ----------
        rows
            ``(N,)``; where each row has gone, -1 for a cell that is not there any more.
        count
            Length of the other table; its other rows are in no track.
        """
        track_id = np.full(count, NO_TRACK, dtype=np.int64)
        here = rows >= 0
        track_id[rows[here]] = self.track_id[here]
        return type(self)(track_id, _parents_among(self.parents, track_id))

    def vertices(self, cells: CellTable, axes: Iterable[int]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return what napari's Tracks layer draws.

        Parameters
        ----------
        cells
            The table that the tracks are of.
        axes
            Which of t, z, y, x (0 to 3) the layer has.

        Returns
        -------
        tuple of ndarray
            ``(M, 1 + axes)`` float64 with the columns track, t, z, y, x as far as there are, sorted by track and then
            frame; and ``(M,)`` the row of each.
        """
        rows = np.flatnonzero(self.track_id)
        rows = rows[np.lexsort((cells.t[rows], self.track_id[rows]))]
        places = (cells.t, cells.z, cells.y, cells.x)
        columns = [self.track_id[rows], *(places[axis][rows] for axis in axes)]
        return np.stack(columns, axis=1).astype(np.float64), rows

    def to_arrays(self, cells: CellTable) -> dict[str, NDArray[Any]]:
        """Return plain arrays for a file, cells by name instead of by row."""
        pairs = [(child, mother) for child, mothers in self.parents.items() for mother in mothers]
        return {
            "t": cells.t,
            "cell_id": cells.cell_id,
            "track_id": self.track_id,
            "parents": np.array(pairs, dtype=np.int64).reshape(-1, 2),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]], rows_of: RowsOf, count: int) -> Self | None:
        """Make what `to_arrays` wrote, on a table of `count` rows; None when something is missing."""
        try:
            parents: Parents = {}
            for child, mother in arrays["parents"].tolist():
                parents[child] = (*parents.get(child, ()), mother)
            rows = rows_of(arrays["t"], arrays["cell_id"])
            return cls(arrays["track_id"].astype(np.int64), parents).placed(rows, count)
        except KeyError:
            return None

    def _root(self, track: int) -> int:
        while track in self.parents:
            track = self.parents[track][0]
        return track


def _parents_among(parents: Parents, track_id: NDArray[np.int64]) -> Parents:
    """Return the parents as far as mother and daughter still have cells."""
    there = set(np.unique(track_id).tolist())
    kept = {child: tuple(m for m in mothers if m in there) for child, mothers in parents.items() if child in there}
    return {child: mothers for child, mothers in kept.items() if mothers}


def _counted(number: int, what: str) -> str:
    return f"{number:,}".replace(",", " ") + f" {what}" + ("" if number == 1 else "s")
