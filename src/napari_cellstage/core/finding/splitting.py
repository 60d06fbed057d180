"""Splitting touching nuclei: distance-transform watershed, then merging what is not parted by a waist.

The distance transform is weighted with brightness, as nuclei that touch often differ in it or part in a darker line.
Watershed from every peak of it cuts long or wavy nuclei in pieces. So each border between two pieces is judged: its
highest place against the lower of the two pieces' own peaks. A real contact is a narrow, or dark, saddle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

_PEAK_APART = 5
_BLUR = 0.18
_LARGE = 16.0


def split_touching(mask: NDArray[np.bool_], light: NDArray[np.floating[Any]], split: float) -> NDArray[np.int32]:
    """Give each nucleus of a mask its own label.

    Parameters
    ----------
    mask
        ``(Y, X)`` or ``(Z, Y, X)``.
    light
        Brightness without background, of that shape.
    split
        0: each connected piece is one; 1: parted at the slightest waist. In between: parted where the contact is
        below this share of the thinner or dimmer nucleus.

    Returns
    -------
    ndarray
        int32, 1..n.
    """
    pieces, count = ndimage.label(mask)
    if split == 0 or not count:
        return np.asarray(pieces, dtype=np.int32)
    step = 2 if _typical_radius(pieces) >= _LARGE else 1
    coarse, coarse_light = _pooled(mask, step, "any"), _pooled(light, step, "mean")
    depth = _depth(coarse, coarse_light)
    peaks = (depth == ndimage.maximum_filter(depth, _PEAK_APART)) & coarse
    seeds, count = ndimage.label(peaks, structure=np.ones((3,) * mask.ndim))
    parts = watershed(-depth, seeds, mask=coarse)  # type: ignore[no-untyped-call]
    labels = _merge_wide_contacts(parts, depth, count, split)[parts]
    labels = labels.repeat(step, axis=-2).repeat(step, axis=-1)[..., : mask.shape[-2], : mask.shape[-1]]
    return np.where(mask, labels, 0).astype(np.int32)


def _typical_radius(pieces: NDArray[Any]) -> float:
    depth = pieces.shape[0] if pieces.ndim == 3 else 1
    return float(np.sqrt(np.median(np.bincount(pieces.ravel())[1:]) / depth / np.pi))


def _pooled(values: NDArray[Any], step: int, how: str) -> NDArray[Any]:
    """Put blocks of `step` x `step` pixels in a plane together: 4 times less to do, and large nuclei lose nothing."""
    if step == 1:
        return values
    *_, height, width = values.shape
    pad = [(0, 0)] * (values.ndim - 2) + [(0, -height % step), (0, -width % step)]
    padded = np.pad(values, pad, mode="edge")
    blocks = padded.reshape(*padded.shape[:-2], padded.shape[-2] // step, step, padded.shape[-1] // step, step)
    return np.asarray(blocks.any(axis=(-3, -1)) if how == "any" else blocks.mean(axis=(-3, -1)))


def _depth(mask: NDArray[np.bool_], light: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return distance to the background times the root of brightness: high in the middle of each nucleus."""
    distance = ndimage.distance_transform_edt(mask).astype(np.float32)
    # Blur with the size of the nuclei, so that the grains of a large one are no peaks and small ones keep theirs.
    blur = max(1.0, _BLUR * float(np.percentile(distance[mask][::16], 90)))
    smooth_light = ndimage.gaussian_filter(np.clip(light, 0, None).astype(np.float32), blur)
    return np.asarray(ndimage.gaussian_filter(distance, blur / 2) * np.sqrt(smooth_light) * mask, dtype=np.float32)


def _merge_wide_contacts(parts: NDArray[Any], depth: NDArray[np.float32], count: int, split: float) -> NDArray[np.intp]:
    """Return the new label of each part, 0 for background; the widest contacts are judged first."""
    peak = ndimage.maximum(depth, parts, np.arange(count + 1))
    peak = np.asarray(peak, dtype=np.float64)
    pairs, widths = _contacts(parts, depth, count)
    owner = np.arange(count + 1)

    def root(part: int) -> int:
        while owner[part] != part:
            owner[part] = owner[owner[part]]
            part = int(owner[part])
        return part

    for place in np.argsort(-widths):
        a, b = root(int(pairs[place, 0])), root(int(pairs[place, 1]))
        if a != b and widths[place] >= split * min(peak[a], peak[b]):
            owner[b] = a
            peak[a] = max(peak[a], peak[b])
    return np.array([root(part) for part in range(count + 1)])


def _contacts(
    parts: NDArray[Any], depth: NDArray[np.float32], count: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return which parts touch, ``(n, 2)``, and the greatest depth on each border, ``(n,)``."""
    codes, depths = [], []
    for axis in range(parts.ndim):
        one = tuple(slice(None, -1) if a == axis else slice(None) for a in range(parts.ndim))
        two = tuple(slice(1, None) if a == axis else slice(None) for a in range(parts.ndim))
        touch = (parts[one] != parts[two]) & (parts[one] > 0) & (parts[two] > 0)
        a, b = parts[one][touch].astype(np.int64), parts[two][touch].astype(np.int64)
        codes.append(np.minimum(a, b) * (count + 1) + np.maximum(a, b))
        depths.append(np.minimum(depth[one][touch], depth[two][touch]))
    code, width = np.concatenate(codes), np.concatenate(depths)
    order = np.argsort(code, kind="stable")
    first = np.flatnonzero(np.diff(code[order], prepend=-1))
    widest = np.maximum.reduceat(width[order], first) if len(first) else width[:0]
    return np.stack(np.divmod(code[order][first], count + 1), axis=1), widest


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
