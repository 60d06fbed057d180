"""Nuclei by threshold: background off, threshold, halos off, touching nuclei parted. Lengths are pixels.

A threshold low enough for dim nuclei melts bright ones together with their halos. So pieces are first parted wherever
they might be, each part cut at a share of its own brightness, and only what still touches then is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu

from napari_cellstage.core.finding.atlas import packed
from napari_cellstage.core.finding.background import without_background
from napari_cellstage.core.finding.method import Levels
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.finding.shapes import (
    cut_at_share,
    fill_holes,
    fill_small_holes,
    keep_wanted,
    numbered,
    size_of,
)
from napari_cellstage.core.finding.splitting import coarse_step, split_touching, typical_radius
from napari_cellstage.core.finding.values import check_contrast, volume_of

_NOISE_FLOOR = 8.0
OWN_LEVEL = 0.4
_HOLE_SHARE = 0.25
_GAP_SHARE = 0.1
_SAMPLE = 1 << 18


def calibrate(sample: Sequence[NDArray[Any]], settings: SegmentSettings) -> Levels:
    """Measure threshold and typical radius; see `method.Code`."""
    check_contrast([part[0] for part in sample])
    lights = [light_of(part, settings) for part in sample]
    values = np.concatenate([light.ravel() for light in lights])
    levels = threshold(values, settings)
    return replace(levels, radius=_radius(lights, settings, levels))


def find(block: NDArray[Any], settings: SegmentSettings, levels: Levels) -> NDArray[np.int32]:
    """Find nuclei; see `method.Code`."""
    light = light_of(block, settings)
    labels = nuclei_in(mask_of(light, settings, levels), light, settings, levels)
    return labels.reshape(block.shape[1:])


def margin(settings: SegmentSettings, levels: Levels) -> int:
    """Return the overlap a block needs; see `method.Code`."""
    return reach(settings, levels.radius)


def reach(settings: SegmentSettings, radius: float) -> int:
    """Return how far a clump of a few cells of a radius, and what is measured around it, reach."""
    clump = settings.max_diameter or 6 * max(radius, settings.min_diameter)
    return int(np.ceil(max(clump, settings.background) + 4 * settings.smoothing))


def light_of(block: NDArray[Any], settings: SegmentSettings) -> NDArray[np.float32]:
    """Return the first channel of a block without noise and background; a single plane without its axis."""
    values = volume_of(block, 0)
    values = -values if settings.method == "dark" else values
    return without_background(values, settings.smoothing, settings.background, settings.spacing)


def mask_of(light: NDArray[np.float32], settings: SegmentSettings, levels: Levels) -> NDArray[np.bool_]:
    """Tell nuclei from background."""
    if settings.method != "local":
        return np.asarray(light > levels.cut)
    width = max(settings.background, 4 * settings.min_diameter, 20.0) / 4
    around = ndimage.uniform_filter(light, (0,) * (light.ndim - 2) + (int(2 * width),) * 2)
    half = levels.dark + (levels.cut - levels.dark) / 2
    return np.asarray((light > around / settings.sensitivity) & (light > half))


def nuclei_in(
    mask: NDArray[np.bool_], light: NDArray[np.float32], settings: SegmentSettings, levels: Levels
) -> NDArray[np.int32]:
    """Part a mask into nuclei of the wanted sizes, int32 of that shape, 1..n."""
    if mask.ndim == 3:
        return numbered(_parted(mask, light, settings, levels))
    # Nuclei cover a small part of most images: the rest is left out of all that follows.
    least = size_of(settings.min_diameter, 2) / 2
    atlas = packed(mask, least, 2 + round(levels.radius / 4), coarse_step(levels.radius))
    return numbered(atlas.put(_parted(atlas.mask, atlas.take(light), settings, levels), mask.shape))


def _parted(
    mask: NDArray[np.bool_], light: NDArray[np.float32], settings: SegmentSettings, levels: Levels
) -> NDArray[np.int32]:
    # A small hole between two pieces of one nucleus would make a waist.
    gap = _GAP_SHARE * size_of(2 * levels.radius, 2)
    cores = fill_small_holes(_without_halos(mask, light, settings, levels.radius), gap)
    labels = split_touching(cores, light, settings.split, levels.radius, settings.spacing)
    return keep_wanted(fill_holes(cut_at_share(labels, light, _share(settings))), settings)


def _without_halos(
    mask: NDArray[np.bool_], light: NDArray[np.float32], settings: SegmentSettings, radius: float
) -> NDArray[np.bool_]:
    # Nucleoli and the middle of a ring of chromosomes are holes; gaps between nuclei in a ring are larger ones.
    hole = max(size_of(settings.min_diameter, 2), _HOLE_SHARE * size_of(2 * radius, 2))
    whole = fill_small_holes(mask, hole)
    parts = split_touching(whole, light, min(1.0, 2 * settings.split), radius, settings.spacing, thin_too=True)
    return fill_holes(cut_at_share(parts, light, _share(settings))) > 0


def _share(settings: SegmentSettings) -> float:
    return OWN_LEVEL / max(settings.sensitivity, 1.0)


def threshold(sample: NDArray[np.float32], settings: SegmentSettings) -> Levels:
    """Find the threshold between nuclei and background.

    Mitotic nuclei can be ten times as bright as others, and would pull Otsu's threshold above the dim ones; so it is
    found on asinh of the light in units of its noise, which is linear in the noise and logarithmic above.
    """
    sample = sample[:: max(1, sample.size // _SAMPLE)]
    level = float(np.median(sample[sample <= np.percentile(sample, 60)]))
    below = sample[sample <= level]
    noise = max(1.4826 * float(np.median(level - below)), 1e-3 * float(sample.max() - sample.min()), 1e-12)
    compressed = np.arcsinh((sample - level) / (_NOISE_FLOOR * noise))
    cut = level + _NOISE_FLOOR * noise * float(np.sinh(threshold_otsu(compressed)))  # type: ignore[no-untyped-call]
    return Levels(level, noise, level + (cut - level) / settings.sensitivity)


def _radius(lights: Sequence[NDArray[np.float32]], settings: SegmentSettings, levels: Levels) -> float:
    """Return the typical radius in the middle of each part; a piece of a large part tells as much as all of it.

    First with the halos, which tells how far to look around for them, then without: a halo can double a small nucleus.
    """
    side = int((_SAMPLE / len(lights)) ** 0.5) * 2
    middles = [_middle(light, side) for light in lights]
    masks = [middle > levels.cut for middle in middles]
    wide = _mean_radius([_without_holes(mask, settings) for mask in masks], settings)
    pairs = zip(masks, middles, strict=True)
    return _mean_radius([_without_halos(mask, light, settings, wide) for mask, light in pairs if mask.any()], settings)


def _mean_radius(masks: Sequence[NDArray[np.bool_]], settings: SegmentSettings) -> float:
    weights = [int(mask.sum()) for mask in masks]
    if not sum(weights):
        return 0.0
    return float(np.average([typical_radius(mask, settings.spacing) for mask in masks], weights=weights))


def _middle(light: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    rows, columns = (slice(max(0, (n - side) // 2), (n + side) // 2) for n in light.shape[-2:])
    return light[..., rows, columns]


def _without_holes(mask: NDArray[np.bool_], settings: SegmentSettings) -> NDArray[np.bool_]:
    """Fill holes up to a part of the median piece: how large they may be is known by radius only later."""
    pieces = np.bincount(ndimage.label(mask)[0].ravel())[1:]
    nuclei = pieces[pieces >= size_of(settings.min_diameter, mask.ndim, settings.spacing)]
    return fill_small_holes(mask, _HOLE_SHARE * float(np.median(nuclei))) if len(nuclei) else mask
