"""Tiny crops with an answer in them, and a way to run a generator to its end."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import pytest

from napari_cellstage.core.folders import CropSet
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.recipe import Recipe

NETWORK = "mobilenet_v3_small"


@pytest.fixture
def make_crops() -> Callable[..., CropSet]:
    """Return a maker of crops whose class is the width of a bright bar."""

    def make(count: int = 36, classes: int = 3, channels: int = 2, side: int = 24, groups: int = 1) -> CropSet:
        rng = np.random.default_rng(0)
        labels = np.arange(count) % classes
        crops = rng.integers(0, 40, (count, channels, side, side)).astype(np.uint16)
        for row, label in enumerate(labels):
            crops[row, 0, side // 3 : 2 * side // 3, 4 : 8 + 5 * label] += 400
        return CropSet(
            crops=crops,
            masks=None,
            labels=labels.astype(np.int64),
            classes=tuple("abcdefgh"[:classes]),
            names=tuple(f"{row}.tif" for row in range(count)),
            groups=np.array([f"movie {row // classes % groups}" for row in range(count)]),
        )

    return make


@pytest.fixture
def data(make_crops: Callable[..., CropSet]) -> TrainingSet:
    return TrainingSet.from_crops(make_crops(), Recipe())


@pytest.fixture
def recipe() -> Recipe:
    """Return a recipe that trains a small network for two epochs from scratch."""
    return Recipe.load("finetune").but(network=NETWORK, weights="none", epochs=2, batch_size=8, threads=1, views=2)


def run(work: Generator[Any, None, Any]) -> tuple[list[Any], Any]:
    """Run a generator to its end; return what it yielded and what it returned."""
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            return events, end.value


@pytest.fixture(name="run")
def run_fixture() -> Callable[[Generator[Any, None, Any]], tuple[list[Any], Any]]:
    return run
