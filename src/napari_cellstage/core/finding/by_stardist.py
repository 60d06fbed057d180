"""Nuclei by StarDist, where it is installed: round ones, in planes by a network it offers, in volumes by your own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding.method import Levels
from napari_cellstage.core.finding.networks import (
    ONE_AT_A_TIME,
    finished,
    from_0_to_1,
    margin,
    measured,
    own_model,
    told,
)
from napari_cellstage.core.finding.settings import SegmentSettings

__all__ = ["calibrate", "find", "margin"]

NETWORKS = {2: "2D_versatile_fluo", 3: "3D_demo"}
_TILE = 1024


def calibrate(sample: Sequence[NDArray[Any]], settings: SegmentSettings) -> Levels:
    """Measure the range of light; see `method.Code`."""
    return measured(sample, settings)


def find(block: NDArray[Any], settings: SegmentSettings, levels: Levels) -> NDArray[np.int32]:
    """Find nuclei; see `method.Code`."""
    pixels = from_0_to_1(block, levels)
    with ONE_AT_A_TIME:
        labels = _predicted(loaded(settings.model, pixels.ndim), pixels, settings)
    return finished(labels, settings, block.shape)


def _predicted(network: Any, pixels: NDArray[np.float32], settings: SegmentSettings) -> Any:
    # The network's own threshold, found on its training images, is where sensitivity 1 is.
    likely = min(0.99, float(network.thresholds.prob) / settings.sensitivity)
    tiles = tuple(-(-length // _TILE) for length in pixels.shape)
    options = {"axes": "ZYX"[-pixels.ndim :], "prob_thresh": likely, "n_tiles": tiles, "show_tile_progress": False}
    advice = "Choose a network that is made for such images, or another method."
    work = partial(network.predict_instances, pixels, **options)
    return told("StarDist could not find nuclei here", advice, work)[0]


@lru_cache(maxsize=1)
def loaded(model: str, dimensions: int) -> Any:
    """Return a network for planes or volumes, which is kept for the next blocks."""
    path = own_model(model)
    chosen = model or NETWORKS[dimensions]
    advice = (
        "It is fetched from the network at its first use: check the connection, or give the folder of a network you "
        "have, one with config.json and weights."
    )
    return told(f"StarDist's network '{chosen}' can't be loaded", advice, lambda: _load(path, chosen, dimensions))


def _load(path: Path | None, name: str, dimensions: int) -> Any:
    from stardist import models  # brings TensorFlow

    kind = models.StarDist2D if dimensions == 2 else models.StarDist3D
    if path is not None:
        return kind(None, name=path.name, basedir=str(path.parent))
    network = kind.from_pretrained(name)
    if network is None:  # its way of saying that there is none of that name
        raise CellsError(f"StarDist has no network '{name}' for {dimensions}D. Give the name of one, or a folder.")
    return network
