"""`fit`: the one way to train, whatever the recipe. Which training a recipe means is decided here, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.recipe import Recipe

if TYPE_CHECKING:
    from napari_cellstage.learn.chosen import KnownChoice
    from napari_cellstage.learn.measure import KnownFeatures

Event = Note | BatchDone | EpochDone


def never() -> bool:
    """Return False: nobody wants to stop."""
    return False


def fit(
    data: TrainingSet,
    recipe: Recipe,
    should_stop: Callable[[], bool] = never,
    *,
    cache: KnownFeatures | None = None,
    held_out: NDArray[np.bool_] | None = None,
    known: KnownChoice | None = None,
) -> Generator[Event, None, TrainedModel]:
    """Train a model; iterate to do the work, and take the model from the generator's return value.

    Parameters
    ----------
    data
        Labelled cells; part of them is held out to measure the score.
    recipe
        Every choice; ``recipe.kind`` says which training.
    should_stop
        Asked every batch; once True, training ends normally with the best model so far.
    cache
        Where the quick kind finds features measured before.
    held_out
        ``(N,)``; which cells measure the score. None to choose them by the recipe's share and seed.
    known
        What the quick kind chose at an earlier training on nearly the same cells.

    Raises
    ------
    TrainingError
        If training can't go on, with the cause's own text.
    """
    if recipe.kind == "finetune":
        from napari_cellstage.learn.finetune import fit_finetune

        return (yield from fit_finetune(data, recipe, should_stop, held_out))
    if recipe.kind == "ensemble":
        from napari_cellstage.learn.ensemble import fit_ensemble

        return (yield from fit_ensemble(data, recipe, should_stop, cache, held_out))
    from napari_cellstage.learn.quick import fit_quick

    return (yield from fit_quick(data, recipe, should_stop, cache, held_out=held_out, known=known))
