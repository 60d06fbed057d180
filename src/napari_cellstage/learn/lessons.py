"""`Lessons`: what all networks of one training share, and how one of them goes through an epoch."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_cellstage.learn.augment import turned
from napari_cellstage.learn.device import choose_device
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.inputs import middle
from napari_cellstage.learn.learner import Learner, Stopped, class_weights
from napari_cellstage.learn.network_predict import Seen, halved, look
from napari_cellstage.learn.networks import CellNetwork
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.schedule import rate_at
from napari_cellstage.learn.torch_start import torch

Event = Note | BatchDone | EpochDone
Rows = NDArray[np.int64]
QUARTERS = 4


@dataclass
class Progress:
    """Pictures shown so far, and in all, over every network of a training."""

    done: int = 0
    total: int = 0


@dataclass(frozen=True, eq=False)
class Lessons:
    """Start, pictures and labels of a training. They are in memory once, however many networks there are.

    Parameters
    ----------
    recipe
        How is learned.
    start
        The network before any step; each learner gets a copy.
    pretrained
        Whether its body has learned something before.
    pictures
        ``(N, C, H, W)`` float32, of all cells, as `prepared` gives them.
    labels
        ``(N,)`` int64.
    classes
        K.
    epochs
        The most that there will be.
    should_stop
        Asked every batch.
    """

    recipe: Recipe
    start: CellNetwork
    pretrained: bool
    pictures: Tensor
    labels: Tensor
    classes: int
    epochs: int
    should_stop: Callable[[], bool]
    progress: Progress = field(default_factory=Progress)

    def learner(self, rows: Rows) -> Learner:
        """Return a network that is to learn from these rows only; nothing of it comes from others."""
        recipe, network = self.recipe, copy.deepcopy(self.start)
        network.standardise_by(middle(self.pictures, recipe), recipe.standardise, rows)
        # Classes that are shown as often as each other count alike already.
        weights = class_weights(self.labels[rows], self.classes, recipe.class_weights and not recipe.upsample)
        network = network.to(choose_device(recipe.device))
        return Learner(network, recipe, weights, self.pretrained, self.should_stop)

    def expect(self, rows: Rows) -> None:
        """Count what a network that learns from these rows will be shown, for the progress."""
        self.progress.total += self.epochs * shown_in_epoch(self.labels[rows], self.recipe)

    def train_epoch(self, learner: Learner, rows: Rows, epoch: int, who: str = "") -> Generator[Event, None, float]:
        """Show a network all its rows once, in random order; return the mean loss, NaN when nothing was learned."""
        pending, quarters = showings(self.labels, rows, self.recipe, learner.order)
        whole, losses = len(pending), list[float]()
        torch.manual_seed(self.recipe.seed + epoch)  # so that dropout is the same, whatever was trained in between
        while len(pending) > 1 and not self.should_stop():  # batch normalisation needs two
            size = even_size(len(pending), learner.batch_size)
            rate = rate_at(self.recipe, epoch - len(pending) / whole, self.epochs)
            crops = self.pictures[pending[:size]].to(learner.device)
            crops = turned(crops, quarters[:size]) if self.recipe.quarter_turns else crops
            try:
                losses.append(learner.step(crops, self.labels[pending[:size]], rate))
            except Stopped:
                break
            except torch.OutOfMemoryError as e:
                learner.batch_size = halved(learner.batch_size, e)
                yield Note(f"The graphics memory is full, so batches are halved to {learner.batch_size} cells.")
                continue
            pending, quarters = pending[size:], quarters[size:]
            self.progress.done += size + (len(pending) == 1)  # a single one that is left is not shown
            yield self._done(f"epoch {epoch}/{self.epochs}{who}", losses[-1])
        learner.rest()
        return float(np.mean(losses)) if losses else math.nan

    def look(self, learner: Learner, rows: Rows) -> Generator[BatchDone, None, Seen]:
        """Predict rows in one view, as fast as can be."""
        pictures = middle(self.pictures, self.recipe)[rows]
        return (yield from look(learner.best_guess, pictures, self.recipe, self.should_stop, 1, "validating"))

    def _done(self, what: str, loss: float) -> BatchDone:
        return BatchDone(what, self.progress.done, self.progress.total, loss)


def shown_in_epoch(labels: Tensor, recipe: Recipe) -> int:
    """Return how many pictures cells with these labels are in an epoch."""
    counts = torch.bincount(labels)
    cells = int(counts.max() * (counts > 0).sum()) if recipe.upsample else len(labels)
    return cells * (QUARTERS if recipe.quarter_turns else 1)


def showings(labels: Tensor, rows: Rows, recipe: Recipe, order: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return an epoch's pictures in random order: ``(M,)`` which row, and by how many right angles it is turned.

    All copies of a cell are of `rows`, so where these are the training part none gets out of it.
    """
    shown = torch.from_numpy(rows)
    if recipe.upsample:
        shown = _upsampled(shown, labels[rows], order)
    turns = QUARTERS if recipe.quarter_turns else 1
    shown, quarters = shown.repeat_interleave(turns), torch.arange(turns).repeat(len(shown))
    places = torch.randperm(len(shown), generator=order)
    return shown[places], quarters[places]


def even_size(cells: int, batch_size: int) -> int:
    """Return the size of the next batch when the cells are dealt to batches of like size, so that none is tiny."""
    return -(-cells // -(-cells // batch_size))


def _upsampled(rows: Tensor, labels: Tensor, order: torch.Generator) -> Tensor:
    """Repeat the cells of rare classes; which of them are shown once more than others is drawn anew each time."""
    most, parts = int(torch.bincount(labels).max()), []
    for label in torch.bincount(labels).nonzero().flatten():
        own = rows[labels == label]
        more = torch.randperm(len(own), generator=order)[: most % len(own)]
        parts.append(torch.cat([own.repeat(most // len(own)), own[more]]))
    return torch.cat(parts)
