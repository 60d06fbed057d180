"""Nuclei by threshold: smooth, subtract the background, threshold, fill holes, split touching nuclei (`splitting`).

Then every nucleus is fitted to its own brightness, and those of a fitting size are kept. Lengths are pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding.background import without_background
from napari_cellstage.core.finding.method import Levels
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.finding.splitting import fill_holes, split_touching

_NOISE_FLOOR = 8.0
_OWN_LEVEL = 0.4
_HOLE_SHARE = 0.25
_SAMPLE = 1 << 18


def calibrate(sample: Sequence[NDArray[Any]], settings: SegmentSettings) -> Levels:
    """Measure the threshold; see `method.Code`."""
    lights = [_light(part, settings) for part in sample]
    values = np.concatenate([light.ravel() for light in lights])
    return _levels(values[:: max(1, values.size // _SAMPLE)], settings)


def find(block: NDArray[Any], settings: SegmentSettings, levels: Levels) -> NDArray[np.int32]:
    """Find nuclei; see `method.Code`."""
    light = _light(block, settings)
    mask = _fill_small_holes(_mask(light, settings, levels), _size_of(settings.min_diameter, 2))
    labels = split_touching(mask, light, settings.split)
    labels = _fit_to_own_brightness(labels, light, settings)
    labels, _count = _keep_sizes(fill_holes(labels), settings)
    return labels.reshape(block.shape[1:])


def margin(settings: SegmentSettings, levels: Levels) -> int:
    """Return the overlap a block needs; see `method.Code`."""
    cell = settings.max_diameter or 8 * max(levels.radius, settings.min_diameter)
    return int(np.ceil(max(cell, settings.background) + 4 * settings.smoothing))


def _light(block: NDArray[Any], settings: SegmentSettings) -> NDArray[np.float32]:
    """Return a block ``(C, Z, Y, X)`` without noise and background; a single plane without its axis."""
    volume = _finite(block[0])
    return without_background(volume if len(volume) > 1 else volume[0], settings.smoothing, settings.background)


def _finite(volume: NDArray[Any]) -> NDArray[np.float32]:
    values = np.asarray(volume, dtype=np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        if not finite.any():
            raise CellsError("All pixels are NaN or infinite, so there is nothing to find. Choose another channel.")
        values = np.where(finite, values, values[finite].min())
    low, high = values.min(), values.max()
    if low == high:
        raise CellsError(f"All pixels have the same value, {low:g}, so no cells can be found. Choose another channel.")
    return values


def _levels(sample: NDArray[np.float32], settings: SegmentSettings) -> Levels:
    """Find the threshold between nuclei and background.

    Mitotic nuclei can be ten times as bright as others, and would pull Otsu's threshold above the dim ones; so it is
    found on asinh of the light in units of its noise, which is linear in the noise and logarithmic above.
    """
    level = float(np.median(sample[sample <= np.percentile(sample, 60)]))
    below = sample[sample <= level]
    noise = max(1.4826 * float(np.median(level - below)), 1e-3 * float(sample.max() - sample.min()), 1e-12)
    compressed = np.arcsinh((sample - level) / (_NOISE_FLOOR * noise))
    cut = level + _NOISE_FLOOR * noise * float(np.sinh(threshold_otsu(compressed)))  # type: ignore[no-untyped-call]
    return Levels(level, noise, level + (cut - level) / settings.sensitivity)


def _mask(light: NDArray[np.float32], settings: SegmentSettings, levels: Levels) -> NDArray[np.bool_]:
    if settings.method == "otsu":
        return np.asarray(light > levels.cut)
    width = max(settings.background, 4 * settings.min_diameter, 20.0) / 4
    around = ndimage.uniform_filter(light, (0,) * (light.ndim - 2) + (int(2 * width),) * 2)
    half = levels.dark + (levels.cut - levels.dark) / 2
    return np.asarray((light > around / settings.sensitivity) & (light > half))


def _fill_small_holes(mask: NDArray[np.bool_], smallest: float) -> NDArray[np.bool_]:
    """Fill holes, which would split nuclei: nucleoli, and the middle of a ring of chromosomes.

    Gaps between nuclei in a ring are holes as well; they stay when larger than a part of a typical nucleus.
    """
    pieces = np.bincount(ndimage.label(mask)[0].ravel())[1:]
    nuclei = pieces[pieces >= smallest]
    limit = max(smallest, _HOLE_SHARE * float(np.median(nuclei)) if len(nuclei) else 0)
    holes, _ = ndimage.label(~mask)
    small = np.bincount(holes.ravel()) <= limit
    small[0] = True
    return np.asarray(small[holes])


def _fit_to_own_brightness(
    labels: NDArray[np.int32], light: NDArray[np.float32], settings: SegmentSettings
) -> NDArray[np.int32]:
    """Cut each nucleus at a share of its own brightness, and part what comes apart.

    A threshold that finds dim nuclei draws bright mitotic ones with their halo, both plates of an anaphase in one.
    """
    index = np.arange(1, labels.max(initial=0) + 1)
    if not len(index):
        return labels
    inside = labels > 0
    order = np.argsort(labels[inside], kind="stable")
    ids, values = labels[inside][order], light[inside][order]
    ends = np.searchsorted(ids, index, side="right")
    starts = np.searchsorted(ids, index, side="left")
    own = np.array([np.percentile(values[a:b], 90) if b > a else 0 for a, b in zip(starts, ends, strict=True)])
    cut = np.concatenate(([np.inf], own * _OWN_LEVEL / max(settings.sensitivity, 1.0))).astype(np.float32)
    kept = light > cut[labels]
    pieces = label(np.where(kept, labels, 0), connectivity=1)  # type: ignore[no-untyped-call]
    return np.asarray(pieces, dtype=np.int32)


def _keep_sizes(labels: NDArray[np.int32], settings: SegmentSettings) -> tuple[NDArray[np.int32], int]:
    """Drop labels of other sizes than wanted and number the rest 1..n; return them and n."""
    dimensions = labels.ndim if labels.ndim == 3 and labels.shape[0] > 1 else 2
    sizes = np.bincount(labels.ravel())
    wanted = sizes >= _size_of(settings.min_diameter, dimensions)
    if settings.max_diameter:
        wanted &= sizes <= _size_of(settings.max_diameter, dimensions)
    wanted[0] = False
    numbers = np.where(wanted, np.cumsum(wanted), 0).astype(np.int32)
    return numbers[labels], int(wanted.sum())


def _size_of(diameter: float, dimensions: int) -> float:
    """Return the pixels of a disc; of a ball, flattened to a third, as planes lie further apart than pixels."""
    return np.pi / 4 * diameter**2 if dimensions == 2 else np.pi / 18 * diameter**3
