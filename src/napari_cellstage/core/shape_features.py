"""Shape of the cell's mask, and of its brightness as a mass distribution, for `features`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from napari_cellstage.core.foreground import Foreground

Planes = NDArray[np.float32]
Masks = NDArray[np.bool_]
Columns = dict[str, NDArray[np.floating]]


def shape_features(cell: Foreground, own_scale: Planes) -> Columns:
    """Measure the masks of N cells.

    Parameters
    ----------
    cell
        Masks ``(N, H, W)``.
    own_scale
        ``(N, H, W)`` crops, about 0 outside and 1 in the cell.
    """
    columns: Columns = {}
    mass = np.maximum(own_scale, 0)
    for name, mask in (("cell", cell.main), ("pieces", cell.wide)):
        columns |= _moment_shape(mask.astype(np.float32), f"{name} shape")
        columns |= _moment_shape(np.where(mask, mass, np.float32(0)), f"{name} mass")
        columns |= _outline(mask, f"{name} shape")
    return columns | _depth(cell.main)


def _moment_shape(weight: Planes, name: str) -> Columns:
    """Size, axes and turn-invariant third and fourth moments (Flusser 2000) of a mass distribution."""
    _, height, width = weight.shape
    total = weight.sum(axis=(1, 2)) + 1e-6
    y = weight.sum(axis=2) @ np.arange(height, dtype=np.float32) / total
    x = weight.sum(axis=1) @ np.arange(width, dtype=np.float32) / total
    dy = np.arange(height, dtype=np.float32)[None, :, None] - y[:, None, None]
    dx = np.arange(width, dtype=np.float32)[None, None, :] - x[:, None, None]
    point = dx + 1j * dy
    square = point * point
    radius2 = dx * dx + dy * dy

    def moment(values: NDArray[Any]) -> NDArray[Any]:
        found: NDArray[Any] = np.einsum("nyx,nyx->n", values, weight) / total
        return found

    half = moment(radius2).real / 2
    spread = np.abs(moment(square)) / 2
    long_axis, short_axis = np.sqrt(half + spread), np.sqrt(np.maximum(half - spread, 0))
    size = half + 1
    return {
        f"{name} size": np.log(total),
        f"{name} long axis": long_axis,
        f"{name} short axis": short_axis,
        f"{name} elongation": short_axis / (long_axis + 1e-3),
        f"{name} third order 3": np.abs(moment(square * point)) / size**1.5,
        f"{name} third order 1": np.abs(moment(point * radius2)) / size**1.5,
        f"{name} fourth order 4": np.abs(moment(square * square)) / size**2,
        f"{name} fourth order 2": np.abs(moment(square * radius2)) / size**2,
        f"{name} fourth order 0": moment(radius2 * radius2).real / size**2,
        f"{name} spreading": half / total,
    }


def _outline(mask: Masks, name: str) -> Columns:
    """Length of the outline and the Euler number, from counts of 2x2 patterns (Gray 1971)."""
    padded = np.pad(mask, ((0, 0), (1, 1), (1, 1))).astype(np.uint8)
    pattern = padded[:, :-1, :-1] + 2 * padded[:, 1:, :-1] + 4 * padded[:, :-1, 1:] + 8 * padded[:, 1:, 1:]
    codes = pattern.astype(np.int64) + 16 * np.arange(len(mask))[:, None, None]
    counts = np.bincount(codes.ravel(), minlength=16 * len(mask)).reshape(len(mask), 16)
    one, three = counts[:, [1, 2, 4, 8]].sum(axis=1), counts[:, [7, 11, 13, 14]].sum(axis=1)
    diagonal, straight = counts[:, [6, 9]].sum(axis=1), counts[:, [3, 5, 10, 12]].sum(axis=1)
    length = straight + (one + three) / np.sqrt(2) + diagonal * np.sqrt(2)
    return {
        f"{name} outline": length,
        f"{name} roundness": 4 * np.pi * mask.sum(axis=(1, 2)) / np.maximum(length, 1) ** 2,
        f"{name} euler": (one - three - 2 * diagonal) / 4,
        f"{name} at border": (mask[:, [0, -1], :].sum(axis=(1, 2)) + mask[:, :, [0, -1]].sum(axis=(1, 2))) / 1.0,
    }


def _depth(mask: Masks) -> Columns:
    """How thick the cell is, in how many lobes, and how much of its convex hull it fills."""
    rows = np.array([_depth_of(one) for one in mask])
    names = ("solidity", "depth", "compactness", "mean depth", "depth spread", "depth skew", "lobes", "deep lobes")
    return {f"cell {name}": rows[:, i] for i, name in enumerate(names)}


def _depth_of(mask: Masks) -> tuple[float, ...]:
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = np.pad(mask[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1], 2)
    depth = ndimage.distance_transform_edt(box)
    inside = depth[box]
    deepest, mean = float(inside.max()), float(inside.mean())
    peaks = (depth == ndimage.maximum_filter(depth, 5)) & (depth > 2)
    return (
        _solidity(box),
        deepest,
        deepest**2 / len(inside),
        mean,
        float((inside**2).mean()) / mean**2,
        float((inside**3).mean()) / mean**3,
        float(peaks.sum()),
        float((peaks & (depth > deepest / 2)).sum()),
    )


def _solidity(box: Masks) -> float:
    edge = box & ~ndimage.binary_erosion(box)
    corners = np.argwhere(edge).astype(np.float64)
    # Corners of the pixels, not their centres, so that a line of pixels has an area.
    corners = np.concatenate([corners + shift for shift in ((-0.5, -0.5), (-0.5, 0.5), (0.5, -0.5), (0.5, 0.5))])
    try:
        return float(box.sum() / ConvexHull(corners).volume)
    except QhullError:
        return 1.0
