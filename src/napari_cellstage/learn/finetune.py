"""The network's training: one loop that reads top to bottom, from labelled crops to a `TrainedModel`.

The held-out cells measure the score and choose nothing. What chooses (the epoch kept, early stopping) is a
validation part of the training cells, or networks beside, see `stopping`. Where cells are too few for either, the last
epoch is kept, and the live curve shows the held-out part, by which nothing is chosen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.core.scoring.splits import holdout
from napari_cellstage.learn.cutting import normalisation_of
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.device import choose_device, cpu_threads, describe, repeatable
from napari_cellstage.learn.ending import Ending, Parts
from napari_cellstage.learn.events import EpochDone, Note
from napari_cellstage.learn.held_out import scored
from napari_cellstage.learn.inputs import input_side, middle, prepared
from napari_cellstage.learn.keep import Keeper
from napari_cellstage.learn.learner import torch_errors_said_plainly
from napari_cellstage.learn.lessons import Event, Lessons, Progress, shown_in_epoch
from napari_cellstage.learn.living_start import living_start
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.nets.names import LAYERS
from napari_cellstage.learn.network_predict import network_arrays
from napari_cellstage.learn.networks import CellNetwork, make_network
from napari_cellstage.learn.rate_curve import RateCurve
from napari_cellstage.learn.rate_finder import sweep
from napari_cellstage.learn.recipe import Recipe, epochs_for
from napari_cellstage.learn.stopping import CROSS_VALIDATION, watch_of
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.learn.weights import FROM_SCRATCH, start_weights

LEAST_FOR_VALIDATION = 50  # training cells a class; a part of fewer would choose the epoch by chance
Stop = Callable[[], bool]


def fit_finetune(
    data: TrainingSet, recipe: Recipe, should_stop: Stop, held_out: NDArray[np.bool_] | None = None
) -> Generator[Event, None, TrainedModel]:
    """Train a network; see `napari_cellstage.learn.fit.fit`."""
    with cpu_threads(recipe.threads), repeatable(recipe.seed), torch_errors_said_plainly():
        return (yield from _train(data, recipe, should_stop, split(data, recipe, held_out)))


def find_rate(data: TrainingSet, recipe: Recipe, should_stop: Stop) -> Generator[Event, None, RateCurve]:
    """Find a learning rate for a training, by the cells that it would learn from; nothing is trained for good.

    Parameters
    ----------
    data, recipe, should_stop
        As in `napari_cellstage.learn.fit.fit`, of a recipe that trains a network.

    Raises
    ------
    TrainingStopped
        If it was stopped before there is a curve.
    """
    with cpu_threads(recipe.threads), repeatable(recipe.seed), torch_errors_said_plainly():
        parts = split(data, recipe)
        lessons, _, _ = yield from _lessons(data, recipe, should_stop, parts)
        return (yield from sweep(lessons, parts.train, should_stop))


def _train(data: TrainingSet, recipe: Recipe, should_stop: Stop, parts: Parts) -> Generator[Event, None, TrainedModel]:
    lessons, normalisation, started_from = yield from _lessons(data, recipe, should_stop, parts)
    lessons, curve = yield from _at_found_rate(lessons, parts)
    if recipe.network == LAYERS and started_from == FROM_SCRATCH:
        made = partial(_network, data, recipe, lessons.pictures.shape[1])
        lessons = yield from living_start(lessons, parts.train, made)
    labels, epochs = lessons.labels, lessons.epochs
    learner, watch = lessons.learner(parts.train), watch_of(lessons, parts, data.groups)
    lessons.expect(parts.train)

    keeper, kept = Keeper(recipe.patience), None
    for epoch in range(1, epochs + 1):
        began = time.perf_counter()
        loss = yield from lessons.train_epoch(learner, parts.train, epoch)
        speed = shown_in_epoch(labels[parts.train], recipe) / (time.perf_counter() - began)
        seen = yield from watch.look(learner, epoch)
        if should_stop():
            break
        yield EpochDone(epoch, epochs, loss, seen.loss, seen.accuracy, speed)
        if keeper.look(learner.best_guess, epoch, seen.figure):
            # Of one view only: so that a training that is stopped has a score of what it kept.
            now = seen.held_out or (yield from lessons.look(learner, parts.held_out))
            kept = now if now.reached == len(parts.held_out) else kept
        if keeper.patience_is_over(epoch):
            break

    best = keeper.restore(learner.best_guess)
    ending = Ending(data, recipe, parts, middle(lessons.pictures, recipe), should_stop)
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
        found_rate=curve.to_dict() if curve else None,
    )


def _lessons(
    data: TrainingSet, recipe: Recipe, should_stop: Stop, parts: Parts
) -> Generator[Event, None, tuple[Lessons, Normalisation, str]]:
    """Return all that networks of this training share, how crops are normalised, and where the network starts."""
    normalisation = normalisation_of(data.crops[parts.train], recipe)
    pictures = torch.from_numpy(prepared(data.crops, normalisation, recipe))
    network = _network(data, recipe, pictures.shape[1])
    started_from = yield from start_weights(network, recipe.network, recipe.weights, should_stop)
    device = describe(choose_device(recipe.device)).text
    yield Note(f"{recipe.network} trains on {len(parts.train):,} cells. {device}.")
    epochs = recipe.epochs or epochs_for(len(parts.train))
    pretrained, labels = started_from != FROM_SCRATCH, torch.from_numpy(data.labels)
    lessons = Lessons(recipe, network, pretrained, pictures, labels, len(data.classes), epochs, should_stop)
    return lessons, normalisation, started_from


def _network(data: TrainingSet, recipe: Recipe, channels: int) -> CellNetwork:
    """Return a network with random weights."""
    return make_network(recipe, channels, len(data.classes), input_side(recipe, data.crop_size))


def _at_found_rate(lessons: Lessons, parts: Parts) -> Generator[Event, None, tuple[Lessons, RateCurve | None]]:
    """Return lessons with the learning rate that the finder suggests, where the recipe asks for it."""
    if not lessons.recipe.find_rate or lessons.should_stop():
        return lessons, None
    curve = yield from sweep(lessons, parts.train, lessons.should_stop)
    rate = curve.suggestion or lessons.recipe.learning_rate
    kept = "" if curve.suggestion else f" The recipe's {rate:g} is kept."
    yield Note(f"{curve.text}{kept}")
    return replace(lessons, recipe=lessons.recipe.but(learning_rate=rate), progress=Progress()), curve


def split(data: TrainingSet, recipe: Recipe, held_out: NDArray[np.bool_] | None = None) -> Parts:
    """Divide a training set, never through a group unless there is only one."""
    is_held_out = data.held_out(recipe) if held_out is None else held_out
    rest = np.flatnonzero(~is_held_out)
    enough = len(rest) >= LEAST_FOR_VALIDATION * len(data.classes) and recipe.stop_by != CROSS_VALIDATION
    share = recipe.validation if enough else 0.0
    chooses = holdout(data.labels[rest], data.groups[rest], share, recipe.seed + 1)
    return Parts(rest[~chooses], rest[chooses], np.flatnonzero(is_held_out), is_held_out)
