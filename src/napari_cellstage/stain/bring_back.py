"""Predicted stains brought from the model's pixel size to that of the image, part by part."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.stain.one_image import PutStains
from napari_cellstage.stain.prediction_store import IN_MEMORY
from napari_cellstage.stain.resample import Line, resampled_part

Floats = NDArray[np.float32]
PART = 512  # rows that are brought back at a time


class BroughtBack:
    """Takes parts in the model's pixel size, and hands all on in the image's when it is finished.

    Parameters
    ----------
    put
        Takes parts in the image's pixel size.
    shape
        S, Zout, Y, X in the model's.
    size
        Rows and columns of the image; where they are the same, parts are handed on at once.
    """

    def __init__(self, put: PutStains, shape: tuple[int, ...], size: tuple[int, int]) -> None:
        self._put, self._shape, self._size = put, shape, size
        self._same = shape[2:] == size
        self._scratch = tempfile.TemporaryDirectory(prefix="cellstage-", ignore_cleanup_errors=True)
        self._both = None if self._same else _blank((2, *shape), Path(self._scratch.name) / "stain.npy")

    def put(self, row: int, column: int, mean: Floats, width: Floats) -> None:
        """Take a part ``(S, Zout, h, w)`` of mean and uncertainty."""
        if self._both is None:
            return self._put(row, column, mean, width)
        self._both[:, :, :, row : row + mean.shape[2], column : column + mean.shape[3]] = mean, width
        return None

    def finish(self) -> None:
        """Hand on what was kept."""
        if self._both is None:
            return
        lines = [Line(own, wanted) for own, wanted in zip(self._shape[2:], self._size, strict=True)]
        for rows in _parts(self._size[0], PART):
            for columns in _parts(self._size[1], 4 * PART):
                mean, width = resampled_part(self._read, lines[0], lines[1], rows, columns)
                self._put(rows.start, columns.start, mean, width)

    def close(self) -> None:
        """Let go of what was kept."""
        self._both = None
        self._scratch.cleanup()

    def _read(self, rows: slice, columns: slice) -> Floats:
        assert self._both is not None
        return self._both[..., rows, columns]


def _parts(length: int, size: int) -> list[range]:
    return [range(start, min(start + size, length)) for start in range(0, length, size)]


def _blank(shape: tuple[int, ...], file: Path) -> Floats:
    if 4 * int(np.prod(shape, dtype=np.int64)) <= IN_MEMORY:
        return np.zeros(shape, np.float32)
    return np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=shape)
