"""Which pixels of a crop belong to its central cell, where nobody has said so. Whole batches at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_cellstage.core.filters import gaussian

Planes = NDArray[np.float32]
Masks = NDArray[np.bool_]

BINS = 64
CENTRE_SHARE = 0.3  # pieces whose mean distance from the centre is below this share of the side belong to the cell


@dataclass(frozen=True)
class Foreground:
    """The cell in each crop, narrowly and widely.

    Parameters
    ----------
    main
        ``(N, H, W)`` bool; one piece, never empty.
    wide
        ``(N, H, W)`` bool; `main` and the other pieces around the centre, as in anaphase or apoptosis.
    """

    main: Masks
    wide: Masks


def find_foreground(planes: Planes, masks: Masks | None = None) -> Foreground:
    """Find the central cell in each crop.

    Parameters
    ----------
    planes
        ``(N, H, W)`` float32, finite; the cell may be brighter or darker than the rest.
    masks
        ``(N, H, W)`` bool or None; used as `Foreground.main` where not empty.
    """
    contrast = gaussian(np.sqrt(np.abs(planes - _border_level(planes))), 1.0)
    bright = contrast > _otsu(contrast)
    distance = _distance_from_centre(planes.shape[1], planes.shape[2])
    main, wide = np.zeros_like(bright), np.zeros_like(bright)
    for row in range(len(planes)):
        main[row], wide[row] = _central_pieces(bright[row], distance)
    if masks is not None:
        given = masks.any(axis=(1, 2))
        main[given] = masks[given]
        wide |= main
    return Foreground(main, wide)


def _border_level(planes: Planes) -> Planes:
    edges = (planes[:, 0], planes[:, -1], planes[:, :, 0], planes[:, :, -1])
    # A low percentile rather than the median, as neighbours often touch the border.
    return np.percentile(np.concatenate(edges, axis=1), 25, axis=1).astype(np.float32)[:, None, None]


def _otsu(planes: Planes) -> Planes:
    """Return ``(N, 1, 1)`` thresholds by Otsu (1979), one a crop."""
    count = len(planes)
    low, high = planes.min(axis=(1, 2), keepdims=True), planes.max(axis=(1, 2), keepdims=True)
    span = np.maximum(high - low, np.float32(1e-6))
    bins = ((planes - low) * ((BINS - 1) / span)).astype(np.int64)
    bins += np.arange(count)[:, None, None] * BINS
    counts = np.bincount(bins.ravel(), minlength=count * BINS).reshape(count, BINS).astype(np.float64)
    below, sum_below = counts.cumsum(axis=1), (counts * np.arange(BINS)).cumsum(axis=1)
    above, sum_above = below[:, -1:] - below, sum_below[:, -1:] - sum_below
    gap = sum_below / np.maximum(below, 1) - sum_above / np.maximum(above, 1)
    best = (below * above * gap**2)[:, :-1].argmax(axis=1).astype(np.float32)
    share: Planes = ((best + np.float32(0.5)) / np.float32(BINS - 1))[:, None, None]
    return np.asarray(low + share * span, dtype=np.float32)


def _distance_from_centre(height: int, width: int) -> NDArray[np.float64]:
    """Return distances as shares of the side, 0 in the centre and 0.5 at the middle of an edge."""
    y = (np.arange(height) - (height - 1) / 2) / height
    x = (np.arange(width) - (width - 1) / 2) / width
    return np.hypot(y[:, None], x[None, :])


def _central_pieces(bright: Masks, distance: NDArray[np.float64]) -> tuple[Masks, Masks]:
    pieces, count = ndimage.label(ndimage.binary_fill_holes(bright), np.ones((3, 3)))
    if count == 0:
        disc = distance <= max(0.15, float(distance.min()))
        return disc, disc
    sizes = np.bincount(pieces.ravel())
    mean_distance = np.bincount(pieces.ravel(), distance.ravel()) / np.maximum(sizes, 1)
    closeness = np.bincount(pieces.ravel(), np.exp(-18 * distance.ravel() ** 2))
    closeness[0] = 0
    main = int(closeness.argmax())
    near = mean_distance < CENTRE_SHARE
    near[0], near[main] = False, True
    return pieces == main, near[pieces]
