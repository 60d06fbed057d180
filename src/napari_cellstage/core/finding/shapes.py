"""What is done to nuclei once they have labels: holes filled, halos cut off, sizes kept. Lengths are pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label

from napari_cellstage.core.finding.settings import SegmentSettings


def size_of(diameter: float, dimensions: int, z_ratio: float = 1.0) -> float:
    """Return the pixels of a disc, or of a ball in planes that lie `z_ratio` further apart than pixels."""
    return np.pi / 4 * diameter**2 if dimensions == 2 else np.pi / 6 * diameter**3 / z_ratio


def keep_sizes(labels: NDArray[np.int32], least: float, most: float = 0.0) -> NDArray[np.int32]:
    """Drop labels of fewer pixels than `least` or more than `most` (0: no limit)."""
    sizes = np.bincount(labels.ravel())
    wanted = sizes >= max(1.0, least)
    if most:
        wanted &= sizes <= most
    wanted[0] = False
    return np.where(wanted, np.arange(len(wanted)), 0).astype(np.int32)[labels]


def keep_wanted(labels: NDArray[np.int32], settings: SegmentSettings) -> NDArray[np.int32]:
    """Drop labels of other sizes than the settings ask for."""
    diameters = (settings.min_diameter, settings.max_diameter)
    return keep_sizes(labels, *(size_of(diameter, labels.ndim, settings.spacing) for diameter in diameters))


def numbered(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the labels numbered 1..n in the order in which their first pixels come."""
    inside = np.flatnonzero(labels)
    ids = labels.ravel()[inside]
    first = np.full(labels.max(initial=0) + 1, -1, dtype=np.int64)
    first[ids[::-1]] = inside[::-1]  # the last one written stays
    present = np.flatnonzero(first >= 0)
    numbers = np.zeros(len(first), dtype=np.int32)
    numbers[present[np.argsort(first[present])]] = np.arange(1, len(present) + 1)
    result = np.zeros(labels.shape, dtype=np.int32)
    result.ravel()[inside] = numbers[ids]
    return result


def fill_small_holes(mask: NDArray[np.bool_], limit: float) -> NDArray[np.bool_]:
    """Fill holes of up to so many pixels."""
    holes, _ = ndimage.label(~mask)
    small = np.bincount(holes.ravel()) <= limit
    small[0] = True
    return np.asarray(small[holes])


def own_brightness(labels: NDArray[np.int32], light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the 90th percentile of each label's pixels, ``(n + 1,)``; 0 for the background and no pixels."""
    inside = labels > 0
    ids, values = labels[inside].astype(np.int64), np.clip(light[inside], 0, None)
    # The bits of floats that are not negative sort as they do: one fast sort of numbers instead of one a nucleus.
    ordered = np.sort(ids << 32 | values.view(np.int32))
    ends = np.searchsorted(ordered, np.arange(1, labels.max(initial=0) + 2) << 32)
    counts = np.diff(ends)
    own = np.zeros(len(counts) + 1, dtype=np.float32)
    place = ends[:-1] + (0.9 * np.maximum(counts - 1, 0)).astype(np.int64)
    own[1:][counts > 0] = (ordered[place[counts > 0]] & 0xFFFFFFFF).astype(np.int32).view(np.float32)
    return own


def cut_at_share(labels: NDArray[np.int32], light: NDArray[np.float32], share: float) -> NDArray[np.int32]:
    """Cut each nucleus where it falls below a share of its own brightness, and part what comes apart.

    A threshold that finds dim nuclei draws bright mitotic ones with their halo, both plates of an anaphase in one.
    """
    cut = own_brightness(labels, light) * np.float32(share)
    kept = (labels > 0) & (light > cut[labels])
    pieces: NDArray[Any] = label(np.where(kept, labels, 0), connectivity=1)  # type: ignore[no-untyped-call]
    return pieces.astype(np.int32)


def fill_holes(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Fill what is enclosed by one nucleus alone, however large: nucleoli, the middle of a ring of chromosomes."""
    empty, count = ndimage.label(labels == 0)
    low = np.full(count + 1, np.iinfo(np.int32).max, dtype=np.int32)
    high = np.zeros(count + 1, dtype=np.int32)
    for axis in range(labels.ndim):
        if labels.shape[axis] == 1:
            continue
        holes, around = np.moveaxis(empty, axis, 0), np.moveaxis(labels, axis, 0)
        for hole, beside in ((holes[1:], around[:-1]), (holes[:-1], around[1:])):
            edge = (hole > 0) & (beside > 0)
            np.minimum.at(low, hole[edge], beside[edge])
            np.maximum.at(high, hole[edge], beside[edge])
    owner = np.where(low == high, high, 0)
    for open_edge in (empty[..., [0, -1], :], empty[..., [0, -1]]):
        owner[open_edge] = 0  # it may go on outside the image
    owner[0] = 0
    return np.where(labels > 0, labels, owner[empty]).astype(np.int32)
