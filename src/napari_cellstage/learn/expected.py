"""How long trainings should take, from what was measured on this machine. No torch, no widgets."""

from __future__ import annotations

from dataclasses import dataclass

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.members import member_recipes
from napari_cellstage.learn.recipe import Recipe, epochs_for

_USUAL_TREES = 60
_QUARTERS = 4


@dataclass(frozen=True)
class Work:
    """What there is to do: labelled cells to learn from, all cells to predict."""

    labelled: int
    cells: int


@dataclass(frozen=True)
class Speed:
    """What was measured: training images a second for a network, cells a second for its predictions and for features.

    The default is a small office computer without a graphics card, at crops of 64 pixels.
    """

    trained_per_second: float = 40.0
    predicted_per_second: float = 150.0
    features_per_second: float = 120.0


def expected_seconds(recipes: tuple[Recipe, ...], work: Work, speed: Speed) -> float:
    """Return how long these recipes, one after the other, should take."""
    return sum(_one(recipe, work, speed) for recipe in recipes)


def _one(recipe: Recipe, work: Work, speed: Speed) -> float:
    if recipe.kind == "ensemble":
        return _ensemble(recipe, work, speed)
    if recipe.kind == "quick":
        trees = max(1.0, recipe.trees / _USUAL_TREES) if recipe.classifier == "trees" else 1.0
        return 3.0 * trees + work.cells / speed.features_per_second
    larger = ((recipe.input_size or recipe.crop_size) / 64) ** 2
    learnt_from = round(work.labelled * (1 - recipe.holdout)) * (_QUARTERS if recipe.quarter_turns else 1)
    trained = learnt_from * (recipe.epochs or epochs_for(learnt_from)) / speed.trained_per_second
    beside = recipe.stop_folds if recipe.stop_by == "cross-validation" else 0
    trainings = 1 + (recipe.folds if recipe.folds > 1 else 0)  # cross-validation trains as often again
    looked_at = work.cells * recipe.views / speed.predicted_per_second
    return 2.0 + larger * (trainings * (1 + beside) * trained + looked_at)


def _ensemble(recipe: Recipe, work: Work, speed: Speed) -> float:
    """Return the time of all members; of those that can be told, as a wrong one is said when training begins."""
    try:
        members = member_recipes(recipe)
    except TrainingError:
        return 0.0
    return expected_seconds(tuple(one.but(folds=recipe.folds) for one in members), work, speed)
