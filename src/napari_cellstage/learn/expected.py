"""How long trainings should take, from what was measured on this machine. No torch, no widgets."""

from __future__ import annotations

from dataclasses import dataclass

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.members import member_recipes
from napari_cellstage.learn.recipe import Recipe, epochs_for

_USUAL_TREES = 60
_QUARTERS = 4
_USUAL_SIDE = 64
_FINDER_STEPS = 100  # batches that the learning-rate finder may take; see `rate_finder`
# How long a network takes for a picture, against a resnet34; measured in training on one core at 64 pixels. Those that
# are not here count as one.
_COST = {
    "cellnet": 0.15,
    "convnext_tiny": 1.7,
    "deepflow": 3.1,
    "efficientnet_b0": 0.4,
    "efficientnet_v2_s": 1.3,
    "layers": 0.1,
    "mobilenet_v3_large": 0.25,
    "mobilenet_v3_small": 0.15,
    "regnet_y_400mf": 0.3,
    "resnet18": 0.6,
    "resnet50": 1.3,
    "swin_t": 2.6,
}


@dataclass(frozen=True)
class Work:
    """What there is to do: labelled cells to learn from, all cells to predict."""

    labelled: int
    cells: int


@dataclass(frozen=True)
class Speed:
    """What was measured: training images a second, cells a second for predictions of a network and for features.

    Of a resnet34 at pictures of 64 pixels; others count by `picture_cost`. The default is a small office computer
    without a graphics card.
    """

    trained_per_second: float = 40.0
    predicted_per_second: float = 150.0
    features_per_second: float = 120.0


def expected_seconds(recipes: tuple[Recipe, ...], work: Work, speed: Speed) -> float:
    """Return how long these recipes, one after the other, should take."""
    return sum(_one(recipe, work, speed) for recipe in recipes)


def picture_cost(recipe: Recipe) -> float:
    """Return how long a recipe's network takes for a picture, against a resnet34 at 64 pixels."""
    larger = ((recipe.input_size or recipe.crop_size) / _USUAL_SIDE) ** 2
    return larger * _COST.get(recipe.network, 1.0)


def may_end_early(recipes: tuple[Recipe, ...]) -> bool:
    """Return whether one of the recipes ends when it gets no better, so that the expected time is the most."""
    return any(one.kind == "finetune" and one.patience > 0 and _is_judged(one) for one in recipes)


def _is_judged(recipe: Recipe) -> bool:
    return recipe.validation > 0 or recipe.stop_by == "cross-validation"


def _one(recipe: Recipe, work: Work, speed: Speed) -> float:
    if recipe.kind == "ensemble":
        return _ensemble(recipe, work, speed)
    if recipe.kind == "quick":
        trees = max(1.0, recipe.trees / _USUAL_TREES) if recipe.classifier == "trees" else 1.0
        return 3.0 * trees + work.cells / speed.features_per_second
    shown = _shown(recipe, work)
    looked_at = work.cells * recipe.views / speed.predicted_per_second
    return 2.0 + picture_cost(recipe) * (shown / speed.trained_per_second + looked_at)


def _shown(recipe: Recipe, work: Work) -> int:
    """Return how many pictures are shown to networks, in all that a recipe trains."""
    learnt_from = round(work.labelled * (1 - recipe.holdout)) * (_QUARTERS if recipe.quarter_turns else 1)
    found = _FINDER_STEPS * min(recipe.batch_size, learnt_from) if recipe.find_rate else 0
    beside = recipe.stop_folds if recipe.stop_by == "cross-validation" else 0
    trainings = 1 + (recipe.folds if recipe.folds > 1 else 0)  # cross-validation trains as often again
    return trainings * (found + (1 + beside) * learnt_from * (recipe.epochs or epochs_for(learnt_from)))


def _ensemble(recipe: Recipe, work: Work, speed: Speed) -> float:
    """Return the time of all members; of those that can be told, as a wrong one is said when training begins."""
    try:
        members = member_recipes(recipe)
    except TrainingError:
        return 0.0
    return expected_seconds(tuple(one.but(folds=recipe.folds) for one in members), work, speed)
