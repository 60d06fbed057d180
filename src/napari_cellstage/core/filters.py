"""Gaussian derivative filters over whole batches of small crops.

A filter along one axis of a small crop is a small matrix, so that filtering thousands of crops is two products per
filter, at the same cost for any width, with the mirrored border built in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]


@dataclass(frozen=True)
class Invariants:
    """What a neighbourhood looks like, whichever way it is turned. Each ``(N, H, W)`` float32.

    Parameters
    ----------
    smooth
        Smoothed values.
    gradient
        Length of the gradient.
    ridge, valley
        Larger and smaller curvature (eigenvalues of the Hessian): a bright spot has a low `valley`.
    """

    smooth: Planes
    gradient: Planes
    ridge: Planes
    valley: Planes


def gaussian(planes: Planes, sigma: float) -> Planes:
    """Smooth crops ``(N, H, W)`` by a Gaussian of `sigma` pixels."""
    return _along(planes, sigma, 0, 0)


def invariants(planes: Planes, sigma: float) -> Invariants:
    """Measure slope and curvature at one scale, multiplied by the scale so that scales compare (Lindeberg 1998)."""
    slope_y, slope_x = _along(planes, sigma, 1, 0), _along(planes, sigma, 0, 1)
    bend_y, bend_x = _along(planes, sigma, 2, 0), _along(planes, sigma, 0, 2)
    mean = (bend_y + bend_x) * np.float32(0.5)
    spread = np.hypot((bend_y - bend_x) * np.float32(0.5), _along(planes, sigma, 1, 1))
    return Invariants(gaussian(planes, sigma), np.hypot(slope_y, slope_x), mean + spread, mean - spread)


def _along(planes: Planes, sigma: float, order_y: int, order_x: int) -> Planes:
    _, height, width = planes.shape
    rows, columns = _matrix(height, sigma, order_y), _matrix(width, sigma, order_x)
    return rows @ (planes @ columns.T)


@lru_cache(maxsize=64)
def _matrix(side: int, sigma: float, order: int) -> Planes:
    """Return ``(side, side)``: a Gaussian derivative along one axis with mirrored borders."""
    reach = int(np.ceil(4 * sigma))
    offset = np.arange(-reach, reach + 1)
    bell = np.exp(-(offset**2) / (2 * sigma**2))
    bell /= bell.sum()
    kernel = (bell, -offset / sigma * bell, (offset**2 / sigma**2 - 1) * bell)[order]
    if order == 2:
        kernel = kernel - kernel.mean()
    source = (np.arange(side)[:, None] - offset[None, :]) % (2 * side)
    source = np.where(source < side, source, 2 * side - 1 - source)
    matrix = np.zeros((side, side), dtype=np.float32)
    np.add.at(matrix, (np.arange(side)[:, None], source), kernel[None, :])
    return matrix
