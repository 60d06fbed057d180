"""Crops per second from a field in memory."""

from __future__ import annotations

import numpy as np

from benchmarks.table import Row, median_seconds
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.crops import crop_cells
from napari_cellstage.core.images import from_array
from napari_cellstage.core.windows import Windows

FIELD, CELLS, SIZE, TARGET = 4096, 20_000, 64, 50_000
FITTED_TARGET = 2_000


def rows() -> list[Row]:
    rng = np.random.default_rng(0)
    field = rng.integers(0, 4096, (2, FIELD, FIELD), dtype=np.uint16)
    stack, cells = from_array(field, "CYX", "random field"), _cells_anywhere(rng)
    return [_row(stack, cells, (0,)), _row(stack, cells, (0, 1)), _fitted_row(stack, cells)]


def _row(stack, cells: CellTable, channels: tuple[int, ...]) -> Row:
    rate = CELLS / median_seconds(lambda: crop_cells(stack, cells, SIZE, channels))
    what = f"crops of {SIZE} x {SIZE} a second, {len(channels)} of 2 channels, field of {FIELD} x {FIELD} in memory"
    return Row(what, f"{rate:,.0f}", f">= {TARGET:,}", rate >= TARGET)


def _fitted_row(stack, cells: CellTable) -> Row:
    """Crops that fit cells of 20 to 120 pixels, resampled; a network on a CPU takes some hundred a second."""
    windows = Windows.fitted(cells, stack.shape[3:], SIZE, 1.3)
    rate = CELLS / median_seconds(lambda: crop_cells(stack, cells, windows, (0,)))
    what = f"crops fitted to the cell and resampled to {SIZE} x {SIZE} a second, 1 channel"
    return Row(what, f"{rate:,.0f}", f">= {FITTED_TARGET:,}", rate >= FITTED_TARGET)


def _cells_anywhere(rng: np.random.Generator) -> CellTable:
    y, x = rng.uniform(0, FIELD - 1, (2, CELLS))
    half = rng.integers(10, 60, CELLS)
    box = np.stack([np.zeros(CELLS), y - half, x - half, np.ones(CELLS), y + half, x + half], axis=1)
    return CellTable(
        cell_id=np.arange(1, CELLS + 1),
        t=np.zeros(CELLS, dtype=np.int32),
        z=np.zeros(CELLS),
        y=y,
        x=x,
        bbox=box.astype(np.int32),
        area=np.full(CELLS, 1000),
        at_border=np.zeros(CELLS, dtype=bool),
    )


if __name__ == "__main__":
    for row in rows():
        print(row)
