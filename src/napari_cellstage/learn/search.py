"""`search_topology`: which layers suit the cells, found by trying many and cross-validating each.

Some cells are held out of the whole search; the best network is scored on them at the end, once. Its cross-validated
accuracy flatters, as it is the best of many.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import TrainingError, TrainingStopped
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import Note
from napari_cellstage.learn.fit import fit, never
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.search_report import BEST, OF_THE_MACHINE, Found, found_so_far
from napari_cellstage.learn.search_space import SearchChoices
from napari_cellstage.learn.search_study import check_optuna, opened
from napari_cellstage.learn.search_trials import Event, ShouldStop, Trials

if TYPE_CHECKING:
    pass

HELD_OUT = 0.2  # of the cells, where the recipe holds out none
ABOUT = "The best of a topology search."


@dataclass(frozen=True)
class Searched:
    """What a search has found.

    Parameters
    ----------
    found
        The trials, the best of them, and what each choice matters.
    recipe
        The best as a recipe; None before any trial was complete.
    scores
        Of the best, on cells held out from the whole search; None when stopped before.
    """

    found: Found
    recipe: Recipe | None
    scores: Scores | None


def search_topology(
    data: TrainingSet,
    recipe: Recipe,
    folder: Path,
    choices: SearchChoices | None = None,
    should_stop: ShouldStop = never,
) -> Generator[Event, None, Searched]:
    """Search for layers; what is found is in the folder at any time: ``search.sqlite``, ``trials.csv``, ``best.toml``.

    Parameters
    ----------
    data
        Labelled cells. A part of them is never seen by the search.
    recipe
        All other choices of the training; its network is replaced by layers.
    folder
        Where the search is kept; one that is there is resumed.
    choices
        How is searched.
    should_stop
        A stop ends the search normally with the best so far; the trial that was at work is not counted.

    Raises
    ------
    MissingExtraError
        If Optuna is not installed.
    TrainingError
        If the recipe trains no network, the cells can't be divided, or the search was begun with something else.
    """
    check_optuna()
    choices = choices or SearchChoices()
    base = _base(recipe, choices)
    held_out = data.held_out(base)
    _check_enough(data, held_out)
    training = data.take(~held_out)
    fold = kfold(training.labels, training.groups, choices.folds, choices.seed)
    if not held_out.any() or fold.max(initial=0) < 1:
        raise TrainingError(
            f"{len(data)} cells in {len(set(data.groups.tolist()))} groups can't be divided into some held out and two "
            "folds of the others. Label more cells, in more images."
        )
    with opened(folder, _begun_with(data, base, choices)) as study:
        trials = Trials(training, base, choices, fold, study, folder, should_stop)
        yield from trials.run()
        found = found_so_far(study, choices.seed)
    best = None if found.best is None else base.but(layers=found.best.layers, input_size=found.best.input_size)
    scores = None
    if best is not None and not should_stop():
        yield Note("The best network is trained on all cells of the search, and scored on those held out from it.")
        with contextlib.suppress(TrainingStopped):
            scores = (yield from fit(data, best, should_stop, held_out=held_out)).scores
    return Searched(found, best, None if should_stop() else scores)


def _check_enough(data: TrainingSet, held_out: NDArray[np.bool_]) -> None:
    """Raise `TrainingError` where a class has too few cells for the search besides those that are held out of it."""
    for place, name in enumerate(data.classes.names):
        count, out = (int((data.labels[rows] == place).sum()) for rows in (slice(None), held_out))
        if count - out < 2:
            raise TrainingError(
                f"Class '{name}' has {count} labelled cells, of which {out} would be held out to score the best "
                "network: too few are left to search with. Label more of it, or leave the class out."
            )


def _base(recipe: Recipe, choices: SearchChoices) -> Recipe:
    """Return the recipe of all trials; networks beside to stop by would be a cross-validation within each fold."""
    if recipe.kind != "finetune":
        raise TrainingError(
            f"Recipe '{recipe.name}' is of the kind {recipe.kind}, which has no layers. Search with one that trains a "
            "network, such as microtubule-cnn."
        )
    return recipe.but(
        name=BEST,
        about=ABOUT,
        network="layers",
        weights="none",
        stop_by="validation",
        validation=recipe.validation or 0.1,
        epochs=choices.epochs,
        folds=0,
        holdout=recipe.holdout or HELD_OUT,
        seed=choices.seed,
    )


def _begun_with(data: TrainingSet, base: Recipe, choices: SearchChoices) -> dict[str, Any]:
    """Return what a search is resumed with only, by what it is in words."""
    cells = hashlib.blake2b(digest_size=16)
    for part in (data.crops, data.labels, data.groups, np.array(data.classes.names)):
        cells.update(np.ascontiguousarray(part).tobytes())
    places = (*OF_THE_MACHINE, "layers", "input_size")
    return {
        "cells": cells.hexdigest(),
        "ranges": choices.space.to_dict(),
        "seed": choices.seed,
        "folds": choices.folds,
        "memory": choices.memory_gb,
        "choices of the recipe": {name: value for name, value in base.to_dict().items() if name not in places},
    }
