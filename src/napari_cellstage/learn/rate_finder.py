"""The learning-rate finder: steps of rising size, and the size that their losses suggest.

A range test: one network is trained for some batches while the rate rises from very small to far too large (Smith 2017,
"Cyclical learning rates for training neural networks"). It sees training cells only, and is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_cellstage.core.errors import TrainingStopped
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.learner import Learner, Stopped
from napari_cellstage.learn.lessons import Lessons, showings
from napari_cellstage.learn.rate_curve import RateCurve, curve_of
from napari_cellstage.learn.torch_start import torch

LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 100
DIVERGED = 4.0  # times the lowest loss: nothing is to be learned from larger steps
FINDING = "finding the learning rate"
Rows = NDArray[np.int64]


def sweep(lessons: Lessons, rows: Rows, should_stop: Callable[[], bool]) -> Generator[BatchDone, None, RateCurve]:
    """Train a network of its own for some batches at rising rates.

    Parameters
    ----------
    lessons
        `Lessons` of the training that the rate is for; they stay as they are.
    rows
        Training cells.
    should_stop
        Asked every batch.

    Raises
    ------
    TrainingStopped
        If it was stopped: half a curve ends before the loss has fallen, and would suggest a rate by chance.
    """
    recipe = lessons.recipe.but(learning_rate=1.0, schedule="constant", average=0.0)
    learner = replace(lessons, recipe=recipe).learner(rows)
    rates, losses = np.geomspace(LOWEST, HIGHEST, STEPS), list[float]()
    for number, (rate, batch) in enumerate(zip(rates, _batches(lessons, rows, learner), strict=False), 1):
        try:
            losses.append(learner.step(lessons.pictures[batch], lessons.labels[batch], float(rate)))
        except Stopped:
            break
        yield BatchDone(FINDING, number, STEPS, losses[-1])
        if should_stop() or not losses[-1] <= DIVERGED * min(losses):
            break
    yield BatchDone(FINDING, STEPS, STEPS)
    if should_stop():
        raise TrainingStopped("Stopped while the learning rate was looked for. Nothing has changed; start again.")
    known = np.isfinite(losses)
    return curve_of(rates[: len(losses)][known], np.array(losses)[known])


def _batches(lessons: Lessons, rows: Rows, learner: Learner) -> Generator[Tensor, None, None]:
    """Yield batches of shuffled rows without end; few cells come again and again."""
    size = min(lessons.recipe.batch_size, len(rows))
    pending = torch.zeros(0, dtype=torch.int64)
    while True:
        if len(pending) < size:
            pending = showings(lessons.labels, rows, lessons.recipe, learner.order)[0]
        yield pending[:size]
        pending = pending[size:]
