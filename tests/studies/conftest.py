"""Tiny cells and recipes for the studies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_cellstage.core.folders import CropSet
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.recipe import Recipe


def crops_of(names: tuple[str, ...], each: int = 10, side: int = 12) -> CropSet:
    """Crops whose brightness tells their class, with noise."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(names)), each)
    crops = rng.normal(40, 8, (len(labels), 1, side, side)) + 40 * labels[:, None, None, None]
    files = tuple(f"{names[label]}/{number}.tif" for number, label in enumerate(labels))
    return CropSet(
        crops=crops.clip(0, 255).astype(np.uint8),
        masks=None,
        labels=labels,
        classes=names,
        names=files,
        groups=np.array(files),
    )


@pytest.fixture
def stages() -> TrainingSet:
    """Four classes, three of which are interphase."""
    return TrainingSet.from_crops(crops_of(("G1", "S", "G2", "Prophase")), Recipe())


@pytest.fixture
def doses() -> TrainingSet:
    return TrainingSet.from_crops(crops_of(("0", "0.1", "1")), Recipe())


def told(work: Any) -> Any:
    """Run a generator to its end; return its events and its value."""
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            return events, end.value


@pytest.fixture
def run() -> Any:
    return told
