"""Nuclei by blob seeds: the Laplacian of a Gaussian of their size peaks once in each; they grow from there.

For crowded nuclei of one size, where outlines melt into each other and the middles don't.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from napari_cellstage.core.finding import nuclei
from napari_cellstage.core.finding.method import Levels
from napari_cellstage.core.finding.nuclei import OWN_LEVEL, light_of, mask_of, reach
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.finding.shapes import cut_at_share, fill_holes, keep_wanted, numbered


def calibrate(sample: Sequence[NDArray[Any]], settings: SegmentSettings) -> Levels:
    """Measure threshold and typical radius; see `method.Code`."""
    return nuclei.calibrate(sample, settings)


def find(block: NDArray[Any], settings: SegmentSettings, levels: Levels) -> NDArray[np.int32]:
    """Find nuclei; see `method.Code`."""
    light = light_of(block, settings)
    mask = mask_of(light, settings, levels)
    radius = _radius(settings, levels)
    # A disc of radius r answers most to a Laplacian of this width.
    widths = np.array((radius / settings.spacing, radius, radius)[-light.ndim :]) / light.ndim**0.5
    blobs = -ndimage.gaussian_laplace(light, widths)
    around = tuple(2 * int(np.ceil(width)) + 1 for width in widths)
    seeds = (blobs == ndimage.maximum_filter(blobs, around)) & mask & (blobs > 0)
    labels = watershed(-blobs, ndimage.label(seeds)[0], mask=mask)  # type: ignore[no-untyped-call]
    labels = cut_at_share(labels.astype(np.int32), light, OWN_LEVEL / max(settings.sensitivity, 1.0))
    return numbered(keep_wanted(fill_holes(labels), settings)).reshape(block.shape[1:])


def margin(settings: SegmentSettings, levels: Levels) -> int:
    """Return the overlap a block needs; see `method.Code`."""
    return reach(settings, _radius(settings, levels))


def _radius(settings: SegmentSettings, levels: Levels) -> float:
    return max(1.0, settings.diameter / 2 or levels.radius)
