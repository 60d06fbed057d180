"""Cells in bright field or phase contrast: where light varies from place to place; empty ground doesn't.

Cells there are neither bright nor dark, but grainy, with bright and dark rims. Lengths are pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import disk

from napari_cellstage.core.finding import nuclei
from napari_cellstage.core.finding.method import Levels
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.finding.shapes import fill_holes, fill_small_holes, keep_wanted, numbered, size_of
from napari_cellstage.core.finding.splitting import split_touching, typical_radius
from napari_cellstage.core.finding.values import check_contrast, volume_of


def calibrate(sample: Sequence[NDArray[Any]], settings: SegmentSettings) -> Levels:
    """Measure how much empty ground varies, and the typical radius; see `method.Code`."""
    check_contrast([part[0] for part in sample])
    maps = [variation(volume_of(part, 0), settings) for part in sample]
    levels = nuclei.threshold(np.concatenate([one.ravel() for one in maps]), settings)
    masks = [_without_gaps(one > levels.cut, settings) for one in maps]
    sizes = [int(mask.sum()) for mask in masks]
    radii = [typical_radius(mask, settings.spacing) for mask in masks]
    return replace(levels, radius=float(np.average(radii, weights=sizes)) if sum(sizes) else 0.0)


def find(block: NDArray[Any], settings: SegmentSettings, levels: Levels) -> NDArray[np.int32]:
    """Find cells; see `method.Code`."""
    varied = variation(volume_of(block, 0), settings)
    mask = _cells(varied > levels.cut, settings, size_of(2 * levels.radius, 2))
    # Shape alone parts cells that touch: how much a place varies says nothing about where its cell's middle is.
    labels = split_touching(mask, np.ones_like(varied), settings.split, levels.radius, settings.spacing)
    return numbered(keep_wanted(fill_holes(labels), settings)).reshape(block.shape[1:])


def margin(settings: SegmentSettings, levels: Levels) -> int:
    """Return the overlap a block needs; see `method.Code`."""
    return nuclei.reach(settings, levels.radius)


def variation(values: NDArray[np.float32], settings: SegmentSettings) -> NDArray[np.float32]:
    """Return the standard deviation of light around each pixel, of slow changes apart, of that shape."""
    width = _width(settings)
    plane = (0,) * (values.ndim - 2)
    slow = ndimage.gaussian_filter(values, (*plane, *(4 * width,) * 2))
    quick = values - slow
    mean = ndimage.gaussian_filter(quick, (*plane, *(width,) * 2))
    square = ndimage.gaussian_filter(quick * quick, (*plane, *(width,) * 2))
    return np.asarray(np.sqrt(np.clip(square - mean * mean / 2, 0, None)), dtype=np.float32)


def _width(settings: SegmentSettings) -> float:
    """Return the width of the window: grains and rims of the smallest cells fit in."""
    return max(1.0, settings.smoothing, settings.min_diameter / 4)


def _cells(mask: NDArray[np.bool_], settings: SegmentSettings, hole: float) -> NDArray[np.bool_]:
    """Close rims to whole cells, and take off the seam by which the window widens them."""
    reach = round(_width(settings))
    seam = disk(reach)  # type: ignore[no-untyped-call]
    planes = []
    for plane in mask.reshape(-1, *mask.shape[-2:]):
        # With a rim around it, as closing takes what lies beyond the edge for empty.
        wide = ndimage.binary_closing(np.pad(plane, 2 * reach, mode="edge"), seam)
        closed = fill_small_holes(wide[2 * reach : -2 * reach, 2 * reach : -2 * reach], hole)
        planes.append(ndimage.binary_opening(ndimage.binary_erosion(closed, seam, border_value=1), seam))
    return np.stack(planes).reshape(mask.shape)


def _without_gaps(mask: NDArray[np.bool_], settings: SegmentSettings) -> NDArray[np.bool_]:
    """Return the cells of a mask, whose holes are filled up to the size of the median piece."""
    pieces = np.bincount(ndimage.label(mask)[0].ravel())[1:]
    cells = pieces[pieces >= size_of(settings.min_diameter, 2)]
    return _cells(mask, settings, float(np.median(cells)) if len(cells) else 0.0)
