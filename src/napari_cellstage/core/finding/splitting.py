"""Splitting touching nuclei: distance-transform watershed, then merging what is not parted by a waist.

The distance transform is weighted with brightness, as nuclei that touch often differ in it or part in a darker line.
Watershed from every peak of it cuts long or wavy nuclei in pieces. So each border between two pieces is judged: its
highest place against the lower of the two pieces' own peaks. A real contact is a narrow, or dark, saddle. The thinner
a piece is beside a typical nucleus, the narrower its contact must be: thin pieces are lobes, arms of chromosomes and
ends of a metaphase plate more often than nuclei.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

_PEAK_APART = 5
_BLUR = 0.16
_LARGE = 13.0
# Pieces thinner than this share of a typical nucleus are suspect.
_FULL = 0.78
# A disc has a tenth of its pixels further than this share of its radius from its edge.
_DISC_TENTH = 1 - 0.1**0.5


def split_touching(
    mask: NDArray[np.bool_],
    light: NDArray[np.floating[Any]],
    split: float,
    radius: float = 0.0,
    z_ratio: float = 1.0,
    thin_too: bool = False,
) -> NDArray[np.int32]:
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
    radius
        Of a typical nucleus; 0: measured in the mask. Given, parts of an image come out as the whole.
    z_ratio
        How much further apart planes lie than pixels.
    thin_too
        Part thin pieces as readily as those as thick as a nucleus.

    Returns
    -------
    ndarray
        int32, 1..n.
    """
    if split == 0 or not mask.any():
        return np.asarray(ndimage.label(mask)[0], dtype=np.int32)
    radius = radius or typical_radius(mask, z_ratio)
    step = coarse_step(radius)
    coarse, coarse_light = _pooled(mask, step, "any"), _pooled(light, step, "mean")
    distance = _distance(coarse, z_ratio / step)
    depth = _depth(distance, coarse_light, radius / step, z_ratio / step)
    peaks = (depth == ndimage.maximum_filter(depth, _PEAK_APART)) & coarse
    seeds, count = ndimage.label(peaks, structure=np.ones((3,) * mask.ndim))
    parts = watershed(-depth, seeds, mask=coarse)  # type: ignore[no-untyped-call]
    full = 0.0 if thin_too else _FULL * radius / step
    labels = _merged(parts, depth, _tops(parts, distance, count), split, full)[parts]
    labels = labels.repeat(step, axis=-2).repeat(step, axis=-1)[..., : mask.shape[-2], : mask.shape[-1]]
    return np.where(mask, labels, 0).astype(np.int32)


def coarse_step(radius: float) -> int:
    """Return the side of the squares of pixels put together: 4 times less to do, and large nuclei lose nothing."""
    return 2 if radius >= _LARGE else 1


def typical_radius(mask: NDArray[np.bool_], z_ratio: float = 1.0) -> float:
    """Return the radius of the nuclei that make up most of a mask, touching or not, in pixels of a plane; 0 of nothing.

    Read off from how far inside the innermost tenth of the pixels lies.
    """
    inside = _distance(mask, z_ratio)[mask]
    return float(np.percentile(inside, 90)) / _DISC_TENTH if inside.size else 0.0


def _distance(mask: NDArray[np.bool_], z_ratio: float) -> NDArray[np.float32]:
    sampling = (z_ratio, 1.0, 1.0)[-mask.ndim :]
    return np.asarray(ndimage.distance_transform_edt(mask, sampling=sampling), dtype=np.float32)


def _pooled(values: NDArray[Any], step: int, how: str) -> NDArray[Any]:
    """Put blocks of `step` x `step` pixels in a plane together."""
    if step == 1:
        return values
    *_, height, width = values.shape
    pad = [(0, 0)] * (values.ndim - 2) + [(0, -height % step), (0, -width % step)]
    padded = np.pad(values, pad, mode="edge") if height % step or width % step else values
    corners = [padded[..., y::step, x::step] for y in range(step) for x in range(step)]
    return np.asarray(np.logical_or.reduce(corners) if how == "any" else np.add.reduce(corners) / len(corners))


def _depth(
    distance: NDArray[np.float32], light: NDArray[np.floating[Any]], radius: float, z_ratio: float
) -> NDArray[np.float32]:
    """Return distance to the background times the root of brightness: high in the middle of each nucleus."""
    # Blur with the size of the nuclei, so that the grains of a large one are no peaks and small ones keep theirs.
    blur = max(1.0, _BLUR * radius)
    widths = np.array((1 / z_ratio, 1.0, 1.0)[-distance.ndim :])
    bright = ndimage.gaussian_filter(np.clip(light, 0, None).astype(np.float32), blur * widths)
    smooth = ndimage.gaussian_filter(distance, blur / 2 * widths)
    return np.asarray(smooth * np.sqrt(bright) * (distance > 0), dtype=np.float32)


def _tops(parts: NDArray[Any], values: NDArray[np.float32], count: int) -> NDArray[np.float64]:
    """Return the largest value in each part, ``(count + 1,)``; 0 for background."""
    tops = np.zeros(count + 1)
    inside = parts > 0
    np.maximum.at(tops, parts[inside], values[inside])
    return tops


def _merged(
    parts: NDArray[Any], depth: NDArray[np.float32], thick: NDArray[np.float64], split: float, full: float
) -> NDArray[np.intp]:
    """Return the new label of each part, 0 for background; the widest contacts are judged first.

    Parameters
    ----------
    thick
        Half of the width of each part.
    full
        Of a part that is no suspect; 0: none is.
    """
    count = len(thick) - 1
    peak = _tops(parts, depth, count)
    pairs, widths = _contacts(parts, depth, count)
    owner = np.arange(count + 1)

    def root(part: int) -> int:
        while owner[part] != part:
            owner[part] = owner[owner[part]]
            part = int(owner[part])
        return part

    for place in np.argsort(-widths):
        a, b = root(int(pairs[place, 0])), root(int(pairs[place, 1]))
        trust = min(1.0, min(thick[a], thick[b]) / full) if full else 1.0
        if a != b and widths[place] >= split * trust**2 * min(peak[a], peak[b]):
            owner[b] = a
            peak[a], thick[a] = max(peak[a], peak[b]), max(thick[a], thick[b])
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
