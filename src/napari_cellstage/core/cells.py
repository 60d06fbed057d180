"""The cell table: where each cell is. One row a cell and time point; rows are the handle everything else uses."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellsError

if TYPE_CHECKING:
    import pandas as pd

Labels = NDArray[np.integer[Any]]
DEFAULT_DIAMETER = 20.0
_RUN_FIELDS = ("value", "z", "y", "x", "length")


@dataclass(frozen=True)
class CellTable:
    """Cells of one image, in rows.

    Every array has one entry (or row) a cell. A cell is named by ``(t, cell_id)``.

    Parameters
    ----------
    cell_id
        int64; the label value in the segmentation, never 0.
    t
        int32; time point.
    z, y, x
        float64; centroid, in pixels.
    bbox
        int32 ``(N, 6)``: z0, y0, x0, z1, y1, x1, ends exclusive.
    area
        int64; number of pixels.
    at_border
        bool; the cell touches the edge of the image in y or x, so part of it may be missing.
    """

    cell_id: NDArray[np.int64]
    t: NDArray[np.int32]
    z: NDArray[np.float64]
    y: NDArray[np.float64]
    x: NDArray[np.float64]
    bbox: NDArray[np.int32]
    area: NDArray[np.int64]
    at_border: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.cell_id)

    @cached_property
    def _row_of(self) -> dict[tuple[int, int], int]:
        return {key: row for row, key in enumerate(zip(self.t.tolist(), self.cell_id.tolist(), strict=True))}

    def row(self, t: int, cell_id: int) -> int | None:
        """Return the row of a cell, or None when there is no such cell."""
        return self._row_of.get((t, cell_id))

    @property
    def typical_diameter(self) -> float:
        """Diameter in pixels of a disc (or ball) of the median cell's size; 20 when there are no cells."""
        if not len(self):
            return DEFAULT_DIAMETER
        size = float(np.median(self.area))
        flat = bool(np.all(self.bbox[:, 3] - self.bbox[:, 0] <= 1))
        return float(2 * np.sqrt(size / np.pi)) if flat else float(2 * np.cbrt(size * 3 / (4 * np.pi)))

    def take(self, rows: NDArray[np.integer[Any]]) -> CellTable:
        """Return the table of these rows, in this order."""
        return CellTable(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})

    def append(self, other: CellTable) -> CellTable:
        """Return a table with the rows of `other` after these."""
        return _joined([self, other])

    def to_frame(self) -> pd.DataFrame:
        """Return columns cell_id, t, z, y, x, area, at_border."""
        columns = ("cell_id", "t", "z", "y", "x", "area", "at_border")
        import pandas as pd  # takes half a second, which the opening dock would wait for

        return pd.DataFrame({name: getattr(self, name) for name in columns})

    @classmethod
    def empty(cls) -> CellTable:
        """Return a table without rows."""
        return _measure(0, np.empty((len(_RUN_FIELDS), 0), dtype=np.int64), (1, 1))

    @classmethod
    def from_labels(cls, labels: Labels) -> CellTable:
        """Measure the cells of a label volume, frame by frame, without ``np.unique`` on all of it.

        Each row of pixels is cut into runs of one value; all measures are sums over runs, of which there are about
        a twentieth as many as pixels. Label values may be as large and as sparse as they like; all pixels of a frame
        that share a value are one cell, whether they touch or not.

        Parameters
        ----------
        labels
            ``(T, Z, Y, X)`` integers (numpy or dask), 0 is background; values below 0 are taken as background too.
            Rows come sorted by t, then cell_id.

        Raises
        ------
        CellsError
            If there are not four axes.
        """
        if len(labels.shape) != 4:
            raise CellsError(
                f"Labels have the shape {tuple(labels.shape)}, but four axes T, Z, Y, X are needed. "
                "Pass them through adopt_labels first."
            )
        tables = []
        for t in range(labels.shape[0]):
            runs = [_runs(np.asarray(labels[t, z]), z) for z in range(labels.shape[1])]
            joined = np.concatenate(runs, axis=1) if runs else np.empty((len(_RUN_FIELDS), 0), np.int64)
            tables.append(_measure(t, joined, labels.shape[2:]))
        return _joined(tables) if tables else cls.empty()


def _joined(tables: list[CellTable]) -> CellTable:
    parts = {one.name: [getattr(table, one.name) for table in tables] for one in fields(CellTable)}
    return CellTable(**{name: np.concatenate(arrays) for name, arrays in parts.items()})


def _runs(plane: NDArray[np.integer[Any]], z: int) -> NDArray[np.int64]:
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
    return np.stack((value[cell], np.full(len(x), z, dtype=np.int64), y, x, length[cell]))


def _measure(t: int, runs: NDArray[np.int64], plane_shape: tuple[int, ...]) -> CellTable:
    """Sum the runs of one frame up, cell by cell."""
    runs = runs[:, np.argsort(runs[0], kind="stable")]
    value, z, y, x, length = runs
    first = np.flatnonzero(np.diff(value, prepend=0))
    area = _reduce(np.add, length, first)
    # The mean x of a run from x over n pixels is x + (n - 1) / 2.
    centre = [_reduce(np.add, part * length, first) / area for part in (z, y, x + (length - 1) / 2)]
    low = [_reduce(np.minimum, part, first) for part in (z, y, x)]
    high = [_reduce(np.maximum, part, first) for part in (z + 1, y + 1, x + length)]
    bbox = np.stack((*low, *high), axis=1).astype(np.int32)
    at_border = (bbox[:, 1:3] == 0).any(axis=1) | (bbox[:, 4:6] == plane_shape).any(axis=1)
    return CellTable(
        cell_id=value[first],
        t=np.full(len(first), t, dtype=np.int32),
        z=centre[0],
        y=centre[1],
        x=centre[2],
        bbox=bbox,
        area=area,
        at_border=at_border,
    )


def _reduce(operation: np.ufunc, values: NDArray[Any], first: NDArray[np.intp]) -> NDArray[Any]:
    return operation.reduceat(values, first) if len(first) else values[:0]
