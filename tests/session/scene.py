"""Cells on a grid, an image to go with them, and an ear for signals."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_cellstage.core.images import ImageStack, from_array
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.session import Session


def grid(side: int = 3, size: int = 10, frames: int = 1) -> np.ndarray:
    """Square cells on a grid, numbered from 1."""
    labels = np.zeros((frames, 1, side * size, side * size), dtype=np.int32)
    for number in range(side * side * frames):
        t, place = divmod(number, side * side)
        y, x = (size * n + 2 for n in divmod(place, side))
        labels[t, 0, y : y + size - 4, x : x + size - 4] = number + 1
    return labels


def stack_for(labels: np.ndarray, name: str = "field", seed: int = 0) -> ImageStack:
    frames, _, height, width = labels.shape
    pixels = np.random.default_rng(seed).integers(0, 255, (frames, 2, height, width), dtype=np.uint8)
    return from_array(pixels, "TCYX", name, channel_names=("tubulin", "H2B"))


def watch(session: Session, *names: str) -> list[tuple[Any, ...]]:
    """Collect what signals say, with their names."""
    heard: list[tuple[Any, ...]] = []

    def listen(name: str) -> None:
        def hear(*args: Any) -> None:
            heard.append((name, *(a.tolist() if isinstance(a, np.ndarray) else a for a in args)))

        getattr(session, name).connect(hear)

    for name in names:
        listen(name)
    return heard


def predicted(session: Session, rows: int | None = None, run: str = "r") -> Predictions:
    count = len(session.cells()) if rows is None else rows
    probabilities = np.random.default_rng(1).dirichlet(np.ones(len(session.scheme)), count).astype(np.float32)
    return Predictions(probabilities, session.scheme.ids, np.zeros(count, np.uint8), run)
