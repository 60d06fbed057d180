"""Whole cells: from each nucleus, found on one channel, over the cell that a second channel shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import sobel
from skimage.segmentation import watershed

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding import nuclei
from napari_cellstage.core.finding.background import without_background
from napari_cellstage.core.finding.method import Levels
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.finding.shapes import fill_holes, keep_sizes, numbered, size_of
from napari_cellstage.core.finding.values import check_contrast, volume_of

# Cells are at most so many times as wide as their nuclei; what lies further from one belongs to none.
_WIDEST = 6.0
# A clear edge counts as so many radii of a nucleus.
_EDGES = 0.5


def calibrate(sample: Sequence[NDArray[Any]], settings: SegmentSettings) -> Levels:
    """Measure both channels; see `method.Code`."""
    if settings.channel == settings.second_channel:
        raise CellsError(
            f"The channel of the nuclei and the channel of the whole cells are both {settings.channel}. "
            "Choose two different channels, or a method that needs one."
        )
    levels = nuclei.calibrate([part[:1] for part in sample], _of_nuclei(settings))
    check_contrast([part[1] for part in sample])
    bodies = np.concatenate([_body(part, settings, levels).ravel() for part in sample])
    return replace(levels, second=nuclei.threshold(bodies, settings))


def find(block: NDArray[Any], settings: SegmentSettings, levels: Levels) -> NDArray[np.int32]:
    """Find cells; see `method.Code`."""
    seeds = nuclei.find(block[:1], _of_nuclei(settings), levels)
    body = _body(block, settings, levels)
    seeds = seeds.reshape(body.shape)
    second = levels.second or Levels()
    away = ndimage.distance_transform_edt(seeds == 0, sampling=(settings.spacing, 1.0, 1.0)[-body.ndim :])
    mask = (seeds > 0) | ((body > second.cut) & (away <= _reach(levels)))
    cells = watershed(_hills(body, away, second, levels), seeds, mask=mask).astype(np.int32)  # type: ignore[no-untyped-call]
    largest = size_of(settings.max_diameter, body.ndim, settings.spacing)
    return numbered(keep_sizes(fill_holes(cells), 1, largest)).reshape(block.shape[1:])


def margin(settings: SegmentSettings, levels: Levels) -> int:
    """Return the overlap a block needs; see `method.Code`."""
    return nuclei.margin(_of_nuclei(settings), levels) + int(_reach(levels))


def _of_nuclei(settings: SegmentSettings) -> SegmentSettings:
    return replace(settings, method="otsu", max_diameter=0.0)


def _reach(levels: Levels) -> float:
    return _WIDEST * max(levels.radius, 1.0)


def _body(block: NDArray[Any], settings: SegmentSettings, levels: Levels) -> NDArray[np.float32]:
    """Return the second channel without noise, fibres and a constant; cells are too large to tell from uneven light."""
    width = max(1.0, settings.smoothing, levels.radius / 8)
    return without_background(volume_of(block, 1), width, 0.0, settings.spacing)


def _hills(body: NDArray[np.float32], away: NDArray[Any], second: Levels, levels: Levels) -> NDArray[np.float32]:
    """Return what the growing nuclei have to climb: the way from the nucleus, and edges of the stain.

    Mostly the way, in radii of a nucleus, so that each cell gets what is nearest to its nucleus: the rim of a nucleus
    that the stain leaves out is an edge, too, and must not lock it in. Edges shift where two cells meet.
    """
    edges = np.asarray(sobel(body), dtype=np.float32) / max(second.cut - second.dark, second.noise)  # type: ignore[no-untyped-call]
    return np.asarray(_EDGES * np.minimum(edges, 1.0) + away / max(levels.radius, 1.0), dtype=np.float32)
