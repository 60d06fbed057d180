"""The cell table: where each cell is. One row a cell and time point; rows are the handle everything else uses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Labels = NDArray[np.integer[Any]]


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
        raise NotImplementedError

    def take(self, rows: NDArray[np.integer[Any]]) -> CellTable:
        """Return the table of these rows, in this order."""
        raise NotImplementedError

    def append(self, other: CellTable) -> CellTable:
        """Return a table with the rows of `other` after these."""
        raise NotImplementedError

    def to_frame(self) -> pd.DataFrame:
        """Return columns cell_id, t, z, y, x, area, at_border."""
        raise NotImplementedError

    @classmethod
    def from_labels(cls, labels: Labels) -> CellTable:
        """Measure the cells of a label volume, frame by frame, without ``np.unique`` on all of it.

        Parameters
        ----------
        labels
            ``(T, Z, Y, X)`` integers, 0 is background. Rows come sorted by t, then cell_id.
        """
        raise NotImplementedError
