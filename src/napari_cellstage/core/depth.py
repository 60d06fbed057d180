"""Which planes of a stack a crop shows, and how several become one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.windows import nearest_pixel

PlaneChoice = Literal["nearest", "focus", "maximum", "all"]


@dataclass(frozen=True)
class Depth:
    """Planes that show a cell.

    Parameters
    ----------
    choice
        nearest: the one its centroid lies in. focus: the sharpest, and maximum: the brightest pixels, of the planes
        it spans. all: `count` planes around its centroid, as channels; at the ends of the stack planes repeat.
    count
        How many planes for all; focus and maximum look at so many around a cell that was marked in one plane only.
    """

    choice: PlaneChoice = "nearest"
    count: int = 1

    @property
    def channels(self) -> int:
        """How many planes of each channel come out."""
        return self.count if self.choice == "all" else 1

    def pairs(self, cells: CellTable, depth: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Return rows, planes and places among the `channels` of all planes that are looked at."""
        centre = nearest_pixel(cells.z, depth)
        rows = np.arange(len(cells))
        if self.choice == "nearest" or (depth == 1 and self.choice != "all"):
            return rows, centre, np.zeros_like(rows)
        if self.choice == "all":
            places = np.tile(np.arange(self.count), len(cells))
            rows = np.repeat(rows, self.count)
            return rows, np.clip(centre[rows] + places - self.count // 2, 0, depth - 1), places
        low, high = self._spanned(cells, centre, depth)
        rows = np.repeat(rows, high - low)
        offsets = np.arange(len(rows)) - np.repeat(np.cumsum(high - low) - (high - low), high - low)
        return rows, low[rows] + offsets, np.zeros_like(rows)

    def _spanned(
        self, cells: CellTable, centre: NDArray[np.intp], depth: int
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        low, high = cells.bbox[:, 0].astype(np.intp), cells.bbox[:, 3].astype(np.intp)
        flat = high - low <= 1
        low, high = np.where(flat, centre - self.count // 2, low), np.where(flat, centre + self.count // 2 + 1, high)
        return np.clip(low, 0, depth - 1), np.clip(high, 1, depth)


class Combined:
    """Crops of cells, as their planes come one by one.

    Parameters
    ----------
    depth
        How planes become one.
    out
        ``(N, channels * C, size, size)``: written to; begins as zeros.
    """

    def __init__(self, depth: Depth, out: NDArray[Any]) -> None:
        self._choice, self._out = depth.choice, out
        self._seen = np.zeros(len(out), dtype=bool)
        self._sharpness = np.full(len(out), -np.inf)
        self._width = out.shape[1] // depth.channels

    def take(self, rows: NDArray[np.intp], places: NDArray[np.intp], crops: NDArray[Any]) -> None:
        """Take crops ``(n, C, size, size)`` of one plane; no row is in twice."""
        if self._choice == "nearest":
            self._out[rows] = crops
        elif self._choice == "all":
            self._out[rows[:, None], places[:, None] * self._width + np.arange(self._width)] = crops
        elif self._choice == "maximum":
            self._out[rows] = np.where(self._seen[rows, None, None, None], np.maximum(self._out[rows], crops), crops)
        else:
            sharper = (found := sharpness(crops)) > self._sharpness[rows]
            self._out[rows[sharper]] = crops[sharper]
            self._sharpness[rows[sharper]] = found[sharper]
        self._seen[rows] = True


def sharpness(crops: NDArray[Any]) -> NDArray[np.float64]:
    """Return how sharp crops ``(N, C, H, W)`` are: the variance of their second differences, all channels alike."""
    values = np.pad(np.asarray(crops, dtype=np.float32), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    middle = values[:, :, 1:-1, 1:-1]
    around = values[:, :, :-2, 1:-1] + values[:, :, 2:, 1:-1] + values[:, :, 1:-1, :-2] + values[:, :, 1:-1, 2:]
    spread = np.nan_to_num((4 * middle - around).var(axis=(2, 3), dtype=np.float64))
    return np.asarray(np.log(spread + 1e-12).sum(axis=1))


def by_plane(t: NDArray[np.integer[Any]], z: NDArray[np.intp]) -> Iterator[tuple[int, int, NDArray[np.intp]]]:
    """Yield t, z and which entries are of that plane."""
    if not len(t):
        return
    order = np.lexsort((z, t))
    breaks = np.flatnonzero((np.diff(t[order]) != 0) | (np.diff(z[order]) != 0)) + 1
    for some in np.split(order, breaks):
        yield int(t[some[0]]), int(z[some[0]]), some
