"""The cell table: where each cell is. One row a cell and time point; rows are the handle everything else uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.measuring import CellMeasures
from napari_cellstage.core.volumes import LabelVolume, blocks_of

if TYPE_CHECKING:
    import pandas as pd

Labels = NDArray[np.integer[Any]]
DEFAULT_DIAMETER = 20.0


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
        return cls(**CellMeasures().columns((1, 1)))

    @classmethod
    def from_labels(cls, labels: Labels | LabelVolume) -> CellTable:
        """Measure the cells of a label volume, block by block, without ``np.unique`` on all of it.

        Label values may be as large and as sparse as they like; all pixels of a frame that share a value are one
        cell, whether they touch or not.

        Parameters
        ----------
        labels
            ``(T, Z, Y, X)`` integers (numpy, dask or a volume on disk), 0 is background; values below 0 are taken as
            background too. Rows come sorted by t, then cell_id.

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
        if isinstance(labels, LabelVolume) and labels.cells is not None:
            return labels.cells
        measures = CellMeasures()
        for t, z, rows, columns in blocks_of(labels.shape):
            measures.add(t, (z, rows.start, columns.start), np.asarray(labels[t, z, rows, columns])[None])
        return cls(**measures.columns(labels.shape[2:]))

    def remeasured(
        self, labels: Labels | LabelVolume, t: int, cell_ids: Iterable[int], box: tuple[int, int, int, int, int, int]
    ) -> CellTable:
        """Return the table after a box of the labels was painted over; nothing but these cells is measured.

        Parameters
        ----------
        labels
            ``(T, Z, Y, X)`` as they are now.
        t
            Time point that was painted.
        cell_ids
            Cells that gained or lost pixels, appeared or vanished.
        box
            z0, y0, x0, z1, y1, x1 of what was painted.

        Returns
        -------
        CellTable
            Other rows keep their order; changed cells keep their row, new ones are last, in order of their ids.
        """
        ids = np.unique(np.fromiter(cell_ids, dtype=np.int64))
        changed = (self.t == t) & np.isin(self.cell_id, ids)
        boxes = np.concatenate((self.bbox[changed], np.array([box], dtype=np.int32)))
        (z0, y0, x0), (z1, y1, x1) = boxes[:, :3].min(axis=0).tolist(), boxes[:, 3:].max(axis=0).tolist()
        measures = CellMeasures()
        for z in range(z0, z1):
            plane = np.asarray(labels[t, z, y0:y1, x0:x1])
            measures.add(t, (z, y0, x0), np.where(np.isin(plane, ids), plane, 0)[None])
        return self._with(CellTable(**measures.columns(labels.shape[2:])), changed)

    def _with(self, measured: CellTable, changed: NDArray[np.bool_]) -> CellTable:
        """Return the table with changed rows as measured anew, without those that are gone, and new ones last."""
        places = np.flatnonzero(changed)
        ids = self.cell_id[places]
        stays = np.isin(ids, measured.cell_id)
        source = np.arange(len(self))
        source[places[stays]] = len(self) + np.searchsorted(measured.cell_id, ids[stays])
        new = len(self) + np.flatnonzero(~np.isin(measured.cell_id, ids))
        kept = np.delete(source, places[~stays])
        return self.append(measured).take(np.concatenate((kept, new)))


def _joined(tables: list[CellTable]) -> CellTable:
    parts = {one.name: [getattr(table, one.name) for table in tables] for one in fields(CellTable)}
    return CellTable(**{name: np.concatenate(arrays) for name, arrays in parts.items()})
