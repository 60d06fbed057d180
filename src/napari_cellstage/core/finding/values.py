"""Pixels as methods want them: finite float32, a single plane without its axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellsError


def volume_of(block: NDArray[Any], channel: int) -> NDArray[np.float32]:
    """Return one channel of a block ``(C, Z, Y, X)``: ``(Z, Y, X)``, or ``(Y, X)`` where there is one plane."""
    values = finite(block[channel])
    return values if len(values) > 1 else values[0]


def finite(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return float32; what is not finite counts as dark."""
    numbers = np.asarray(values, dtype=np.float32)
    if values.dtype.kind != "f":
        return numbers
    good = np.isfinite(numbers)
    if good.all():
        return numbers
    return np.where(good, numbers, numbers[good].min() if good.any() else 0.0)


def check_contrast(sample: Any) -> None:
    """Raise `CellsError` when all pixels of a sample, arrays of any shape, are alike or none is finite."""
    lows, highs = [], []
    for part in sample:
        good = part[np.isfinite(part)] if part.dtype.kind == "f" else part
        if good.size:
            lows.append(good.min())
            highs.append(good.max())
    if not lows:
        raise CellsError("All pixels are NaN or infinite, so there is nothing to find. Choose another channel.")
    if min(lows) == max(highs):
        raise CellsError(
            f"All pixels have the same value, {float(min(lows)):g}, so no cells can be found. Choose another channel."
        )
