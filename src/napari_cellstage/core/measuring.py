"""Where cells are and how large, summed up box by box, so that labels never need to be in memory as a whole.

Each row of pixels is cut into runs of one value; all measures are sums over runs, of which there are about a
twentieth as many as pixels. A cell that lies in several boxes has a part in each; parts add up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_RUN_FIELDS = ("value", "z", "y", "x", "length")
# Columns of the parts: sums of pixels and of their places, then the box.
_SUMS, _LOWS, _HIGHS = slice(0, 4), slice(4, 7), slice(7, 10)
_COLUMNS = 10


class CellMeasures:
    """Adds up cells from boxes of labels that cover an image, each pixel once."""

    def __init__(self) -> None:
        self._parts: dict[int, list[tuple[NDArray[np.int64], NDArray[np.float64]]]] = {}

    def add(self, t: int, corner: tuple[int, int, int], labels: NDArray[np.integer[Any]]) -> None:
        """Add a box ``(dz, dy, dx)`` whose first pixel is at `corner` (z, y, x); 0 and below are background.

        All pixels of a frame that share a value are one cell, whether they touch or not.
        """
        self.put(t, *parts_of(labels, corner))

    def put(self, t: int, values: NDArray[np.int64], parts: NDArray[np.float64]) -> None:
        """Add what `parts_of` returned."""
        kept = self._parts.setdefault(t, [])
        if len(values):
            kept.append((values, parts))

    def renamed(self, names: dict[int, int]) -> CellMeasures:
        """Return the sums with some cells made parts of others: the value of the whole by that of a part."""
        old = np.array(sorted(names), dtype=np.int64)
        new = np.array([names[value] for value in sorted(names)], dtype=np.int64)
        other = CellMeasures()
        for t, kept in self._parts.items():
            for values, parts in kept:
                places = np.minimum(np.searchsorted(old, values), len(old) - 1)
                other.put(t, np.where(old[places] == values, new[places], values), parts)
        return other

    def columns(self, plane_shape: tuple[int, ...]) -> dict[str, NDArray[Any]]:
        """Return the columns of a `CellTable`, sorted by t, then cell_id.

        Parameters
        ----------
        plane_shape
            Height and width of the image, to tell which cells touch its edge.
        """
        frames = [_frame_columns(t, self._parts[t], plane_shape) for t in sorted(self._parts)]
        frames = frames or [_frame_columns(0, [], plane_shape)]
        return {name: np.concatenate([frame[name] for frame in frames]) for name in frames[0]}


def parts_of(
    labels: NDArray[np.integer[Any]], corner: tuple[int, int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the values in a box, sorted, and their sums and extents, float64 ``(n, 10)``."""
    runs = [_runs(plane, (corner[0] + z, *corner[1:])) for z, plane in enumerate(labels)]
    joined = np.concatenate(runs, axis=1) if runs else np.empty((len(_RUN_FIELDS), 0), np.int64)
    value, z, y, x, length = joined
    parts = np.empty((len(value), _COLUMNS))
    # The mean x of a run from x over n pixels is x + (n - 1) / 2.
    for column, part in enumerate((length, z * length, y * length, (x + (length - 1) / 2) * length)):
        parts[:, column] = part
    parts[:, _LOWS] = np.stack((z, y, x), axis=1)
    parts[:, _HIGHS] = np.stack((z + 1, y + 1, x + length), axis=1)
    return _added_up(value, parts)


def _runs(plane: NDArray[np.integer[Any]], corner: tuple[int, int, int]) -> NDArray[np.int64]:
    """Return the runs of equal non-zero values along x, int64 ``(5, runs)`` as named in `_RUN_FIELDS`."""
    height, width = plane.shape
    if not plane.size:
        return np.empty((len(_RUN_FIELDS), 0), dtype=np.int64)
    begins = np.ones((height, width), dtype=bool)
    np.not_equal(plane[:, 1:], plane[:, :-1], out=begins[:, 1:])
    start = np.flatnonzero(begins)
    value = plane[begins].astype(np.int64)
    length = np.diff(start, append=plane.size)
    cell = value > 0
    y, x = np.divmod(start[cell], width)
    z = np.full(len(x), corner[0], dtype=np.int64)
    return np.stack((value[cell], z, y + corner[1], x + corner[2], length[cell]))


def _added_up(values: NDArray[np.int64], parts: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Join the parts of each value; sums of places stay exact in float64, being below 2**53."""
    order = np.argsort(values, kind="stable")
    values, parts = values[order], parts[order]
    first = np.flatnonzero(np.diff(values, prepend=0))
    if not len(first):
        return values[:0], parts[:0]
    joined = [
        np.add.reduceat(parts[:, _SUMS], first),
        np.minimum.reduceat(parts[:, _LOWS], first),
        np.maximum.reduceat(parts[:, _HIGHS], first),
    ]
    return values[first], np.concatenate(joined, axis=1)


def _frame_columns(
    t: int, parts: list[tuple[NDArray[np.int64], NDArray[np.float64]]], plane_shape: tuple[int, ...]
) -> dict[str, NDArray[Any]]:
    all_values = np.concatenate([np.empty(0, np.int64), *(values for values, _ in parts)])
    values, sums = _added_up(all_values, np.concatenate([np.empty((0, _COLUMNS)), *(part for _, part in parts)]))
    area = sums[:, 0]
    bbox = sums[:, 4:].astype(np.int32)
    at_border = (bbox[:, 1:3] == 0).any(axis=1) | (bbox[:, 4:6] == plane_shape).any(axis=1)
    z, y, x = (sums[:, 1:4] / area[:, None]).T
    return {
        "cell_id": values,
        "t": np.full(len(values), t, dtype=np.int32),
        "z": z.copy(),
        "y": y.copy(),
        "x": x.copy(),
        "bbox": bbox,
        "area": area.astype(np.int64),
        "at_border": at_border,
    }
