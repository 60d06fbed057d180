"""Cells by Cellpose, where it is installed: cells and nuclei of many kinds, in planes and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

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

NETWORK = "cpsam"


def calibrate(sample: Sequence[NDArray[Any]], settings: SegmentSettings) -> Levels:
    """Measure the range of light; see `method.Code`."""
    return measured(sample, settings)


def find(block: NDArray[Any], settings: SegmentSettings, levels: Levels) -> NDArray[np.int32]:
    """Find cells; see `method.Code`."""
    pixels = from_0_to_1(block, levels)
    options: dict[str, Any] = {"normalize": False, "diameter": settings.diameter or None}
    # 0 is Cellpose's own; each doubling of the sensitivity takes cells in that are half as likely.
    options["cellprob_threshold"] = -float(np.log2(settings.sensitivity))
    if pixels.ndim == 3:
        options |= {"do_3D": True, "z_axis": 0, "anisotropy": settings.spacing}
    advice = "Try a smaller image, or another method."
    with ONE_AT_A_TIME:
        network = loaded(settings.model)
        labels = told("Cellpose could not find cells here", advice, lambda: network.eval(pixels, **options)[0])
    return finished(labels, settings, block.shape)


@lru_cache(maxsize=1)
def loaded(model: str) -> Any:
    """Return a network, which is kept for the next blocks."""
    path = own_model(model)
    chosen = str(path) if path else model or NETWORK

    def load() -> Any:
        from cellpose.models import CellposeModel  # brings torch

        return CellposeModel(gpu=True, pretrained_model=chosen)  # falls back to the processor by itself

    advice = (
        "It is fetched from the network at its first use: check the connection, or give the file of a network you have."
    )
    return told(f"Cellpose's network '{chosen}' can't be loaded", advice, load)
