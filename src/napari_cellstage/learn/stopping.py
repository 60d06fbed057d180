"""What picks the epoch whose weights are kept: a validation part, or networks beside that leave out a part each.

The second is how Shpilman et al. stopped: the training ends when the tenfold cross-validated accuracy on the training
part has not improved for two epochs. What that leaves open is decided here:

- All networks start from the same weights and go on in step, one epoch each; the accuracy is that of all training cells
  together, each as the network says that was trained without it and without its group.
- The network that is kept starts as they do and learns from the whole training part. It is trained in step with them
  and its weights after the best epoch are kept, which is the same as training it anew for that many epochs. So a stop
  finds the best so far at any time.
- An epoch must be better than all before, not only equal; after `patience` epochs that are not, the training ends.

There are as many networks in memory as there are folds, and one more; the pictures are there once.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.learn.ending import Parts
from napari_cellstage.learn.learner import Learner
from napari_cellstage.learn.lessons import Event, Lessons, Rows
from napari_cellstage.learn.network_predict import Seen

CROSS_VALIDATION = "cross-validation"


@dataclass(frozen=True, eq=False)
class Watched:
    """How good a network is after an epoch.

    Parameters
    ----------
    loss, accuracy
        Mean cross-entropy, and the share that is right; NaN without cells.
    figure
        What the epoch is picked by, the lower the better; NaN where nothing picks it and the last one is kept.
    held_out
        What it says of the held-out cells, where these were looked at.
    """

    loss: float
    accuracy: float
    figure: float
    held_out: Seen | None = None


class Watch(Protocol):
    """What is looked at after each epoch."""

    def look(self, learner: Learner, epoch: int) -> Generator[Event, None, Watched]:
        """Say how good the network is after this epoch."""
        ...


@dataclass(frozen=True)
class ByPart:
    """Watches a part of the cells; without a validation part the held-out ones, which then pick nothing."""

    lessons: Lessons
    parts: Parts

    def look(self, learner: Learner, epoch: int) -> Generator[Event, None, Watched]:  # noqa: ARG002 - as in Watch
        """Look at the part."""
        picks = len(self.parts.valid) > 0
        rows = self.parts.valid if picks else self.parts.held_out
        seen = yield from self.lessons.look(learner, rows)
        loss, accuracy = agreement(seen.probabilities, self.lessons.labels[rows].numpy())
        return Watched(loss, accuracy, loss if picks else math.nan, None if picks else seen)


class ByNetworksBeside:
    """Watches by networks that are trained in step, each without one fold of the training part.

    Parameters
    ----------
    lessons
        What they learn from.
    rows
        The training part.
    fold
        As long; which fold each of these cells is in.
    """

    def __init__(self, lessons: Lessons, rows: Rows, fold: NDArray[np.int64]) -> None:
        self._lessons, self._rows, self._fold = lessons, rows, fold
        self._learners = [lessons.learner(rows[fold != number]) for number in range(int(fold.max()) + 1)]
        for number in range(len(self._learners)):
            lessons.expect(rows[fold != number])

    def look(self, learner: Learner, epoch: int) -> Generator[Event, None, Watched]:  # noqa: ARG002 - as in Watch
        """Train each network for an epoch, and ask it about the cells that it was trained without."""
        lessons, said = self._lessons, np.zeros((len(self._rows), self._lessons.classes), dtype=np.float32)
        for number, beside in enumerate(self._learners):
            left_out = self._fold == number
            who = f", network {number + 1} of {len(self._learners)} beside"
            yield from lessons.train_epoch(beside, self._rows[~left_out], epoch, who)
            said[left_out] = (yield from lessons.look(beside, self._rows[left_out])).probabilities
        loss, accuracy = agreement(said, lessons.labels[self._rows].numpy())
        return Watched(loss, accuracy, -accuracy)


def watch_of(lessons: Lessons, parts: Parts, groups: NDArray[np.str_]) -> Watch:
    """Return what the recipe says should pick the epoch; cells that can't be divided into folds are not watched so.

    Parameters
    ----------
    lessons
        The training.
    parts
        Which cells are for what; without a validation part where networks beside pick the epoch.
    groups
        ``(N,)``; cells of one group are in one fold.
    """
    recipe = lessons.recipe
    if recipe.stop_by == CROSS_VALIDATION:
        fold = kfold(lessons.labels[parts.train].numpy(), groups[parts.train], recipe.stop_folds, recipe.seed)
        if fold.max(initial=0) > 0:
            return ByNetworksBeside(lessons, parts.train, fold)
    return ByPart(lessons, parts)


def agreement(probabilities: NDArray[np.float32], truth: NDArray[np.int64]) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy of ``(N, K)`` probabilities; NaN without cells."""
    if not len(truth):
        return math.nan, math.nan
    of_truth = np.maximum(probabilities[np.arange(len(truth)), truth], 1e-7)
    return float(-np.log(of_truth).mean()), float((probabilities.argmax(axis=1) == truth).mean())
