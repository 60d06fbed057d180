"""Classical per-cell features: shape, intensity, texture and arrangement, measured on whole batches of crops.

All of them stay the same when the cell is turned or mirrored. What belongs here is the assembly and the groups;
filters are in `filters`, the automatic mask in `foreground`, shape in `shape_features`, sums of light in `amounts`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.amounts import amounts
from napari_cellstage.core.filters import Invariants, gaussian, invariants
from napari_cellstage.core.foreground import Foreground, find_foreground
from napari_cellstage.core.shape_features import shape_features

Planes = NDArray[np.float32]
Masks = NDArray[np.bool_]
Columns = dict[str, NDArray[np.floating]]

BATCH_PIXELS = 2**18  # a batch then fits the processor's cache, and a stop is answered soon
MAX_SIDE = 160  # larger crops are averaged down by a whole factor
SCALES = (1.0, 1.6, 2.5, 4.0)
RING_EDGES = (0, 2, 4, 6, 8, 10, 12, 14.5, 17, 20, 23, 26, 30)  # radii in 64ths of the crop's side
ANGLES = 32
MODES = 7
PERCENTILES = (2, 10, 25, 50, 75, 90, 98)


@dataclass(frozen=True)
class Features:
    """Features of N cells.

    Parameters
    ----------
    values
        ``(N, F)`` float32, finite.
    names
        F names, such as ``"c0 gradient 1.6 mean"``.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]


def cell_features(crops: NDArray[np.float32], masks: Masks | None = None, threads: int = 1) -> Features:
    """Measure every cell.

    Parameters
    ----------
    crops
        ``(N, C, H, W)``, normalised to about 0..1; the cell is in the centre.
    masks
        ``(N, H, W)`` bool, the cell's own pixels; where None or empty, they are found in each channel.
    threads
        Batches measured at a time.
    """
    parts = list(feature_batches(crops, masks, threads))
    if not parts:
        return Features(np.zeros((0, 0), np.float32), ())
    return Features(np.concatenate([p.values for p in parts]), parts[0].names)


def feature_batches(
    crops: NDArray[np.float32], masks: Masks | None = None, threads: int = 1
) -> Generator[Features, None, None]:
    """Measure a batch of crops after the other, in order; see `cell_features`. Close it to stop."""
    size = batch_size(crops.shape)

    def measure(start: int) -> Features:
        rows = slice(start, start + size)
        return _measure_batch(crops[rows], None if masks is None else masks[rows])

    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Features]] = deque()
        for start in range(0, len(crops), size):
            waiting.append(pool.submit(measure, start))
            # No more than one batch a thread is begun ahead, so that closing is answered soon.
            if len(waiting) >= threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _measure_batch(crops: NDArray[np.float32], masks: Masks | None) -> Features:
    columns = _measure(*_prepared(crops, masks))
    values = np.stack(list(columns.values()), axis=1)
    values = np.clip(np.nan_to_num(values, posinf=0, neginf=0), -1e6, 1e6)
    return Features(values.astype(np.float32), tuple(columns))


