"""A start from which a network in words learns at all: random weights whose first steps do not put it to death.

With very many inputs to few units, as in the microtubule study (341,000 to 32), one step of an optimiser that moves all
weights alike may be so large that no unit answers to any picture any more. No gradient comes back from there (dead
rectified units: Lu et al. 2020, "Dying ReLU and initialization"). So the first steps are rehearsed by a copy, and where
it dies other random weights are taken, as whoever trains by hand would start again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.learn.inputs import middle
from napari_cellstage.learn.learner import Learner
from napari_cellstage.learn.lessons import Lessons, Progress
from napari_cellstage.learn.networks import CellNetwork
from napari_cellstage.learn.torch_start import torch

STEPS, LOOK_EVERY = 150, 30
TRIES = 5
LOOKED_AT = 64  # training pictures
# Difference of the probabilities of these, below which a network says the same of all, and above which it has learned.
SAME, LEARNED = 1e-3, 0.05
Rows = NDArray[np.int64]


def living_start(
    lessons: Lessons, rows: Rows, new: Callable[[], CellNetwork]
) -> Generator[BatchDone | Note, None, Lessons]:
    """Return lessons that start from weights with which a network lives through its first steps.

    Parameters
    ----------
    lessons
        Of the training; they stay as they are.
    rows
        Training cells.
    new
        Makes a network with other random weights.
    """
    for attempt in range(1, TRIES + 1):
        lives = yield from _rehearsed(lessons, rows)
        if lives or lessons.should_stop():
            return lessons
        if attempt < TRIES:
            yield Note(
                "With these random weights the network soon says the same of every cell, so it starts from others "
                f"({attempt + 1} of {TRIES})."
            )
            lessons = replace(lessons, start=new())
    yield Note(
        f"In {TRIES} tries the network soon said the same of every cell. A smaller learning rate (now "
        f"{lessons.recipe.learning_rate:g}) or a smaller picture may help."
    )
    return lessons


def _rehearsed(lessons: Lessons, rows: Rows) -> Generator[BatchDone, None, bool]:
    """Train a copy until it has learned something, or for some steps; return whether it still tells cells apart.

    The steps are the very first ones of the training proper: the same cells, turned and dropped out alike.
    """
    trial = replace(lessons, progress=Progress())
    learner = trial.learner(rows)
    pictures = middle(lessons.pictures, lessons.recipe)[rows[:: max(1, len(rows) // LOOKED_AT)]]
    last = now = 0.0
    with torch.random.fork_rng():
        epochs = (trial.train_epoch(learner, rows, epoch) for epoch in range(1, lessons.epochs + 1))
        for number, _ in enumerate(islice(chain.from_iterable(epochs), STEPS), 1):
            yield BatchDone("trying the first steps", number, STEPS)
            if number % LOOK_EVERY == 0 and not lessons.should_stop():
                last, now = now, _difference(learner, pictures)
                if now < SAME:
                    return False
                if min(last, now) > LEARNED:
                    return True
    return lessons.should_stop() or _difference(learner, pictures) >= SAME


def _difference(learner: Learner, pictures: torch.Tensor) -> float:
    """Return by how much the probabilities of a class differ from cell to cell, at most."""
    learner.network.eval()
    with torch.inference_mode():
        chances = learner.network(pictures.to(learner.device)).float().softmax(dim=1)
    return float((chances.amax(dim=0) - chances.amin(dim=0)).max())
