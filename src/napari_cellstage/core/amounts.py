"""How much of a stain a cell holds: light above the crop's own background, summed over the cell and its blurred rim.

G1, S and G2 are told apart by the amount of DNA, which is this sum. A threshold cuts off the dim rim, whose share
differs from cell to cell: on the Jurkat cells two cuts through the sum tell 99.5 % of the three stages right with the
rim, and 97 % without.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.filters import gaussian
from napari_cellstage.core.foreground import Foreground

RIM = 1 / 16  # of the crop's side: how far blurred light of a cell reaches; and where the background is measured
INSIDE = 0.05  # of a blurred mask
NOISE_TIMES = 3.0  # standard deviations of the background, above which a pixel is no noise


def amounts(plane: NDArray[np.float32], cell: Foreground) -> dict[str, NDArray[np.float64]]:
    """Measure sums of light above (or below) background.

    Parameters
    ----------
    plane
        ``(N, H, W)`` float32, one channel, not scaled crop by crop.
    cell
        Where the cell is.

    Returns
    -------
    dict
        ``(N,)`` each; sums as ``log1p``, so that twice the DNA is the same step everywhere. ``amount``: over the cell
        and its rim; ``amount wide``: twice as far out; ``amount in crop``: all that is above noise;
        ``amount either way``: also what is darker, as in bright field.
    """
    level, noise = _background(plane)
    light = plane - level[:, None, None]
    signal = np.abs(light) > NOISE_TIMES * noise[:, None, None]
    sums = {
        "amount": light * _around(cell, 1.0, plane.shape),
        "amount wide": light * _around(cell, 2.0, plane.shape),
        "amount in crop": light * (signal & (light > 0)),
        "amount either way": np.abs(light) * signal,
    }
    found = {name: np.log1p(np.maximum(part.sum(axis=(1, 2), dtype=np.float64), 0)) for name, part in sums.items()}
    return found | {"background level": level, "background noise": noise}


def _background(plane: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return median and robust spread of the outermost pixels of each crop."""
    width = max(2, round(min(plane.shape[1:]) * RIM))
    frame = np.ones(plane.shape[1:], dtype=bool)
    frame[width:-width, width:-width] = False
    outer = plane[:, frame].astype(np.float64)
    level = np.median(outer, axis=1)
    noise = 1.4826 * np.median(np.abs(outer - level[:, None]), axis=1)
    return level, noise


def _around(cell: Foreground, times: float, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    reach = times * min(shape[1:]) * RIM
    around: NDArray[np.bool_] = gaussian(cell.wide.astype(np.float32), reach) > INSIDE
    return around | cell.wide