def batch_size(shape: tuple[int, ...]) -> int:
    """Return how many crops of a shape ``(N, C, H, W)`` are measured at a time."""
    return max(4, BATCH_PIXELS // max(1, shape[1] * shape[2] * shape[3]))


def _prepared(crops: NDArray[np.float32], masks: Masks | None) -> tuple[NDArray[np.float32], Masks | None]:
    """Return finite crops no larger than `MAX_SIDE`, with masks to match."""
    crops = np.nan_to_num(np.asarray(crops, dtype=np.float32), posinf=0, neginf=0)
    factor = -(-max(crops.shape[2:]) // MAX_SIDE)
    if factor == 1:
        return crops, masks
    count, channels, height, width = crops.shape
    tall, wide = height // factor, width // factor
    blocks = crops[:, :, : tall * factor, : wide * factor].reshape(count, channels, tall, factor, wide, factor)
    small_masks = None if masks is None else masks[:, : tall * factor : factor, : wide * factor : factor]
    return blocks.mean(axis=(3, 5)), small_masks


def _measure(crops: NDArray[np.float32], masks: Masks | None) -> Columns:
    columns: Columns = {}
    wides = []
    for channel in range(crops.shape[1]):
        plane = np.ascontiguousarray(crops[:, channel])
        cell = find_foreground(plane, masks)
        wides.append(cell.wide)
        for name, column in _channel_features(plane, cell).items():
            columns[f"c{channel} {name}"] = column
    for one, other in combinations(range(crops.shape[1]), 2):
        both = (wides[one] | wides[other]).reshape(len(crops), -1)
        columns[f"c{one} c{other} correlation"] = _correlation(crops[:, one], crops[:, other], both)
    return columns


def _channel_features(plane: Planes, cell: Foreground) -> Columns:
    own_scale = _stretched(plane, cell.wide)
    scales = {sigma: invariants(own_scale, sigma) for sigma in SCALES}
    near = gaussian(cell.wide.astype(np.float32), 1.5) > 0.05  # the cell and its rim
    columns = shape_features(cell, own_scale)
    columns |= _intensity(plane, cell) | amounts(plane, cell)
    for sigma, at_scale in scales.items():
        columns |= _texture(at_scale, near, f"{sigma:g}")
    columns |= _arrangement(plane, own_scale, scales, cell)
    columns |= _topology(scales, near)
    for sigma, radius in ((0.7, 1.0), (0.8, 2.0), (1.2, 4.0), (2.0, 6.0)):
        columns |= _local_binary_patterns(gaussian(own_scale, sigma), near, radius)
    return columns


def _stretched(plane: Planes, mask: Masks) -> Planes:
    """Return crops with 0 at their dark level and 1 at the cell's bright level: texture apart from brightness."""
    low = _percentiles(plane, ~mask, (20,))[:, :1]
    high = _percentiles(plane, mask, (90,))[:, :1]
    span = np.where(np.abs(high - low) > 1e-3, high - low, 1)
    return np.clip((plane - low[:, :, None]) / span[:, :, None], -0.5, 2.5).astype(np.float32)


def _percentiles(plane: Planes, mask: Masks, percents: tuple[int, ...]) -> NDArray[np.float32]:
    """Return ``(N, P)`` percentiles of the masked pixels; 0 where the mask is empty."""
    values = np.where(mask, plane, np.float32(np.inf)).reshape(len(plane), -1)
    values.sort(axis=1)
    count = mask.sum(axis=(1, 2))
    ranks = np.rint(np.asarray(percents)[None, :] / 100 * np.maximum(count - 1, 0)[:, None]).astype(np.int64)
    found = np.take_along_axis(values, ranks, axis=1)
    return np.where(np.isfinite(found), found, np.float32(0))


def _moments(plane: Planes, mask: Masks, name: str) -> Columns:
    """Return mean, spread, skewness and kurtosis of the masked pixels."""
    weight = mask.reshape(len(plane), -1).astype(np.float32)
    values = plane.reshape(len(plane), -1)
    count = np.maximum(weight.sum(axis=1), 1)
    mean = np.einsum("np,np->n", values, weight) / count
    offset = (values - mean[:, None]) * weight
    squares = offset * offset
    spread = np.sqrt(squares.sum(axis=1) / count) + 1e-4
    skew = np.einsum("np,np->n", squares, offset) / count / spread**3
    kurtosis = np.einsum("np,np->n", squares, squares) / count / spread**4
    return {
        f"{name} mean": mean,
        f"{name} spread": spread,
        f"{name} skew": skew,
        f"{name} kurtosis": np.log1p(kurtosis),
    }


def _intensity(plane: Planes, cell: Foreground) -> Columns:
    """Absolute brightness: G1, S and G2 differ by the amount of DNA alone."""
    root = np.sqrt(np.maximum(plane, 0))
    outside = gaussian(cell.wide.astype(np.float32), 1.5) < 0.05
    rim = ~outside & ~cell.wide
    columns: Columns = {}
    level = _percentiles(plane, outside, (50,))[:, 0]
    for name, mask in (("cell", cell.main), ("pieces", cell.wide), ("rim", rim), ("outside", outside)):
        columns |= _moments(root, mask, name)
        found = _percentiles(root, mask, PERCENTILES)
        columns |= {f"{name} percentile {p}": found[:, i] for i, p in enumerate(PERCENTILES)}
        total = (plane * mask).sum(axis=(1, 2))
        columns[f"{name} total"] = np.log1p(np.maximum(total, 0))
        columns[f"{name} total above outside"] = np.log1p(np.maximum(total - level * mask.sum(axis=(1, 2)), 0))
    columns["crop total"] = np.log1p(np.maximum(plane.sum(axis=(1, 2)), 0))
    return columns


def _texture(at_scale: Invariants, mask: Masks, scale: str) -> Columns:
    """Distributions of slope and curvature in the cell."""
    columns: Columns = {}
    steps = {
        "smooth": (0.1, 0.2, 0.4, 0.6, 0.8, 0.95, 1.1, 1.3),
        "gradient": (0.02, 0.04, 0.06, 0.09, 0.13, 0.18, 0.26),
        "ridge": (-0.12, -0.05, -0.02, 0, 0.02, 0.05, 0.12),
        "valley": (-0.25, -0.15, -0.1, -0.06, -0.03, 0, 0.02),
    }
    for kind, levels in steps.items():
        plane = getattr(at_scale, kind)
        columns |= _moments(plane, mask, f"{kind} {scale}")
        columns |= _shares_above(plane, mask, levels, f"{kind} {scale}")
    return columns


def _shares_above(plane: Planes, mask: Masks, levels: tuple[float, ...], name: str) -> Columns:
    count = np.maximum(mask.sum(axis=(1, 2)), 1)
    return {f"{name} above {level:g}": ((plane > level) & mask).sum(axis=(1, 2)) / count for level in levels}


def _arrangement(plane: Planes, own_scale: Planes, scales: dict[float, Invariants], cell: Foreground) -> Columns:
    """Brightness on rings around the cell's centre, and how often it repeats along them (Fourier amplitudes)."""
    y, x = _centre(cell.wide)
    middle_y, middle_x = np.full_like(y, (plane.shape[1] - 1) / 2), np.full_like(x, (plane.shape[2] - 1) / 2)
    columns = _rings(own_scale, y, x, "own")
    columns |= _rings(scales[1.6].gradient, y, x, "gradient")
    columns |= _rings(scales[2.5].valley, y, x, "valley")
    return columns | _rings(np.sqrt(np.maximum(plane, 0)), middle_y, middle_x, "absolute")


def _centre(mask: Masks) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count = np.maximum(mask.sum(axis=(1, 2)), 1)
    y = (mask.sum(axis=2) * np.arange(mask.shape[1])).sum(axis=1) / count
    x = (mask.sum(axis=1) * np.arange(mask.shape[2])).sum(axis=1) / count
    return y, x


def _rings(plane: Planes, y: NDArray[np.float64], x: NDArray[np.float64], name: str) -> Columns:
    amplitudes = np.abs(np.fft.rfft(_polar(plane, y, x), axis=2))[:, :, :MODES] / ANGLES
    return {
        f"ring {name} {radius:g} mode {mode}": amplitudes[:, ring, mode]
        for ring, radius in enumerate(RING_EDGES)
        for mode in range(MODES)
    }


def _polar(plane: Planes, y: NDArray[np.float64], x: NDArray[np.float64]) -> Planes:
    """Return ``(N, R, ANGLES)``: values on circles, by bilinear interpolation."""
    _, height, width = plane.shape
    radii = np.asarray(RING_EDGES) * min(height, width) / 64
    angles = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    rows = np.clip(y[:, None, None] + radii[:, None] * np.sin(angles), 0, height - 1)
    columns = np.clip(x[:, None, None] + radii[:, None] * np.cos(angles), 0, width - 1)
    top, left = rows.astype(np.int64), columns.astype(np.int64)
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, across = (rows - top).astype(np.float32), (columns - left).astype(np.float32)
    n = np.arange(len(plane))[:, None, None]
    upper: Planes = plane[n, top, left] * (1 - across) + plane[n, top, right] * across
    lower: Planes = plane[n, bottom, left] * (1 - across) + plane[n, bottom, right] * across
    values: Planes = upper * (1 - down) + lower * down
    return values


def _topology(scales: dict[float, Invariants], mask: Masks) -> Columns:
    """Area, boundary and number of pieces less holes of what is brighter than each level (Minkowski functionals)."""
    columns: Columns = {}
    for level in np.arange(0.15, 1.4, 0.1):
        columns |= _minkowski((scales[1.0].smooth > level) & mask, f"level 1 {level:.2f}")
    for level in np.arange(0.2, 1.2, 0.15):
        columns |= _minkowski((scales[2.5].smooth > level) & mask, f"level 2.5 {level:.2f}")
    for level in (0.05, 0.1, 0.2, 0.3, 0.5):
        columns |= _minkowski((scales[1.6].valley < -level) & mask, f"bump {level:.2f}")
    for level in (0.02, 0.05, 0.1, 0.2):
        columns |= _minkowski((scales[1.6].ridge > level) & mask, f"dent {level:.2f}")
    return columns


def _minkowski(parts: Masks, name: str) -> Columns:
    across, down = parts[:, :, 1:] & parts[:, :, :-1], parts[:, 1:] & parts[:, :-1]
    squares = down[:, :, 1:] & down[:, :, :-1]
    area, pairs, quads = (_count(parts), _count(across) + _count(down), _count(squares))
    edge = 4 * area - 2 * pairs
    euler = area - pairs + quads
    return {
        f"{name} area": np.sqrt(area),
        f"{name} edge": np.sqrt(edge),
        f"{name} roundness": area / np.maximum(edge, 1) ** 2,
        f"{name} pieces": np.sign(euler) * np.log1p(np.abs(euler)),
    }


def _count(parts: Masks) -> NDArray[np.float64]:
    counts: NDArray[np.float64] = np.count_nonzero(parts, axis=(1, 2)).astype(np.float64)
    return counts


def _local_binary_patterns(plane: Planes, mask: Masks, radius: float) -> Columns:
    """Histogram of uniform rotation-invariant patterns of 8 neighbours (Ojala et al. 2002)."""
    _, height, width = plane.shape
    reach = round(radius)
    padded = np.pad(plane, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
    rings = []
    for angle in np.arange(8) * np.pi / 4:
        dy, dx = reach + round(radius * np.sin(angle)), reach + round(radius * np.cos(angle))
        rings.append(padded[:, dy : dy + height, dx : dx + width] > plane + np.float32(0.005))
    changes = sum((a ^ b).astype(np.uint8) for a, b in zip(rings, [*rings[1:], rings[0]], strict=True))
    codes = np.where(changes <= 2, sum(r.astype(np.uint8) for r in rings), 9)
    count = np.maximum(_count(mask), 1)
    return {f"pattern {radius:g} {code}": np.sqrt(_count((codes == code) & mask) / count) for code in range(10)}


def _correlation(one: Planes, other: Planes, mask: Masks) -> NDArray[np.float64]:
    weight = mask.astype(np.float32)
    count = np.maximum(weight.sum(axis=1), 1)
    a: NDArray[np.float32] = one.reshape(len(one), -1)
    b: NDArray[np.float32] = other.reshape(len(other), -1)
    a = (a - ((a * weight).sum(axis=1) / count)[:, None]) * weight
    b = (b - ((b * weight).sum(axis=1) / count)[:, None]) * weight
    size = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    correlation: NDArray[np.float64] = (a * b).sum(axis=1) / np.maximum(size, 1e-6)
    return correlation
