"""Outlines of spread cells on glass, as distances from a middle: alone, or pressed against neighbours.

For the synthetic microtubule samples. Lengths are pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Floats = NDArray[np.float32]
ANGLES = 720
_REACHES = 0.53  # of the way to a neighbour: thin edges lie on one another a bit
_AROUND = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)


@dataclass(frozen=True)
class Outline:
    """The outline of a cell that every ray from its middle leaves once.

    Parameters
    ----------
    radius
        ``(ANGLES,)`` from the middle to the outline, anticlockwise from the x axis.
    """

    radius: Floats

    @property
    def area(self) -> float:
        """How many pixels lie inside."""
        return float(np.pi * np.mean(self.radius**2))

    def at(self, y: Floats, x: Floats) -> Floats:
        """Return the distance from the middle to the outline in the direction of each place."""
        angle = np.arctan2(y, x) * np.float32(ANGLES / (2 * np.pi))
        nearest: Floats = self.radius[np.rint(angle).astype(np.intp) % ANGLES]
        return nearest

    def share(self, y: Floats, x: Floats) -> Floats:
        """Return how far out places lie: 0 in the middle, 1 on the outline."""
        return np.asarray(np.hypot(y, x) / self.at(y, x), dtype=np.float32)


def spread_outline(rng: np.random.Generator, radius: float) -> Outline:
    """Return a polygonal outline: corners where the cell holds on to the glass, edges drawn in between them.

    Parameters
    ----------
    rng
        Source of chance.
    radius
        Middle distance of the corners.
    """
    corners = int(rng.integers(5, 9))
    angles = np.sort((np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) * 2 * np.pi / corners)
    longer, lean = rng.uniform(0, 0.22), rng.uniform(0, np.pi)
    reach = radius * (1 + longer * np.cos(2 * (angles - lean))) * rng.uniform(0.8, 1.16, corners)
    # Between two corners a chord would lie at about this share of their distance; the cortex is drawn in a bit more.
    gaps = np.diff(np.append(angles, angles[0] + 2 * np.pi))
    between = (reach + np.roll(reach, -1)) / 2 * np.cos(gaps / 2) ** 0.8 * rng.uniform(0.84, 1.03, corners)
    around = np.concatenate((angles, angles + gaps / 2))
    radii = np.interp(_AROUND, around[order := np.argsort(around)], np.append(reach, between)[order], period=2 * np.pi)
    return _smooth(radii, float(rng.uniform(8, 13)))


def pressed(outline: Outline, towards: NDArray[np.floating]) -> Outline:
    """Return an outline flattened where it meets neighbours, half way to each of them.

    Parameters
    ----------
    outline
        Of the cell alone.
    towards
        ``(N, 2)`` y and x from its middle to the middles of its neighbours.
    """
    radii = outline.radius.astype(np.float64)
    for y, x in towards:
        along = np.cos(_AROUND - np.arctan2(y, x))
        half_way = np.hypot(y, x) * _REACHES / np.maximum(along, 1e-3)
        radii = np.where(along > 0.05, np.minimum(radii, half_way), radii)
    return _smooth(radii, 5.0)


def _smooth(radii: NDArray[np.floating], angles: float) -> Outline:
    return Outline(gaussian_filter1d(radii, angles, mode="wrap").astype(np.float32))
