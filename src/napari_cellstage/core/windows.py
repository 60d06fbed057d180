"""Where each crop lies in its image, how large, and how it is brought to the size that the network sees.

A crop's pixel ``(size // 2, size // 2)`` shows the image at the cell's centre. A step of 1 copies pixels; any other
resamples them: by straight lines where the crop is enlarged, by areas where it is reduced, so that nothing flickers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import CellsError

LARGEST_SIDE = 2048  # image pixels across one window; a larger cell is shown in part
LEAST_SIDE = 3
Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """One axis of a window.

    Parameters
    ----------
    low
        First image pixel, counted from the centre's.
    length
        How many image pixels.
    weights
        ``(size, length)`` float32, from image pixels to crop pixels; None: they are the same.
    """

    low: int
    length: int
    weights: Weights | None


@dataclass(frozen=True)
class Windows:
    """A square (in the sample, not always in pixels) around each of ``N`` cells.

    Parameters
    ----------
    y, x
        ``(N,)`` image pixel at the centre.
    steps
        ``(N, 2)`` float64; image pixels a crop pixel, in y and x.
    size
        Side of the crops in pixels.
    """

    y: NDArray[np.intp]
    x: NDArray[np.intp]
    steps: NDArray[np.float64]
    size: int

    @classmethod
    def fixed(
        cls, cells: CellTable, shape: tuple[int, int], size: int, step: tuple[float, float] = (1.0, 1.0)
    ) -> Windows:
        """Make windows of one size around the centroids.

        Parameters
        ----------
        cells
            ``N`` of them.
        shape
            Height and width of the image.
        size
            Side of the crops in pixels.
        step
            Image pixels a crop pixel, in y and x.
        """
        _check_size(size)
        steps = np.tile(np.minimum(np.asarray(step, dtype=np.float64), LARGEST_SIDE / size), (len(cells), 1))
        return cls(nearest_pixel(cells.y, shape[0]), nearest_pixel(cells.x, shape[1]), steps, size)

    @classmethod
    def fitted(cls, cells: CellTable, shape: tuple[int, int], size: int, margin: float) -> Windows:
        """Make windows that fit each cell: the longer side of its box, times `margin`, fills the crop."""
        _check_size(size)
        box = cells.bbox.astype(np.float64)
        middle = (box[:, [1, 2]] + box[:, [4, 5]] - 1) / 2
        longer = (box[:, [4, 5]] - box[:, [1, 2]]).max(axis=1, initial=1)
        # Whole pixels, so that many cells share one step and are resampled together.
        sides = np.clip(np.ceil(longer * margin), LEAST_SIDE, LARGEST_SIDE)
        steps = np.repeat(sides[:, None] / size, 2, axis=1)
        return cls(nearest_pixel(middle[:, 0], shape[0]), nearest_pixel(middle[:, 1], shape[1]), steps, size)

    def __len__(self) -> int:
        return len(self.y)

    def groups(self, rows: NDArray[np.intp]) -> list[tuple[NDArray[np.intp], Span, Span]]:
        """Return which entries of `rows` share a step, with the two axes of their windows."""
        steps = self.steps[rows]
        if (steps == steps[:1]).all():
            parts = [(np.arange(len(rows)), steps[0])] if len(rows) else []
        else:
            kinds, which = np.unique(steps, axis=0, return_inverse=True)
            parts = [(np.flatnonzero(which.ravel() == number), kind) for number, kind in enumerate(kinds)]
        return [(some, span(self.size, float(step[0])), span(self.size, float(step[1]))) for some, step in parts]


@lru_cache(maxsize=512)
def span(size: int, step: float) -> Span:
    """Return one axis of a window of `size` crop pixels, `step` image pixels each."""
    if step == 1.0:
        return Span(-(size // 2), size, None)
    places = (np.arange(size) - size // 2) * step
    reach = max(step, 1.0)
    low, high = int(np.floor(places[0] - reach)) + 1, int(np.ceil(places[-1] + reach)) - 1
    away = np.abs(places[:, None] - np.arange(low, high + 1)) / reach
    weights = np.maximum(1 - away, 0)
    return Span(low, high - low + 1, (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32))


def resampled(windows: NDArray[np.generic], down: Span, across: Span) -> NDArray[np.generic]:
    """Bring windows ``(N, C, h, w)`` to crops: as they are where no axis has weights, else float32."""
    if down.weights is None and across.weights is None:
        return windows
    # One pixel that is no number would take its whole row and column with it.
    values = np.nan_to_num(windows.astype(np.float32), copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    if across.weights is not None:
        values = values @ across.weights.T
    return values if down.weights is None else np.matmul(down.weights, values)


def nearest_pixel(centres: NDArray[np.floating[Any]], length: int) -> NDArray[np.intp]:
    """Return the index of the pixel each centre lies in, within ``0..length - 1``; halves go up."""
    return np.clip(np.floor(np.asarray(centres) + 0.5), 0, length - 1).astype(np.intp)


def _check_size(size: int) -> None:
    if size < 1:
        raise CellsError(f"A crop of {size} pixels can't be cut. Choose a crop size of 1 or more.")
