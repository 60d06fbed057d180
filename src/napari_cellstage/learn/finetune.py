"""The network's training: one loop that reads top to bottom, from labelled crops to a `TrainedModel`.

The held-out cells measure the score and choose nothing. What chooses (the epoch kept, early stopping) is a
validation part of the training cells. Where cells are too few for one, the last epoch is kept, and the live curve shows
the held-out part, by which nothing is chosen.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_cellstage.core.scoring.splits import holdout
from napari_cellstage.learn.cutting import normalisation_of
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.device import choose_device, cpu_threads, describe, repeatable
from napari_cellstage.learn.ending import Ending, Parts
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.held_out import scored
from napari_cellstage.learn.keep import Keeper
from napari_cellstage.learn.learner import Learner, Stopped, class_weights, torch_errors_said_plainly
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.network_predict import Seen, halved, look, network_arrays
from napari_cellstage.learn.networks import make_network
from napari_cellstage.learn.recipe import Recipe, epochs_for
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.learn.weights import FROM_SCRATCH, start_weights

LEAST_FOR_VALIDATION = 50  # training cells a class; a part of fewer would choose the epoch by chance
Stop = Callable[[], bool]
Event = Note | BatchDone | EpochDone


def fit_finetune(
    data: TrainingSet, recipe: Recipe, should_stop: Stop, held_out: NDArray[np.bool_] | None = None
) -> Generator[Event, None, TrainedModel]:
    """Train a network; see `napari_cellstage.learn.fit.fit`."""
    with cpu_threads(recipe.threads), repeatable(recipe.seed), torch_errors_said_plainly():
        return (yield from _train(data, recipe, should_stop, split(data, recipe, held_out)))


def _train(data: TrainingSet, recipe: Recipe, should_stop: Stop, parts: Parts) -> Generator[Event, None, TrainedModel]:
    normalisation = normalisation_of(data.crops[parts.train], recipe)
    crops, labels = torch.from_numpy(normalisation.apply(data.crops)), torch.from_numpy(data.labels)

    device = choose_device(recipe.device)
    network = make_network(recipe.network, crops.shape[1], len(data.classes))
    network.standardise_by(crops[parts.train])
    started_from = yield from start_weights(network, recipe.network, recipe.weights, should_stop)
    yield Note(f"{recipe.network} trains on {len(parts.train):,} cells. {describe(device).text}.")
    weights = class_weights(labels[parts.train], len(data.classes), recipe.class_weights)
    learner = Learner(network.to(device), recipe, weights, started_from != FROM_SCRATCH, should_stop)

    keeper, kept = Keeper(recipe.patience), None
    epochs = recipe.epochs or epochs_for(len(parts.train))
    for epoch in range(1, epochs + 1):
        began = time.perf_counter()
        loss = yield from train_epoch(learner, crops, labels, parts.train, epoch, epochs, should_stop)
        speed = len(parts.train) / (time.perf_counter() - began)
        watched = parts.valid if len(parts.valid) else parts.held_out
        seen = yield from _look(learner, crops[watched], should_stop)
        if should_stop():
            break
        valid_loss, valid_accuracy = agreement(seen.probabilities, data.labels[watched])
        yield EpochDone(epoch, epochs, loss, valid_loss, valid_accuracy, speed)
        if keeper.look(learner.best_guess, epoch, valid_loss if len(parts.valid) else math.nan):
            if len(parts.valid):
                seen = yield from _look(learner, crops[parts.held_out], should_stop)
            # Of one view only: so that a training that is stopped has a score of what it kept.
            kept = seen if seen.reached == len(parts.held_out) else kept
        if keeper.patience_is_over(epoch):
            break

    best = keeper.restore(learner.best_guess)
    ending = Ending(data, recipe, parts, crops, should_stop)
    judged = yield from ending.judged(best, kept)
    space = yield from ending.space(best)
    unseen = judged.unseen(data, parts, space, recipe.seed)
    return TrainedModel.of(
        data,
        recipe,
        normalisation,
        parts.is_held_out,
        scored(unseen),
        arrays=network_arrays(best) | (space.arrays() if space else {}),
        unseen=unseen,
        started_from=started_from,
        epochs_done=keeper.epoch,
        temperature=judged.temperature,
        stopped=should_stop(),
    )


def split(data: TrainingSet, recipe: Recipe, held_out: NDArray[np.bool_] | None = None) -> Parts:
    """Divide a training set, never through a group unless there is only one."""
    is_held_out = data.held_out(recipe) if held_out is None else held_out
    rest = np.flatnonzero(~is_held_out)
    share = recipe.validation if len(rest) >= LEAST_FOR_VALIDATION * len(data.classes) else 0.0
    chooses = holdout(data.labels[rest], data.groups[rest], share, recipe.seed + 1)
    return Parts(rest[~chooses], rest[chooses], np.flatnonzero(is_held_out), is_held_out)


def train_epoch(
    learner: Learner,
    crops: Tensor,
    labels: Tensor,
    train: NDArray[np.int64],
    epoch: int,
    epochs: int,
    should_stop: Stop,
) -> Generator[Event, None, float]:
    """Learn from every training cell once, in random order; return the mean loss."""
    pending = torch.from_numpy(train)[torch.randperm(len(train), generator=learner.order)]
    total, losses = epochs * len(train), []
    while len(pending) > 1 and not should_stop():  # batch normalisation needs two
        done = epoch * len(train) - len(pending)
        rows = pending[: even_size(len(pending), learner.batch_size)]
        try:
            losses.append(learner.step(crops[rows], labels[rows], done / total))
        except Stopped:
            break
        except torch.OutOfMemoryError as e:
            learner.batch_size = halved(learner.batch_size, e)
            yield Note(f"The graphics memory is full, so batches are halved to {learner.batch_size} cells.")
            continue
        pending = pending[len(rows) :]
        yield BatchDone(f"epoch {epoch}/{epochs}", done + len(rows), total, losses[-1])
    return float(np.mean(losses)) if losses else math.nan


def even_size(cells: int, batch_size: int) -> int:
    """Return the size of the next batch when the cells are dealt to batches of like size, so that none is tiny."""
    return -(-cells // -(-cells // batch_size))


def _look(learner: Learner, crops: Tensor, should_stop: Stop) -> Generator[BatchDone, None, Seen]:
    """Predict in one view, as fast as can be."""
    return (yield from look(learner.best_guess, crops, learner.recipe, should_stop, 1, "validating"))


def agreement(probabilities: NDArray[np.float32], truth: NDArray[np.int64]) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy of ``(N, K)`` probabilities; NaN without cells."""
    if not len(truth):
        return math.nan, math.nan
    of_truth = np.maximum(probabilities[np.arange(len(truth)), truth], 1e-7)
    return float(-np.log(of_truth).mean()), float((probabilities.argmax(axis=1) == truth).mean())
