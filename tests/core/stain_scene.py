"""Predictions of stains for tests, without a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.images import ImageStack
from napari_cellstage.stain.prediction import StainPrediction
from napari_cellstage.stain.verdicts import Level, Verdict


def prediction_for(
    stack: ImageStack,
    names: Sequence[str] = ("DNA",),
    *,
    depth: int | None = None,
    times: Sequence[int] | None = None,
    levels: Sequence[Level] = ("like",),
    mean: NDArray[Any] | None = None,
    seed: int = 0,
) -> StainPrediction:
    """Return a prediction of random values for an image; `levels` are the verdicts, the last one repeated."""
    frames, _, planes, height, width = stack.shape
    chosen = tuple(range(frames)) if times is None else tuple(times)
    shape = (len(chosen), len(names), planes if depth is None else depth, height, width)
    rng = np.random.default_rng(seed)
    given = rng.normal(100, 30, shape).astype(np.float32) if mean is None else mean
    told = [levels[min(i, len(levels) - 1)] for i in range(len(chosen))]
    return StainPrediction(
        stain_names=tuple(names),
        mean=given,
        uncertainty=np.abs(rng.normal(5, 1, shape)).astype(np.float32),
        unlike=np.full((len(chosen), 1, 1, -(-height // 16), -(-width // 16)), 0.5, dtype=np.float32),
        step=(16.0, 16.0),
        verdicts=tuple(Verdict(one, f"It is {one}.", 0.1, 0.2) for one in told),
        times=chosen,
    )
